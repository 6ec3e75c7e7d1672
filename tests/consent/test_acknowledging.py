"""What a client that does not heed a protection gets: less than the decision, never more."""

from __future__ import annotations

import pytest
from consent.agreement import case, case_names

from visitsync.consent import Decision, decide, guards, read_scenario, without_acknowledgement
from visitsync.consent.whereabouts import EVERY_FIELD, LOOKED_THROUGH, withheld_under_shield
from visitsync.schema.vocabulary import VOCABULARY

EVERYTHING = Decision(record="r", outcome="shown", visible=tuple(sorted(VOCABULARY.categories)))
FIELDS = {
    "case_no": ("case_no",),
    "place": ("place",),
    "source.office": ("source.office",),
    "source.record_id": ("source.record_id",),
    "visitors": ("visitors[].id", "visitors[].name", "visitors[].qualification"),
}


def fields(decision: Decision) -> set[str]:
    """The fields of a report that a decision lets out."""
    found = {field for one in decision.visible for field in VOCABULARY.fields_of_category[one]}
    for name in decision.withheld_fields:
        found -= set(FIELDS.get(name, (f"notes.{name.removeprefix('text:')}",)))
    return found


def test_of_every_field_nothing_is_left_that_tells_where_they_are() -> None:
    assert fields(EVERYTHING) == EVERY_FIELD
    left = fields(without_acknowledgement(EVERYTHING))
    telling = withheld_under_shield(VOCABULARY.fields_of_category) | LOOKED_THROUGH
    assert left == EVERY_FIELD - telling


@pytest.mark.parametrize("name", case_names())
def test_it_takes_away_and_adds_nothing(name: str) -> None:
    for decision in decide(read_scenario(case(name))):
        left = without_acknowledgement(decision)
        assert set(left.visible) <= set(decision.visible)
        assert set(left.withheld_fields) >= {
            one for one in decision.withheld_fields if not one.startswith("text:")
        }
        assert set(left.reasons) <= set(decision.reasons)
        assert {why.category for why in left.reasons if why.effect == "show"} <= set(left.visible)
        assert (left.outcome == "shown") == (decision.outcome == "shown")
        assert left.office is None
        assert without_acknowledgement(left) == left


def test_the_flag_is_raised_for_a_shield_whoever_it_allows() -> None:
    """Also for who sees everything: what they make of it must carry it."""
    raised = {name: guards(read_scenario(case(name))).shielded for name in case_names()}
    assert any(raised[name] for name in raised if name.startswith("c7"))
    assert not any(raised[name] for name in raised if name.startswith(("c1-", "c2-", "c3-")))
