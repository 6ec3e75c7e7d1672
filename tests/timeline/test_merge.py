"""One timeline: nothing lost, the order of arrival without effect, every meeting marked."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.timeline_reference import current_slowly, gaps_slowly, marks_slowly
from timeline.reports import DAY, RECORDED, a_report, a_visit, at, reports, shiomi

from visitsync.schema.visit import decode
from visitsync.timeline import Mark, Reported, Timeline, merge
from visitsync.timeline.clashes import Presence, overlaps

OTHER: dict[str, Any] = {"program": "multiples", "office": "shiomi-mt-01"}


def marks(timeline: Timeline) -> dict[str, dict[str, set[str]]]:
    return {
        entry.record: {mark.kind: set(mark.others) for mark in entry.marks}
        for entry in timeline.entries
    }


def between(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The kinds of marks that two visits give each other."""
    timeline = merge([a_report("a", a_visit(**one)), a_report("b", a_visit(**other))])
    found = marks(timeline)
    assert {kind: {"b"} for kind in found["b"]} == found["a"]
    return set(found["a"])


# ── properties ────────────────────────────────────────────────────────────────────────────────────
@given(reports(), st.randoms(use_true_random=False))
def test_merge_is_order_independent(reported: list[Reported], order: Any) -> None:
    first = merge(reported)
    order.shuffle(reported)
    assert merge(reported) == first


@given(reports())
def test_merge_twice_is_merge_once(reported: list[Reported]) -> None:
    once = merge(reported)
    assert merge([*reported, *reported]) == once
    assert merge(once.reported()) == once


@given(reports())
def test_no_revision_is_lost(reported: list[Reported]) -> None:
    kept = merge(reported).reported()
    assert all(one in kept for one in reported)
    assert all(one in reported for one in kept)
    assert all(one not in kept[n + 1 :] for n, one in enumerate(kept))


@settings(max_examples=400)
@given(reports(max_size=16))
def test_merge_equals_the_slow_reference(reported: list[Reported]) -> None:
    timeline = merge(reported)
    assert {entry.record: entry.current for entry in timeline.entries} == current_slowly(reported)
    assert marks(timeline) == marks_slowly(reported)
    assert set(timeline.gaps) == gaps_slowly(reported)
    assert len(timeline.gaps) == len(set(timeline.gaps))


@given(reports())
def test_entries_stand_in_order_of_time(reported: list[Reported]) -> None:
    entries = merge(reported).entries
    days = [entry.current.visit.date for entry in entries]
    assert days == sorted(days)
    starts = [entry.current.visit.start for entry in entries if entry.current.visit.start]
    assert starts == sorted(starts)
    for entry in entries:
        numbers = [one.revision for one in (*entry.earlier, entry.current)]
        assert numbers == sorted(numbers)


@given(reports())
def test_marks_and_gaps_know_attendance_only(reported: list[Reported]) -> None:
    """Everything else may change: neither a mark, nor a gap, nor the order moves."""

    def bare(one: Reported) -> Reported:
        changed = msgspec.structs.replace(
            decode(one.line),
            notes={"health": "x"},
            services=("housework.cooking",),
            case_no="x",
            confirmed_by="stamp",
        )
        return a_report(one.record, changed, revision=one.revision, recorded_at=one.recorded_at)

    first_of_each: dict[tuple[str, int], Reported] = {}
    for one in reported:
        first_of_each.setdefault((one.record, one.revision), one)
    distinct = list(first_of_each.values())
    timeline, other = merge(distinct), merge(map(bare, distinct))
    assert [entry.record for entry in timeline.entries] == [e.record for e in other.entries]
    assert marks(timeline) == marks(other)
    assert timeline.gaps == other.gaps


# ── revisions ─────────────────────────────────────────────────────────────────────────────────────
def test_the_highest_revision_is_current_whenever_it_came() -> None:
    early = a_report("v", a_visit(note="corrected"), revision=2)
    late = a_report("v", a_visit(), recorded_at=RECORDED + dt.timedelta(days=9))
    (entry,) = merge([early, late]).entries
    assert (entry.current, entry.earlier, entry.marks) == (early, (late,), ())


