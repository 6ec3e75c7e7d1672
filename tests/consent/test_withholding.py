"""Free text under an address shield: what tells where they are is for no one it limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from consent.agreement import case, case_names

from visitsync.consent import Decision, decide, read_scenario, release
from visitsync.consent.own_places import OwnPlaces
from visitsync.consent.withholding import WITHHELD_TEXT, without_locators
from visitsync.errors import RecordError
from visitsync.schema.visit import NOTE_CATEGORIES

TELLING = "上の子は汐見小学校に通う。"
PLAIN = "機嫌よく過ごした。"
NOWHERE = OwnPlaces([])


def line(**notes: str) -> bytes:
    """A canonical report with these notes."""
    report: dict[str, Any] = {
        "program": "multiples",
        "source": {"office": "o4", "record_id": "R-1", "revision": 1, "state": "active",
                   "local_program": None, "file": None, "row": None},
        "case_no": "A-12", "persons": [], "basis": "measure", "outcome": "done", "start": None,
        "end": None, "date": "2026-09-01", "place": "home", "visitors": [], "services": [],
        "units": None, "fee": None, "notes": notes, "health": {}, "confirmed_by": "none",
    }  # fmt: skip
    return json.dumps(report, ensure_ascii=False).encode()


def decided(scenario: Any) -> Iterator[Decision]:
    return (one for one in decide(read_scenario(scenario)) if one.outcome == "shown")


def told(decision: Decision, report: bytes) -> dict[str, Any]:
    released = release([decision], {str(decision.record): report})
    notes = released.shown[0].fields.get("notes", {})
    assert isinstance(notes, dict)
    return notes


def test_words_among_values_of_health_are_looked_through_too() -> None:
    report = json.loads(line())
    report["health"] = {"epds_total": 9, "clinic": TELLING, "mood": PLAIN}

    def health(*, shielded: bool) -> object:
        given = json.dumps(report, ensure_ascii=False).encode()
        return release([shown(shielded=shielded)], {"r1": given}).shown[0].fields["health"]

    assert health(shielded=True) == {"epds_total": 9, "clinic": WITHHELD_TEXT, "mood": PLAIN}
    assert health(shielded=False) == report["health"]


def shown(*, shielded: bool) -> Decision:
    return Decision(
        record="r1",
        outcome="shown",
        visible=("attendance", "child_protection", "health", "notes"),
        shielded=shielded,
    )


@pytest.mark.parametrize("category", [one for one in NOTE_CATEGORIES if one != "contact"])
def test_a_text_that_tells_where_they_are_is_withheld_whole(category: str) -> None:
    others = {one: PLAIN for one in NOTE_CATEGORIES if one not in (category, "contact")}
    report = line(**{**others, category: TELLING})

    assert told(shown(shielded=True), report) == {**others, category: WITHHELD_TEXT}
    assert told(shown(shielded=False), report) == {**others, category: TELLING}


def test_a_text_that_tells_no_place_stays_to_the_byte() -> None:
    report = line(notes=PLAIN, health="37.2度、\n10時に服薬。")
    lines = {"r1": report}
    assert release([shown(shielded=True)], lines) == release([shown(shielded=False)], lines)
    assert without_locators(b'{"date":"2026-09-01"}', NOWHERE) == b'{"date":"2026-09-01"}'


def lives_at(report: bytes, **where: str) -> bytes:
    given = json.loads(report)
    person = dict.fromkeys(("name", "kana", "birth_date", "sex", "postal_code", "address", "phone"))
    given["persons"] = [{"role": "guardian", "identifiers": {}} | person | where]
    return json.dumps(given, ensure_ascii=False).encode()


@pytest.mark.parametrize("word", ["ことり", "1357", "の503", "4の21"])
def test_what_only_their_own_address_makes_a_place_is_withheld(word: str) -> None:
    note = f"次は{word}へ。"
    there = {"address": "汐見市ことり4-21-503", "phone": "090-0000-1357"}
    report = line(notes=note)
    assert told(shown(shielded=True), report) == {"notes": note}
    assert told(shown(shielded=True), lives_at(report, **there)) == {"notes": WITHHELD_TEXT}
    assert told(shown(shielded=False), lives_at(report, **there)) == {"notes": note}


def test_an_address_in_another_report_of_the_same_answer_counts_too() -> None:
    first, second = shown(shielded=True), msgspec.structs.replace(shown(shielded=True), record="r2")
    lines = {
        "r1": line(notes="次はことりへ。"),
        "r2": lives_at(line(notes=PLAIN), address="汐見市ことり4-21"),
    }
    notes = [one.fields["notes"] for one in release([first, second], lines).shown]
    assert notes == [{"notes": WITHHELD_TEXT}, {"notes": PLAIN}]


@pytest.mark.parametrize("note", [PLAIN, TELLING, "次はことりへ。", "", "13:57"])
@pytest.mark.parametrize("address", ["汐見市ことり4-21-503", "", "機嫌", "場所", "表示"])
def test_where_they_live_takes_texts_away_and_changes_nothing_else(note: str, address: str) -> None:
    """Whatever stands where it is hidden: each text comes out as it would, or the marker does."""
    report = line(notes=note, health=PLAIN)
    there = lives_at(report, address=address, phone=f"090-{address}")
    (before,) = release([shown(shielded=True)], {"r1": report}).shown
    (after,) = release([shown(shielded=True)], {"r1": there}).shown

    texts = after.fields.pop("notes")
    assert isinstance(texts, dict)
    for name, text in told(shown(shielded=True), report).items():
        assert texts.pop(name) in (text, WITHHELD_TEXT)
    assert not texts
    assert {**after.fields, "notes": 0} == {**before.fields, "notes": 0}


def test_what_a_report_that_is_not_shown_says_of_it_counts_too_and_does_not_come_out() -> None:
    """As on another page of the same timeline."""
    lines = {
        "r1": line(notes="次はことりへ。"),
        "r2": lives_at(line(notes="旧宅にて。"), address="汐見市ことり4-21"),
    }
    (first,) = release([shown(shielded=True)], lines).shown
    assert first.fields["notes"] == {"notes": WITHHELD_TEXT}
    assert "旧宅" not in first.line.decode()


def test_without_a_shield_nothing_is_read_but_what_is_shown() -> None:
    lines = {"r1": line(notes=TELLING), "r2": b"of no form at all"}
    (first,) = release([shown(shielded=False)], lines).shown
    assert first.fields["notes"] == {"notes": TELLING}


def test_persons_of_another_form_release_nothing() -> None:
    given = json.loads(line(notes=PLAIN))
    given["persons"] = [{"address": 1}]
    with pytest.raises(RecordError, match="version"):
        release([shown(shielded=True)], {"r1": json.dumps(given).encode()})


def test_the_marker_tells_no_place_itself() -> None:
    once = without_locators(line(notes=TELLING), NOWHERE)
    assert without_locators(once, NOWHERE) == once
    assert "汐見" not in once.decode()


@pytest.mark.parametrize(
    "name",
    [
        "c7-not-for-those-it-allows",
        "c7-not-over-an-offices-own-records",
        "c7-closed-by-a-person",
        "c7-opened-by-a-confirmed-grant",
        "c7-two-shields-opened-by-two-facts",
    ],
)
def test_nothing_is_scanned_for_who_may_know_where_they_are(name: str) -> None:
    decisions = list(decided(case(name)))
    assert decisions
    for decision in decisions:
        assert not decision.shielded
        visible = {*decision.visible, "notes"}
        seen = told(_with(decision, visible), line(notes=TELLING))
        assert seen["notes"] == TELLING


@pytest.mark.parametrize(
    "name",
    [
        "c7-a-shield-withholds-where-they-are",
        "c7-passing-its-end-does-not-lift-it",
        "c7-not-opened-by-the-asker",
        "c7-not-opened-by-a-colleague-without-standing",
        "c7-notes-that-a-law-opens",
        "c7-an-unreadable-shield-allows-nobody",
        "c7-each-shield-limits-for-itself",
    ],
)
def test_everything_is_scanned_for_who_may_not(name: str) -> None:
    decisions = list(decided(case(name)))
    assert decisions
    for decision in decisions:
        assert decision.shielded
        visible = {*decision.visible, "notes"}
        seen = told(_with(decision, visible), line(notes=TELLING))
        assert seen["notes"] == WITHHELD_TEXT


def test_without_a_shield_nothing_is_marked_and_the_printed_line_never_tells() -> None:
    for name in case_names():
        scenario = case(name)
        for decision in decide(read_scenario(scenario)):
            assert "shielded" not in decision.as_json()
            if isinstance(scenario, dict) and not scenario.get("shields"):
                assert not decision.shielded


def _with(decision: Decision, visible: set[str]) -> Decision:
    return Decision(
        record=decision.record,
        outcome="shown",
        visible=tuple(sorted(visible)),
        shielded=decision.shielded,
    )
