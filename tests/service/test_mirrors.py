"""Who looked: an office's mirror of its records, and a household's for auditors."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    NURSES,
    OFFICE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_directory,
    a_visit,
    applied,
    as_office,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.errors import BadParameter, NotAllowed, Tampered, UnknownHousehold
from visitsync.schema.directory import Staff
from visitsync.service import accesses as household_accesses
from visitsync.service import looking_back, timelines, uses
from visitsync.service.accesses import Access, Accesses
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.looking_back import Period
from visitsync.service.search import search
from visitsync.service.uses import Use, Uses
from visitsync.service.views import Sought
from visitsync.service.writing import change
from visitsync.store import access_log, clock, data_keys, epochs, facts, looks
from visitsync.store.access_log import Row
from visitsync.store.facts import Fact
from visitsync.store.looks import Part
from visitsync.store.tables import data_key

AUDITOR = Caller(kind="staff", id="auditor", scopes=frozenset({"audit"}))
OFFICER = Caller(kind="staff", id="officer", scopes=frozenset({"audit"}))
HELPER = Caller.as_staff("helper", "tests")
UNKNOWN = "h" + "a" * 26
OFFICERS = Staff(id="officer", name="保護 五郎", role="protection_officer", agency="city")


async def settled(context: Context) -> str:
    """Two offices' visits to one family, a consent for one of them, and one for the other."""
    await applied(context, staff=(*a_directory().staff, OFFICERS))
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(3)], SECOND_OFFICE)
    await handed_in(context, [a_visit(9, case_no="F-2", persons=OTHER_FAMILY)])
    household = await home_of(context)
    await consented(context, household, sources=("program:multiples",))
    return household


async def looked(context: Context, household: str, caller: Caller = WORKER) -> None:
    await timelines.view(context, caller, household, CARE)


async def mirror(context: Context, office: str = OFFICE, **more: Any) -> Uses:
    return await uses.uses(context, as_office(office), office, Period(), **more)


async def listed(context: Context, household: str, caller: Caller = AUDITOR) -> Accesses:
    return await household_accesses.accesses(context, caller, household, "audit", Period())


async def newest(context: Context) -> tuple[Row, dict[str, Any]]:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        (row,) = [one async for one in access_log.rows(connection, head.shard, head.size - 1)]
    leaf: dict[str, Any] = msgspec.json.decode(row.leaf)
    return row, leaf


async def protect(context: Context, kind: str, household: str, **body: Any) -> None:
    """Record a shield or a block."""
    async with change(context, OPERATOR) as made:
        at = clock.written(made.at)
        told = {"from": at, "until": None, "closed_at": None, **body}
        written = msgspec.json.encode(told).decode()
        await facts.add(made.connection, [Fact(kind, kind, 1, made.at, household, written)])
        await epochs.bump(made.connection, {epochs.of_household(household)})
        await made.log(OPERATOR, f"{kind}_recorded", household=household, private={}, public={})


async def shield(context: Context, household: str) -> None:
    allowed = ["role:child_protection_worker@agency:city"]
    await protect(context, "shield", household, allowed=allowed, withhold_notes=False)


# ── an office's mirror ────────────────────────────────────────────────────────────────────────────
async def test_an_office_sees_who_used_its_records_when_and_why(context: Context) -> None:
    household = await settled(context)
    given = await consented(context, household, sources=("program:household_support",))
    await looked(context, household)

    first, second = await mirror(context), await mirror(context, SECOND_OFFICE)

    (one,) = first.uses
    assert (one.agency, one.roles, one.purpose) == ("試験市", ("case_worker",), CARE)
    assert (one.records, one.cases) == (2, ("F-1",))
    assert all(f"{given.id}@1" not in basis for basis in one.basis)
    (other,) = second.uses
    assert (other.records, other.cases, other.basis) == (1, ("S-1",), (f"C3 {given.id}@1",))
    assert other.at == one.at


async def test_an_office_is_told_nothing_of_other_offices(context: Context) -> None:
    """Its staff's look at their own records is no use of another office's, and names none."""
    household = await settled(context)
    await looked(context, household, HELPER)

    assert (await mirror(context, SECOND_OFFICE)).uses == ()
    assert (await mirror(context, NURSES)).uses == ()
    (one,) = (await mirror(context)).uses
    assert (one.roles, one.basis) == (("program_office",), (f"C1 office:{OFFICE}",))
    await consented(
        context,
        household,
        sources=("program:household_support",),
        recipients=(f"office:{OFFICE}",),
    )
    await looked(context, household, HELPER)
    (two,) = (await mirror(context, SECOND_OFFICE)).uses
    assert all(OFFICE not in basis for basis in two.basis)


async def test_a_name_is_never_told(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)

    written = msgspec.json.encode(await mirror(context)).decode()
    for value in ("担当", "花子", '"worker"', household):
        assert value not in written