def test_one_revision_with_two_contents_keeps_both() -> None:
    one, other = a_report("v", a_visit(note="a")), a_report("v", a_visit(note="b"))
    (entry,) = merge([other, one]).entries
    assert [decode(r.line).notes["notes"] for r in (*entry.earlier, entry.current)] == ["a", "b"]
    assert entry.earlier[0].line < entry.current.line


@pytest.mark.parametrize(
    ("numbers", "marked"), [((1,), False), ((2,), True), ((1, 2), False), ((1, 3), True)]
)
def test_a_revision_that_never_came_is_marked(numbers: tuple[int, ...], marked: bool) -> None:  # noqa: FBT001
    (entry,) = merge([a_report("v", a_visit(), revision=n) for n in numbers]).entries
    assert entry.marks == ((Mark(kind="revision_gap"),) if marked else ())


def test_a_voided_visit_stays_and_meets_nobody() -> None:
    voided = a_report("a", a_visit(state="voided"), revision=2)
    timeline = merge([a_report("a", a_visit()), voided, a_report("b", a_visit(**OTHER))])
    by_record = {entry.record: entry for entry in timeline.entries}
    assert by_record["a"].is_voided
    assert not by_record["a"].took_place
    assert marks(timeline) == {"a": {}, "b": {}}
    assert (
        "overlap" in marks(merge([a_report("a", a_visit()), a_report("b", a_visit(**OTHER))]))["b"]
    )


# ── meetings ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("times", "kinds"),
    [
        ("10:00-12:00", {"overlap", "reported_twice"}),
        ("10:15-12:15", {"overlap", "reported_twice"}),
        ("10:16-12:15", {"overlap"}),
        ("11:59-13:00", {"overlap"}),
        ("12:00-13:00", set()),  # one leaves as the other comes
        ("09:00-10:00", set()),
        ("10:30-", {"overlap"}),
        ("12:00-", set()),
        (None, set()),
    ],
)
def test_two_programs_in_the_house(times: str | None, kinds: set[str]) -> None:
    assert between({}, {**OTHER, "times": times}) == kinds


def test_touching_is_no_overlap_whichever_is_named_first() -> None:
    """The sweep always names the earlier one first; the rule must not rely on it."""
    early, late = (
        Presence(
            record=times,
            date=DAY,
            outcome="done",
            start=at(DAY, times[:5]),
            end=at(DAY, times[6:]),
            program=times,
            office=times,
        )
        for times in ("10:00-12:00", "12:00-13:00")
    )
    assert not overlaps(early, late)
    assert not overlaps(late, early)
    assert overlaps(early, msgspec.structs.replace(late, start=at(DAY, "11:59")))


def test_short_visits_a_quarter_of_an_hour_apart_may_be_one() -> None:
    there = {"times": "10:00-10:05"}
    assert between(there, {**OTHER, "times": "10:15-10:20"}) == {"reported_twice"}
    assert between(there, {**OTHER, "times": "10:16-10:20"}) == set()


def test_two_offices_that_tell_another_outcome_tell_of_two_visits() -> None:
    assert between({}, {"office": "shiomi-hs-02", "outcome": "absent"}) == set()


def test_a_visit_past_midnight_meets_the_next_day() -> None:
    night = {"times": "22:00-30:00"}
    morning = {**OTHER, "day": DAY + dt.timedelta(days=1), "times": "05:00-06:30"}
    assert between(night, morning) == {"overlap"}


def test_two_helpers_of_one_program_are_no_overlap() -> None:
    assert between({}, {}) == set()
    assert between({}, {"office": "shiomi-hs-02"}) == {"reported_twice"}


@pytest.mark.parametrize("outcome", ["cancelled", "cancelled_late", "not_visited"])
def test_what_did_not_take_place_is_in_nobodys_way(outcome: str) -> None:
    assert between({}, {**OTHER, "outcome": outcome}) == set()
    # without a time, only the same program on the same day looks like one visit
    assert between({"outcome": outcome}, {**OTHER, "outcome": outcome}) == set()
    twice = {"outcome": outcome, "office": "shiomi-hs-02"}
    assert between({"outcome": outcome}, twice) == {"reported_twice"}


