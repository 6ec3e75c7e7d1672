"""What is said of a household before its records are read is never less than what is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from consent.agreement import case, case_names, generated
from consent.scenarios import Maker, at

from visitsync.consent import (
    EVERYTHING,
    NOWHERE,
    Reach,
    Scenario,
    decide,
    directives,
    limiting,
    permitting,
    reach,
    read_scenario,
    with_records,
)
from visitsync.consent.scenario import Listed

COUNT = 1_500


def scenes(seed: int, count: int = COUNT) -> Iterator[Scenario]:
    yield from (read_scenario(case(name)) for name in case_names())
    yield from (read_scenario(one) for one in generated(seed, count))


def within(found: Reach, one: Listed) -> bool:
    record = one.record
    return found.everything or (
        record is not None
        and (
            record.office in found.offices
            or (record.program in found.programs and record.commissioner == found.agency)
        )
    )


def outside_yet_not_hidden(scene: Scenario, found: Reach) -> set[str | None]:
    listed = {one.id: one for one in scene.records}
    return {
        one.record
        for one in decide(scene)
        if one.outcome != "hidden" and not within(found, listed[one.record])
    }


def test_no_record_out_of_reach_is_shown_or_masked() -> None:
    nowhere_shown = reached = 0
    for scene in scenes(31):
        assert not outside_yet_not_hidden(scene, reach(scene))
        reached += not is_nowhere(reach(scene))
        # Control: with a reach of nothing there would be some.
        nowhere_shown += bool(outside_yet_not_hidden(scene, NOWHERE))
    assert nowhere_shown > COUNT / 10
    assert reached < COUNT


@pytest.mark.parametrize("part", ["everything", "offices", "programs"])
def test_each_part_of_a_reach_is_needed(part: str) -> None:
    """Control: without it some record that is shown would not be read."""
    empty: Any = {"everything": False}.get(part, frozenset())
    assert any(
        outside_yet_not_hidden(scene, reach(scene)._replace(**{part: empty}))
        for scene in scenes(32, 1_000)
    )


def test_what_is_out_of_reach_changes_nothing_in_what_is_within() -> None:
    left_out = 0
    for scene in scenes(33):
        found = reach(scene)
        kept = tuple(one for one in scene.records if within(found, one))
        left_out += len(kept) < len(scene.records)
        only = decide(msgspec.structs.replace(scene, records=kept))
        ids = {one.id for one in kept}
        assert only == tuple(one for one in decide(scene) if one.record in ids)
    assert left_out > COUNT / 10


def test_a_reach_does_not_look_at_the_records() -> None:
    for scene in scenes(34, 500):
        assert reach(scene) == reach(msgspec.structs.replace(scene, records=()))


def test_records_given_later_are_judged_as_those_given_at_once() -> None:
    """Also those of another household, of later on, and those that cannot be read."""
    differing = 0
    for raw in generated(35, 600):
        stated = {one.id: one.record for one in read_scenario(raw).records if one.id is not None}
        records = dict(stated)
        for id_, one in stated.items():
            if one is not None:
                records[f"{id_} of others"] = msgspec.structs.replace(one, household="h9")
                late = one.recorded_at.later(10**9)
                records[f"{id_} later on"] = msgspec.structs.replace(one, recorded_at=late)
        scene = read_scenario(raw, {})
        decisions = decide(with_records(scene, records))
        if scene.question is None:
            assert all(one.outcome == "hidden" for one in decisions)
            continue
        assert decisions == decide(read_scenario(raw, records))
        differing += len({one.outcome for one in decisions}) > 1
    assert differing > 50


# ── who is told nothing is not waited for ─────────────────────────────────────────────────────────
def is_nowhere(found: Reach) -> bool:
    return found[:3] == NOWHERE[:3]


def of_a_worker(**changed: Any) -> Scenario:
    """A case worker with the case and a consent that names them, as far as nothing is changed."""
    viewer = {
        "id": "w1",
        "version": 1,
        "recorded_at": at(-9_000),
        "agency": "city",
        "offices": [],
        "roles": ["case_worker"],
        "sections": [],
        "council_member": False,
        "caseload": [{"household": "h1", "from": at(-9_000)}],
        **changed.pop("viewer", {}),
    }
    raw = {
        "vocabulary": 1,
        "viewers": [viewer],
        "directives": [a_directive()],
        "question": {
            "viewer": "w1",
            "purpose": "care_coordination",
            "household": "h1",
            "now": at(0),
            **changed.pop("question", {}),
        },
        **changed,
    }
    return read_scenario(raw)


def a_directive(name: str = "d1", **changed: Any) -> dict[str, Any]:
    return (
        Maker(0).directive(name)
        | {
            "recorded_at": at(-9_000),
            "household": "h1",
            "effect": "permit",
            "sources": ["program:multiples"],
            "recipients": ["agency:city"],
            "purposes": ["care_coordination"],
            "categories": ["attendance", "notes"],
            "valid": {"from": at(-9_000)},
            "data": {"from": "2026-01-01"},
            "registrations": "household",
            "withdrawn_at": None,
        }
        | changed
    )


def a_refusal(**changed: Any) -> dict[str, Any]:
    everything = dict.fromkeys(("sources", "recipients", "purposes", "categories"), "*")
    return a_directive("d2", effect="deny", **everything) | changed


def a_block(who: str) -> dict[str, Any]:
    return {
        "id": "b1",
        "version": 1,
        "recorded_at": at(-10),
        "household": "h1",
        "who": [who],
        "from": at(-10),
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"directives": []},
        {"viewer": {"caseload": []}},
        {"question": {"purpose": "billing"}},
        {"viewer": {"roles": ["auditor"]}, "question": {"purpose": "audit"}},
        {"blocks": [a_block("viewer:w1")]},
        {"blocks": [a_block("agency:city")]},
        {"blocks": [{"id": "b1"}]},
        {"directives": [a_directive(), a_refusal()]},
        {"directives": [a_directive(), a_refusal(sources=["program:multiples", "office:o9"])]},
        {"directives": [a_directive(registrations=["r1"]), a_refusal(registrations=["r1", "r2"])]},
        {"directives": [a_directive(), {"id": "d3"}]},
        {"directives": [a_directive(withdrawn_at=at(-1))]},
    ],
)
def test_who_is_told_nothing_reaches_nowhere(changed: dict[str, Any]) -> None:
    assert reach(of_a_worker()).everything
    assert is_nowhere(reach(of_a_worker(**changed)))


@pytest.mark.parametrize(
    "refusal",
    [
        a_refusal(sources=["office:o1"]),
        a_refusal(categories=["notes"]),
        a_refusal(data={"from": "2026-01-02"}),
        a_refusal(data={"from": "2026-01-01", "until": "2027-01-01"}),
        a_refusal(registrations=["r1"]),
        a_refusal(recipients=["agency:npo"]),
    ],
)
def test_a_refusal_of_less_than_the_consent_leaves_the_rest_in_reach(
    refusal: dict[str, Any],
) -> None:
    assert reach(of_a_worker(directives=[a_directive(), refusal])).everything


def test_whose_office_is_blocked_reaches_their_own_records_alone() -> None:
    viewer = {"offices": ["o1"], "roles": ["program_office"], "sections": ["multiples"]}
    question = {"purpose": "service_delivery"}
    free = of_a_worker(viewer=viewer, question=question)
    blocked = of_a_worker(viewer=viewer, question=question, blocks=[a_block("office:o1")])

    assert reach(free).programs == {"multiples"}
    assert reach(blocked) == NOWHERE._replace(offices=frozenset({"o1"}))


@pytest.mark.parametrize(
    ("room", "part"),
    [(permitting, "by_law"), (directives, "may_permit"), (limiting, "blocks_naming")],
)
def test_where_a_rule_raises_what_the_others_show_is_still_in_reach(
    room: Any, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C10: that rule gives nothing, or withholds; it takes nothing from what others give."""

    def broken(_: object) -> Callable[[], None]:
        raise ValueError

    monkeypatch.setattr(room, part, broken)
    shown = 0
    for scene in scenes(36, 300):
        assert not outside_yet_not_hidden(scene, reach(scene))
        shown += any(one.outcome == "shown" for one in decide(scene))
    viewer = {"offices": ["o1"], "caseload": []}
    assert reach(of_a_worker(viewer=viewer)) == EVERYTHING
    # Of blocks that cannot be judged everything is withheld, by `decide` and not by the reach.
    assert bool(shown) == (part != "blocks_naming")
