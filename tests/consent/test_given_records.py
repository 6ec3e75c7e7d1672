"""Records that need no reading get the answers that the same records get when they are read."""

from __future__ import annotations

from typing import Any

from consent.agreement import generated

from visitsync.consent import Instant, Record, decide, read_scenario
from visitsync.consent.statements import read
from visitsync.consent.times import read_instant

SCENARIOS = 1_500


def readable(scenario: dict[str, Any]) -> dict[str, tuple[Any, Record]]:
    """The records that stand in a scenario once and can be read: as written, and as read."""
    listed = scenario.get("records")
    found: dict[object, list[tuple[Any, Record | None]]] = {}
    for raw in listed if isinstance(listed, list) else ():
        name = raw.get("id") if isinstance(raw, dict) else None
        found.setdefault(name if isinstance(name, str) else None, []).append(
            (raw, read(Record, raw))
        )
    return {
        record.id: (raw, record)
        for ((raw, record), *more) in found.values()
        if record is not None and not more
    }


def given(scenario: dict[str, Any]) -> dict[str, Record | None]:
    return {name: record for name, (_, record) in readable(scenario).items()}


def test_given_records_are_decided_like_the_same_records_in_the_list() -> None:
    met = 0
    for scenario in generated(seed=77, count=SCENARIOS):
        rest = {name: value for name, value in scenario.items() if name != "records"}
        listed = {**rest, "records": [raw for raw, _ in readable(scenario).values()]}
        answers = decide(read_scenario(rest, given(scenario)))
        assert answers == decide(read_scenario(listed))
        met += any(one.outcome == "shown" for one in answers)
    assert met > SCENARIOS / 20


def test_a_record_that_cannot_be_read_is_given_as_none_and_hidden() -> None:
    scenario = next(
        one
        for one in generated(seed=78, count=SCENARIOS)
        if any(line.outcome == "shown" for line in decide(read_scenario(one, given(one))))
    )
    records = given(scenario)
    shown = [x.record for x in decide(read_scenario(scenario, records)) if x.outcome == "shown"]
    unread = {**records, str(shown[0]): None}
    answers = {one.record: one for one in decide(read_scenario(scenario, unread))}
    assert answers[shown[0]].outcome == "hidden"
    assert [why.rule for why in answers[shown[0]].reasons] == ["C10"]


def test_a_stored_time_is_the_instant_that_it_is_written_as() -> None:
    for stored, written in (
        (0, "1970-01-01T00:00:00Z"),
        (1_790_812_800_000_000, "2026-10-01T09:00:00+09:00"),
        (1_790_812_800_000_100, "2026-10-01T00:00:00.0001Z"),
    ):
        assert Instant.of(stored) == read_instant(written)