# ── gaps ──────────────────────────────────────────────────────────────────────────────────────────
def weekly(weeks: list[int], **changes: Any) -> list[Reported]:
    return [
        a_report(f"v{week}", a_visit(day=DAY + dt.timedelta(weeks=week), **changes))
        for week in weeks
    ]


def gaps(reported: list[Reported]) -> list[int]:
    """The weeks before which a gap ends."""
    return [(gap.before - DAY).days // 7 for gap in merge(reported).gaps]


@pytest.mark.parametrize(
    ("weeks", "found"),
    [
        ([0, 1, 2, 3, 7], [7]),
        ([0, 1, 2, 3, 6], []),  # two weeks missed: not clearly longer
        ([0, 1, 2, 6, 7, 8, 14], [6, 14]),
        ([0, 1, 2, 6, 16], [6, 16]),  # of two middle intervals the shorter is the usual one
        ([0, 4, 8, 12, 21], [21]),
        ([0, 4, 8, 12, 20], []),  # one of a monthly rhythm missed
        ([0, 1, 20], []),  # no rhythm yet
    ],
)
def test_a_program_that_stays_away_longer_than_usual(weeks: list[int], found: list[int]) -> None:
    assert gaps(weekly(weeks)) == found


def test_a_visit_that_did_not_take_place_closes_no_gap() -> None:
    regular = weekly([0, 1, 2, 3, 7])
    between_them = a_report("c", a_visit(day=DAY + dt.timedelta(weeks=5), outcome="cancelled"))
    voided = a_report("d", a_visit(day=DAY + dt.timedelta(weeks=5), state="voided"))
    assert gaps([*regular, between_them, voided]) == [7]
    came = a_report("e", a_visit(day=DAY + dt.timedelta(weeks=5)))
    assert gaps([*regular, came]) == []


def test_another_program_closes_no_gap() -> None:
    other = a_report("o", a_visit(day=DAY + dt.timedelta(weeks=5), **OTHER))
    assert gaps([*weekly([0, 1, 2, 3, 7]), other]) == [7]


# ── the sample city ───────────────────────────────────────────────────────────────────────────────
def test_the_overlaps_that_the_city_knows_of_are_found_and_no_others() -> None:
    findings = json.loads(Path("tests/samples/findings.json").read_text(encoding="utf-8"))
    known = {
        (finding["household"], f"{finding['office']}/{finding['record_id']}")
        for finding in findings
        if finding["rule"] == "overlap_other_program"
    }
    assert known
    pairs = {
        (household, frozenset((entry.record, *mark.others)))
        for household, reported in shiomi().items()
        for entry in merge(reported).entries
        for mark in entry.marks
        if mark.kind == "overlap"
    }
    assert len(pairs) == len(known)
    for household, record in known:
        assert any(home == household and record in pair for home, pair in pairs)


def test_every_correction_of_the_city_finds_its_first_revision() -> None:
    timelines = [merge(reported) for reported in shiomi().values()]
    entries = [entry for timeline in timelines for entry in timeline.entries]
    assert len(entries) == 713
    assert any(entry.is_voided for entry in entries)
    assert any(entry.earlier for entry in entries)
    assert not any(mark.kind == "revision_gap" for entry in entries for mark in entry.marks)


def test_nothing_printed_tells_a_value() -> None:
    report = a_report("v", a_visit(note="秘密"))
    timeline = merge([report])
    assert "秘密" not in f"{report!r} {timeline!r} {timeline.entries[0]!r}"


def test_two_thousand_visits_take_a_moment() -> None:
    visits = [
        a_report(
            f"v{n}",
            a_visit(
                day=DAY + dt.timedelta(days=n // 4),
                times=f"{8 + 2 * (n % 4):02}:00-{10 + 2 * (n % 4):02}:30",
                program=("household_support", "multiples", "perinatal_helper")[n % 3],
            ),
        )
        for n in range(2000)
    ]
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        timeline = merge(visits)
        seconds.append(time.perf_counter() - begun)
        assert len(timeline.entries) == 2000
    # About 0.015 s on a quiet machine, and 0.05 s promised; the rest is for busy ones.
    assert min(seconds) < 0.15
