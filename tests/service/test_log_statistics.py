"""Statistics of the access log: what stands out, person by person, without any household."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import msgspec
import pytest
from build import CARE, LABELS, OFFICE, OPERATOR, a_directory, as_office
from service.auditing import (
    AUDITOR,
    HELPER,
    OFFICER,
    OFFICERS,
    ONESELF,
    busy,
    every_row,
    newest,
    settled,
)

from visitsync.errors import BadParameter, DatabaseUnavailable, NotAllowed
from visitsync.schema.directory import Staff
from visitsync.schema.visit import JST
from visitsync.service import directory, entries, log_statistics, messages
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.keyring import LOG, held
from visitsync.service.log_statistics import PersonStatistics
from visitsync.service.writing import Change, change
from visitsync.store import access_log, clock, data_keys, emergencies, log_counts
from visitsync.store.emergencies import Emergency
from visitsync.store.looks import Part

APRIL = dt.date(2026, 4, 1)
EVER = (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
COLLEAGUES = tuple(
    Staff(id=f"colleague{number}", name=f"同僚 {number}", role="case_worker", agency="city")
    for number in range(3)
)


async def counted(
    context: Context, caller: Caller = AUDITOR, days: tuple[dt.date, dt.date] = EVER
) -> dict[str, PersonStatistics]:
    found = await log_statistics.statistics(context, caller, *days)
    return {one.actor: one for one in found.people}


async def look(context: Context, who: str, household: str, **public: Any) -> None:
    """An entry of a look, whatever allowed it."""
    async with change(context, OPERATOR) as made:
        await made.log(
            Caller(kind="staff", id=who, scopes=frozenset()),
            "timeline_read",
            household=household,
            private={"household": household},
            public={"decision": "shown", "purpose": CARE, "records": 1, **public},
        )


# ── who may, and that it is logged ────────────────────────────────────────────────────────────────
async def test_only_auditors_protection_officers_and_the_operator_are_told(
    context: Context,
) -> None:
    await settled(context)
    for caller in (AUDITOR, OFFICER, OPERATOR):
        assert (await log_statistics.statistics(context, caller, *EVER)).people
    for caller in (
        *(ONESELF, HELPER, as_office(OFFICE)),
        Caller(kind="staff", id="worker", scopes=frozenset({"audit"})),
        Caller(kind="office", id=OFFICE, scopes=frozenset({"audit"})),
    ):
        with pytest.raises(NotAllowed):
            await log_statistics.statistics(context, caller, *EVER)


async def test_asking_is_logged_before_anything_is_counted(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settled(context)
    seen = []
    counts = log_counts.counts

    async def watched(*given: Any) -> Any:
        seen.append((await newest(context))[1]["kind"])
        return await counts(*given)

    async def refused(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable("full")

    monkeypatch.setattr(log_counts, "counts", watched)
    await counted(context)
    assert seen == ["log_read"]
    monkeypatch.setattr(Change, "log", refused)
    with pytest.raises(DatabaseUnavailable):
        await counted(context)
    assert seen == ["log_read"]


@pytest.mark.parametrize(
    "days",
    [(APRIL, APRIL), (APRIL, dt.date(2026, 3, 1)), (APRIL, dt.date(2027, 4, 3))],
)
async def test_a_period_is_at_most_a_year(context: Context, days: tuple[dt.date, dt.date]) -> None:
    await settled(context)
    with pytest.raises(BadParameter):
        await counted(context, days=days)


# ── what is counted ───────────────────────────────────────────────────────────────────────────────
async def test_no_household_stands_in_it(context: Context) -> None:
    household = await settled(context)
    await busy(context, household)
    found = await log_statistics.statistics(context, AUDITOR, *EVER)
    text = msgspec.json.encode(found).decode()
    assert household not in text
    assert "office:" not in text


async def test_looks_searches_and_refusals_of_each_person(context: Context) -> None:
    household = await settled(context)
    await busy(context, household)
    found = await counted(context)
    worker = found["staff:worker"]
    assert (worker.name, worker.agency, worker.roles) == ("担当 花子", "試験市", ("case_worker",))
    # Their own look, and the household on the list of their search.
    assert (worker.looks, worker.searches, worker.searches_without_result) == (2, 2, 1)
    assert worker.refused == 0
    assert "staff:helper" not in found
    # What was done at the shell in their place is the operator's.
    assert (found["operator:tests"].looks, found["operator:tests"].roles) == (2, ())
    assert found["operator:tests"].refused == len(
        [one for one in await every_row(context) if '"kind":"denied"' in one.leaf]
    )


async def test_a_list_that_is_about_no_household_is_no_look(context: Context) -> None:
    await settled(context)
    await messages.mine(context, ONESELF)
    assert (await newest(context))[1]["kind"] == "list_read"
    assert (await counted(context))["staff:worker"].looks == 0


async def test_a_person_stands_beside_the_median_of_at_least_five(context: Context) -> None:
    household = await settled(context)
    for _ in range(4):
        await look(context, "worker", household)
    assert (await counted(context))["staff:worker"].group_median is None
    wanted = a_directory(staff=(*a_directory().staff, OFFICERS, *COLLEAGUES))
    await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))
    for one in (*COLLEAGUES[:2], *COLLEAGUES[:2]):
        await look(context, one.id, household)
    found = await counted(context)
    # worker 4, two colleagues 2, another colleague and another worker 0
    assert (found["staff:worker"].group_median, found["staff:worker"].times_median) == (2.0, 2.0)
    assert "staff:other" not in found
    assert found["staff:auditor"].group_median is None


async def test_who_has_left_is_counted_with_the_role_they_had(context: Context) -> None:
    household = await settled(context)
    await look(context, "worker", household)
    left = tuple(one for one in a_directory().staff if one.id != "worker")
    wanted = a_directory(staff=(*left, OFFICERS))
    await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))
    worker = (await counted(context))["staff:worker"]
    assert (worker.looks, worker.roles, worker.name) == (1, ("case_worker",), "担当 花子")


@pytest.mark.parametrize(
    ("basis", "outside"),
    [
        ("C3:d1@1", 0),
        (f"C1:office:{OFFICE}", 1),
        ("C2:program:multiples", 1),
        ("C6:g1", 1),
        (f"C1:office:{OFFICE} C3:d1@1", 0),
        ("C3:d1@1 C6:g1", 0),
        ("C5:c1:child_welfare_25_2", 0),
        ("C3:C6:x", 0),
        (None, 0),
    ],
)
async def test_looks_outside_the_caseload_are_those_no_consent_allowed(
    context: Context, basis: str | None, outside: int
) -> None:
    household = await settled(context)
    await look(context, "worker", household, basis=basis)
    worker = (await counted(context))["staff:worker"]
    assert (worker.looks, worker.outside_caseload) == (1, outside)


async def test_emergencies_without_a_review_are_counted(context: Context) -> None:
    household = await settled(context)
    async with change(context, OPERATOR) as made:
        at = made.at
        one = Emergency(
            id="g1",
            household=household,
            viewer="worker",
            agency="city",
            office=None,
            reason="child_in_danger",
            categories="notes",
            hours=1,
            asked_at=at,
            granted_at=at,
            due_at=at,
        )
        reviewed = one._replace(id="g2", outcome="justified", reviewed_at=at, reviewed_by="chief")
        waiting = one._replace(id="g3", granted_at=None)
        for each in (one, reviewed, waiting):
            await emergencies.add(made.connection, each)
        await made.log(OPERATOR, "break_glass", private={}, public={})
    assert (await counted(context))["staff:worker"].emergencies_unreviewed == 1
    assert "staff:worker" not in await counted(context, days=(dt.date(2025, 1, 1), EVER[0]))


# ── by the clock ──────────────────────────────────────────────────────────────────────────────────
def _is_off(at: dt.datetime) -> bool:
    local = at.astimezone(JST)
    return not 8 <= local.hour < 20 or local.weekday() >= 5


async def test_what_is_off_hours_is_told_from_the_clock_in_japan(context: Context) -> None:
    """Looks of two weeks, every few hours, and at each side of every bound."""
    household = await settled(context)
    start = dt.datetime(2031, 4, 25, 3, tzinfo=JST)
    times = {start + dt.timedelta(hours=5 * number) for number in range(70)}
    for hour, day in itertools.product((0, 8, 20), (26, 27, 28, 29)):
        edge = dt.datetime(2031, 4, day, hour, tzinfo=JST)
        times |= {edge, edge - dt.timedelta(microseconds=1)}
    async with context.database.reading() as connection:
        keys = context.keyring.opened(await data_keys.of_households(connection, [household]))
    key = held(keys, (household, "", LOG))
    who = Caller(kind="staff", id="worker", scopes=frozenset())
    rows = []
    for seq, at in enumerate(sorted(times)):
        draft = entries.draft(
            context.keyring, who, "timeline_read", key, household=household, private={},
            public={"decision": f"n{seq}"},
        )  # fmt: skip
        rows.append(entries.placed(draft, "visitsync/other/2031", seq, clock.stored(at)))
    async with context.database.writing() as connection:
        await access_log.insert(connection, rows)
    async with context.database.reading() as connection:
        part = Part("visitsync/other/2031", range(len(rows)))
        found = await log_counts.counts(connection, part)
    off = {f"n{seq}": _is_off(at) for seq, at in enumerate(sorted(times))}
    assert {one.decision: one.off_hours for one in found} == off
    assert {one.number for one in found} == {1}
    assert set(off.values()) == {True, False}


async def test_stretches_leave_no_entry_out(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settled(context)
    await busy(context, household)
    whole = (await counted(context))["staff:worker"]
    for step in (1, 2, 7):
        monkeypatch.setattr(log_statistics, "_AT_ONCE", step)
        assert (await counted(context))["staff:worker"] == whole
    assert len(await every_row(context)) > 7