async def test_a_household_on_the_list_of_a_search_is_a_use_and_an_access(context: Context) -> None:
    household = await settled(context)
    await search(context, WORKER, CARE, Sought(case_no="F-1"))

    (one,) = (await mirror(context)).uses
    assert (one.records, one.cases, one.purpose) == (1, ("F-1",), CARE)
    (other,) = (await listed(context, household)).accesses
    assert (other.kind, other.categories) == ("list_read", ("attendance", "identity"))


async def test_what_was_refused_is_no_use(context: Context) -> None:
    household = await settled(context)
    with pytest.raises(UnknownHousehold):
        await timelines.view(context, Caller.as_staff("other", "tests"), household, CARE)
    assert (await mirror(context)).uses == ()
    assert (await listed(context, household)).accesses == ()


async def test_under_a_shield_the_viewers_agency_is_left_out(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    await shield(context, household)

    (one,) = (await mirror(context)).uses
    assert (one.agency, one.records) == (None, 2)


@pytest.mark.parametrize("who", [f"office:{OFFICE}", "agency:npo", "viewer:helper"])
async def test_a_household_with_a_block_is_left_out(context: Context, who: str) -> None:
    household = await settled(context)
    await looked(context, household)
    await protect(context, "block", household, who=[who])

    assert (await mirror(context)).uses == ()


async def test_a_block_against_another_agency_leaves_the_mirror_alone(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    await protect(context, "block", household, who=["agency:elsewhere"])

    assert len((await mirror(context)).uses) == 1


async def test_a_block_that_cannot_be_read_is_against_everybody(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    await protect(context, "block", household, who=[f"office:{NURSES}"], more="unknown")

    assert (await mirror(context)).uses == ()
    assert (await listed(context, household)).withheld_for_guardians


async def test_only_the_offices_own_token_reads_its_mirror(context: Context) -> None:
    await settled(context)
    for caller in (as_office(SECOND_OFFICE), OPERATOR, HELPER, AUDITOR):
        with pytest.raises(NotAllowed):
            await uses.uses(context, caller, OFFICE, Period())


async def test_reading_a_mirror_is_logged(context: Context) -> None:
    household = await settled(context)
    await mirror(context)
    _, leaf = await newest(context)
    assert (leaf["kind"], leaf["actor"], leaf["office"]) == (
        "uses_read",
        f"office:{OFFICE}",
        OFFICE,
    )
    await listed(context, household)
    row, leaf = await newest(context)
    assert (leaf["kind"], leaf["actor"], leaf["purpose"]) == (
        "accesses_read",
        "staff:auditor",
        "audit",
    )
    assert row.household == household


async def test_pages_follow_each_other_without_a_gap_and_without_a_repeat(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settled(context)
    for _ in range(7):
        await looked(context, household)
    whole = (await mirror(context)).uses
    everything = (await listed(context, household)).accesses
    assert len(whole) == len(everything) == 7
    assert [one.at for one in whole] == sorted(one.at for one in whole)

    for most, span in ((2, 1), (3, 1_000), (7, 3), (100, 1)):
        monkeypatch.setattr(looking_back, "_SPAN", span)
        monkeypatch.setattr(uses, "_MOST", most)
        monkeypatch.setattr(household_accesses, "_MOST", most)
        gathered: list[Use] = []
        cursor: str | None = None
        while True:
            page = await mirror(context, cursor=cursor)
            assert len(page.uses) <= most
            gathered += page.uses
            if (cursor := page.cursor) is None:
                break
        assert tuple(gathered) == whole
        accesses: list[Access] = []
        while True:
            found = await household_accesses.accesses(
                context, AUDITOR, household, "audit", Period(), cursor
            )
            accesses += found.accesses
            if (cursor := found.cursor) is None:
                break
        assert tuple(accesses) == everything


async def test_widening_stretches_leave_no_entry_out(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settled(context)
    for _ in range(5):
        await looked(context, household)
    async with context.database.reading() as connection:
        ((shard, size),) = await looking_back.years(connection)
        written = [one async for one in access_log.rows(connection, shard, 0)]
        others = [f"h{number}" for number in range(size)]
        for span in range(1, size + 1):
            monkeypatch.setattr(looking_back, "_SPAN", span)
            times = range(written[0].at, written[-1].at + 1)
            found = await looking_back.page(connection, [household, *others], times, None, 100)
            assert found.rows == [one for one in written if one.household == household]
            assert found.cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "1999-1", "2026-", "2026-1x", "2026-" + "9" * 40])
async def test_a_cursor_of_nothing_is_refused(context: Context, cursor: str) -> None:
    await settled(context)
    with pytest.raises(BadParameter):
        await mirror(context, cursor=cursor)


async def test_a_period_is_at_most_a_year_and_outside_it_nothing_is_told(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    day = dt.date(2020, 4, 1)
    year = Period(start=day, until=dt.date(2021, 3, 31))
    assert (await uses.uses(context, as_office(OFFICE), OFFICE, year)).uses == ()
    found = await household_accesses.accesses(context, AUDITOR, household, "audit", year)
    assert found.accesses == ()
    for period in (
        Period(start=day, until=dt.date(2021, 4, 2)),
        Period(start=day, until=dt.date(2020, 3, 31)),
    ):
        with pytest.raises(BadParameter):
            await uses.uses(context, as_office(OFFICE), OFFICE, period)


async def test_the_first_entry_of_a_day_is_found_by_halves(context: Context) -> None:
    await settled(context)
    async with context.database.reading() as connection:
        ((shard, size),) = await looking_back.years(connection)
        times = [at async for _, at, _ in access_log.entries(connection, shard, size)]
        for at in {*times, min(times) - 1, max(times) + 1}:
            expected = sum(one < at for one in times)
            assert await looks.first_at(connection, shard, size, at) == expected


# ── a household's mirror ──────────────────────────────────────────────────────────────────────────
async def test_auditors_and_the_protection_officer_see_who_looked(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)

    for caller in (AUDITOR, OFFICER):
        found = await listed(context, household, caller)
        (one,) = found.accesses
        assert (one.agency, one.roles, one.offices) == ("試験市", ("case_worker",), ())
        assert (one.purpose, one.kind) == (CARE, "timeline_read")
        assert one.categories == ("attendance", "identity", "services")
        assert [rule for rule, _ in one.bases] == ["C3"]
        assert not found.withheld_for_guardians


async def test_nobody_else_does(context: Context) -> None:
    household = await settled(context)
    for caller in (
        WORKER,
        OPERATOR,
        as_office(OFFICE),
        Caller(kind="staff", id="worker", scopes=frozenset({"audit"})),
    ):
        with pytest.raises(NotAllowed):
            await listed(context, household, caller)


async def test_the_purpose_must_be_one_of_the_readers_role(context: Context) -> None:
    household = await settled(context)
    ask = household_accesses.accesses
    assert await ask(context, OFFICER, household, "protection", Period())
    with pytest.raises(NotAllowed):
        await ask(context, AUDITOR, household, "protection", Period())
    with pytest.raises(BadParameter):
        await ask(context, OFFICER, household, CARE, Period())


@pytest.mark.parametrize("household", [UNKNOWN, "x", "' or 1=1"])
async def test_asking_for_a_household_that_there_is_not_is_logged(
    context: Context, household: str
) -> None:
    await settled(context)
    with pytest.raises(UnknownHousehold):
        await listed(context, household)
    _, leaf = await newest(context)
    assert (leaf["kind"], leaf["decision"]) == ("denied", "refused")


@pytest.mark.parametrize("kind", ["shield", "block"])
async def test_under_a_shield_or_a_block_it_is_not_for_guardians(
    context: Context, kind: str
) -> None:
    household = await settled(context)
    if kind == "shield":
        await shield(context, household)
    else:
        await protect(context, "block", household, who=["viewer:helper"])
    assert (await listed(context, household)).withheld_for_guardians


async def test_looks_for_protection_and_in_an_emergency_are_listed_only_after_the_delay(
    context: Context,
) -> None:
    household = await settled(context)
    await timelines.view(context, HELPER, household, "protection")
    await _emergency(context, household)

    assert (await listed(context, household)).accesses == ()
    at_once = _with_delay(context, 0)
    told = (await listed(at_once, household)).accesses
    assert [one.purpose for one in told] == ["protection", "protection"]
    assert "C6" in {rule for rule, _ in told[1].bases}
    await looked(context, household)
    (one,) = (await listed(context, household)).accesses
    assert one.purpose == CARE


async def _emergency(context: Context, household: str) -> None:
    async with change(context, OPERATOR) as made:
        at = made.at
        until = clock.written(at + 60 * 60 * 1_000_000)
        body = {
            "viewer": "worker",
            "reason_code": "danger",
            "categories": ["attendance"],
            "from": clock.written(at),
            "until": until,
            "review": "open",
        }
        written = msgspec.json.encode(body).decode()
        await facts.add(made.connection, [Fact("break_glass", "g1", 1, at, household, written)])
        await epochs.bump(made.connection, {epochs.of_household(household)})
        await made.log(OPERATOR, "break_glass", household=household, private={}, public={})
    await timelines.view(context, WORKER, household, "protection")


def _with_delay(context: Context, days: int) -> Context:
    settings = msgspec.structs.replace(context.settings, accesses_delay_days=days)
    return replace(context, settings=settings)


async def test_a_look_whose_key_was_destroyed_is_left_out(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    async with context.database.writing() as connection:
        await connection.execute(
            sa.update(data_key)
            .where(data_key.c.household == household, data_key.c.kind == "log")
            .values(state=data_keys.DESTROYED, wrapped=None)
        )
    assert (await mirror(context)).uses == ()
    async with context.database.reading() as connection:
        ((shard, size),) = await looking_back.years(connection)
        rows = await looks.about(connection, Part(shard, range(size)), [household], 100)
        assert await looking_back.opened(context, connection, rows) == []


async def test_a_look_whose_key_was_taken_away_is_noticed(context: Context) -> None:
    household = await settled(context)
    await looked(context, household)
    async with context.database.writing() as connection:
        await connection.execute(
            sa.delete(data_key).where(data_key.c.household == household, data_key.c.kind == "log")
        )
    with pytest.raises(Tampered):
        await mirror(context)
