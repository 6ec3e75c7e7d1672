"""Erasing a household: two people, a period, and nothing that opens it afterwards."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from build import CARE, OFFICE, OPERATOR, a_visit, handed_in, home_of
from service.erased import openable
from service.protected import (
    AUDITOR,
    CHIEF,
    CLERK,
    OFFICER,
    SECOND_CHIEF,
    WORKER,
    a_city,
    a_home,
    blocked,
)

from visitsync.audit import NoteVerifier, open_certificate
from visitsync.errors import (
    BadParameter,
    DatabaseUnavailable,
    NotAllowed,
    NotNow,
    TombstonesError,
    UnknownHousehold,
)
from visitsync.retention import shipped
from visitsync.service import (
    data_rotation,
    entries,
    erasing,
    erasures,
    executing,
    holds,
    log_search,
    messages,
    sought,
)
from visitsync.service.accesses import accesses
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.erasures import ErasureDraft
from visitsync.service.executing import Done
from visitsync.service.holds import HoldDraft
from visitsync.service.keyring import LOG
from visitsync.service.log_search import LogSearch
from visitsync.service.looking_back import Period
from visitsync.service.search import search
from visitsync.service.timelines import view
from visitsync.service.views import Sought
from visitsync.settings import Settings
from visitsync.signer import Tombstones
from visitsync.store import access_log, clock, data_keys, emergencies, facts
from visitsync.store.emergencies import Emergency
from visitsync.store.tables import METADATA, data_key

DRAFT = ErasureDraft(ground="family_request", reason="the family moved and asks for it")
DAY = 86_400_000_000
LONG_AFTER = 60 * DAY


async def now(context: Context) -> int:
    async with context.database.reading() as connection:
        return await clock.now(connection)


async def decided(context: Context, home: str, draft: ErasureDraft = DRAFT) -> str:
    asked = await erasures.ask(context, WORKER, home, draft)
    return (await erasures.decide(context, CHIEF, asked.id)).id


async def run(context: Context, after: int = LONG_AFTER) -> list[Done]:
    return await executing.run(context, OPERATOR, now=await now(context) + after)


async def erased(context: Context, home: str, draft: ErasureDraft = DRAFT) -> Done:
    await decided(context, home, draft)
    (done,) = await run(context)
    assert done.outcome == "erased"
    return done


async def kinds_of_keys(context: Context, home: str) -> dict[str, str]:
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    assert all((one.state == "active") == (one.wrapped is not None) for one in rows)
    return {f"{one.program}/{one.kind}": one.state for one in rows}


async def log_of(context: Context) -> list[tuple[dict[str, Any], access_log.Row]]:
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        rows = [one async for one in access_log.rows(connection, head.shard, 0)]
    return [(msgspec.json.decode(one.leaf), one) for one in rows]


# ── two people ────────────────────────────────────────────────────────────────────────────────────
async def test_one_asks_another_decides_and_only_its_day_erases(context: Context) -> None:
    home = await a_home(context)
    asked = await erasures.ask(context, WORKER, home, DRAFT)
    assert asked.due_at is None
    assert await run(context) == []
    standing = await erasures.decide(context, CHIEF, asked.id)
    assert standing.due_at is not None
    days = shipped().grounds["family_request"].announce_days
    assert standing.due_at - asked.asked_at >= dt.timedelta(days=days)
    assert await run(context, (days - 1) * DAY) == []
    assert await openable(context, [home]) == {home}
    (done,) = await run(context, (days + 1) * DAY)
    assert (done.id, done.outcome) == (asked.id, "erased")
    assert await openable(context, [home]) == set()
    assert await run(context) == []


async def test_the_same_person_in_two_sessions_does_not_decide(context: Context) -> None:
    home = await a_home(context)
    scopes = frozenset({"record"})
    one, other = (
        Caller(kind="staff", id="chief", scopes=scopes, request=name) for name in ("a", "b")
    )
    asked = await erasures.ask(context, one, home, DRAFT)
    with pytest.raises(NotAllowed):
        await erasures.decide(context, other, asked.id)
    assert (await erasures.decide(context, SECOND_CHIEF, asked.id)).decided_by == "staff:chief2"


async def test_operators_are_two_as_well(context: Context) -> None:
    home = await a_home(context)
    asked = await erasures.ask(context, OPERATOR, home, DRAFT)
    with pytest.raises(NotAllowed):
        await erasures.decide(context, Caller.operator("tests"), asked.id)
    await erasures.decide(context, Caller.operator("custodian"), asked.id)


async def test_who_may_not_know_of_it_is_told_what_is_told_of_none(context: Context) -> None:
    home = await a_home(context)
    asked = await erasures.ask(context, WORKER, home, DRAFT)
    await blocked(context, home, "viewer:chief2")
    for ask in (home, "h" + "a" * 26, "no id"):
        with pytest.raises(UnknownHousehold):
            await erasures.ask(context, SECOND_CHIEF, ask, DRAFT)
    for one in (asked.id, "e" + "a" * 26, "\x00"):
        with pytest.raises(UnknownHousehold):
            await erasures.decide(context, SECOND_CHIEF, one)
        with pytest.raises(UnknownHousehold):
            await erasures.withdraw(context, SECOND_CHIEF, one)
    for role in (CLERK, AUDITOR):
        with pytest.raises(NotAllowed):
            await erasures.ask(context, role, home, DRAFT)
    with pytest.raises(NotAllowed):  # a case worker asks, and does not decide
        await erasures.decide(context, WORKER, (await other_request(context)).id)


async def other_request(context: Context) -> erasures.ErasureStanding:
    await handed_in(context, [a_visit(9, case_no="F-2", persons=())])
    return await erasures.ask(context, OPERATOR, await home_of(context, "F-2"), DRAFT)


async def test_what_is_malformed_or_asked_twice_is_refused(context: Context) -> None:
    home = await a_home(context)
    for draft in (
        ErasureDraft(ground="because", reason="x"),
        ErasureDraft(ground="family_request", reason="  "),
    ):
        with pytest.raises(BadParameter):
            await erasures.ask(context, WORKER, home, draft)
    one = await decided(context, home)
    for again in (
        erasures.ask(context, OFFICER, home, DRAFT),
        erasures.decide(context, CHIEF, one),
    ):
        with pytest.raises(NotNow):
            await again


async def test_it_is_announced_and_can_be_taken_back(context: Context) -> None:
    home = await a_home(context)
    one = await decided(context, home)
    told = {(each.kind, each.about) for each in (await messages.mine(context, WORKER)).messages}
    assert ("erasure_announced", one) in told
    told = {(each.kind, each.about) for each in (await messages.mine(context, OFFICER)).messages}
    assert {("erasure_asked", one), ("erasure_announced", one)} <= told
    assert (await erasures.withdraw(context, WORKER, one)).outcome == "withdrawn"
    assert await run(context) == []
    assert await openable(context, [home]) == {home}
    with pytest.raises(NotNow):
        await erasures.withdraw(context, WORKER, one)
    await erasures.ask(context, WORKER, home, DRAFT)


# ── holds ─────────────────────────────────────────────────────────────────────────────────────────
async def test_while_a_hold_stands_nothing_is_decided_or_erased(context: Context) -> None:
    home = await a_home(context)
    one = await decided(context, home)
    hold = await holds.place(context, OFFICER, home, HoldDraft(reason="a court asks for it"))
    assert [each.outcome for each in await run(context)] == ["held"]
    assert await openable(context, [home]) == {home}
    with pytest.raises(NotNow):
        await holds.lift(context, CHIEF, hold.id)
    await holds.ask_to_lift(context, OFFICER, hold.id)
    with pytest.raises(NotAllowed):
        await holds.lift(context, OFFICER, hold.id)
    await holds.lift(context, CHIEF, hold.id)
    assert [(each.id, each.outcome) for each in await run(context)] == [(one, "erased")]


async def test_what_is_held_is_not_decided(context: Context) -> None:
    home = await a_home(context)
    asked = await erasures.ask(context, WORKER, home, DRAFT)
    await holds.place(context, WORKER, home, HoldDraft(reason="an inquiry"))
    with pytest.raises(NotNow) as raised:
        await erasures.decide(context, CHIEF, asked.id)
    assert raised.value.where == "held"


# ── what is left ──────────────────────────────────────────────────────────────────────────────────
async def test_every_key_is_destroyed_and_none_is_made_anew(context: Context) -> None:
    home = await a_home(context)
    before = await kinds_of_keys(context, home)
    assert set(before.values()) == {"active"}
    done = await erased(context, home)
    assert await kinds_of_keys(context, home) == dict.fromkeys(before, "destroyed")
    for place in ((home, "multiples", "records"), (home, "perinatal_helper", "records")):
        row = context.keyring.row(place, bytes(32), 1)
        with pytest.raises(DatabaseUnavailable):
            async with context.database.writing() as connection:
                await data_keys.add(connection, [row])
    assert done.certificate is not None
    told = open_certificate(done.certificate, [NoteVerifier(context.log.vkey)])
    assert (told.erasure, told.ground, told.log) == (done.id, "family_request", "destroyed")
    assert (told.asked_by, told.decided_by) == ("staff:worker", "staff:chief")
    assert (told.keys, told.reports, told.registrations) == (len(before), 3, 2)
    leaf, row_ = next(one for one in await log_of(context) if one[0]["seq"] == told.index)
    assert (leaf["kind"], leaf["basis"]) == ("key_shredded", f"{done.id} family_request")
    assert row_.household is None
    assert home not in done.certificate
    assert await executing.certificate(context, OPERATOR, done.id) == done.certificate
    with pytest.raises(BadParameter):
        await executing.certificate(context, OPERATOR, "e" + "a" * 26)


async def test_nobody_can_tell_it_from_none_and_pages_go_on(context: Context) -> None:
    """Timelines, who looked, the auditors' search: what is gone is told as erased."""
    home = await a_home(context)
    await handed_in(context, [a_visit(9, case_no="F-2", persons=())])
    other = await home_of(context, "F-2")
    await view(context, WORKER, home, CARE)
    await erased(context, home)
    for one in (home, "h" + "a" * 26):
        with pytest.raises(UnknownHousehold):
            await view(context, WORKER, one, CARE)
        with pytest.raises(UnknownHousehold):
            await accesses(context, AUDITOR, one, "audit", Period())
    assert (await accesses(context, AUDITOR, other, "audit", Period())).accesses == ()
    page = await log_search.search(context, AUDITOR, LogSearch())
    gone = [one for one in page.entries if one.erased]
    assert {"timeline_read", "directive_recorded", "erasure"} <= {one.kind for one in gone}
    assert all(one.private is None for one in gone)
    assert any(one.private for one in page.entries)


async def test_a_missing_log_key_fails_no_page(context: Context) -> None:
    """Taken away past the service, not even marked as destroyed."""
    home = await a_home(context)
    await view(context, WORKER, home, CARE)
    async with context.database.writing() as connection:
        delete = data_key.delete().where(data_key.c.household == home)
        await connection.execute(delete)
    page = await log_search.search(context, AUDITOR, LogSearch())
    assert any(one.erased for one in page.entries)
    assert any(one.private for one in page.entries)


async def test_terms_of_a_search_go_with_the_first_household_it_found(context: Context) -> None:
    home = await a_home(context)
    given = Sought(name="試験 花子", birth_date="1991-09-14")
    found = await search(context, WORKER, CARE, given)
    assert [one.household for one in found.households] == [home]
    nobody = Sought(name="試験 花子", birth_date="1992-09-14")
    await search(context, WORKER, CARE, nobody)
    both = [
        {"name": "試験 花子", "birth_date": "1991-09-14"},
        {"name": "試験 花子", "birth_date": "1992-09-14"},
    ]
    assert await terms(context) == both
    await data_rotation.rotate(context, OPERATOR, grace=0)  # terms stay under the version of then
    assert await terms(context) == both
    await erased(context, home)
    assert await terms(context) == [None, {"name": "試験 花子", "birth_date": "1992-09-14"}]


async def terms(context: Context) -> list[Any]:
    found = []
    async with context.database.reading() as connection:
        for leaf, row in await log_of(context):
            if leaf["kind"] == "search":
                stored = await data_keys.of_households(connection, [""])
                general = context.keyring.opened(stored)["", "", LOG]
                private = entries.open_private(context.keyring, general, row)
                logs = await data_keys.of_logs(connection, private["households"])
                keys = context.keyring.opened(logs)
                found.append(sought.opened(context.keyring, keys, private))
    return found


async def test_of_a_protected_household_the_log_is_kept_by_its_own_rule(context: Context) -> None:
    home = await a_home(context)
    await blocked(context, home, "viewer:neighbour")
    done = await erased(context, home)
    states = await kinds_of_keys(context, home)
    assert {one for one, state in states.items() if state == "active"} == {f"/{LOG}"}
    assert done.certificate is not None
    assert "\nlog by_rule\n" in done.certificate
    years = 365 * DAY
    assert await run(context, 7 * years - 10 * DAY) == []
    assert [one.outcome for one in await run(context, 7 * years + 5 * DAY)] == ["log_erased"]
    assert set((await kinds_of_keys(context, home)).values()) == {"destroyed"}
    assert await run(context, 8 * years) == []


async def test_what_is_handed_in_once_more_stays_erased_and_what_is_new_is_a_new_household(
    context: Context,
) -> None:
    home = await a_home(context)
    await erased(context, home)
    await a_city(context)  # the directory's caseloads name it by its case numbers still
    again = await handed_in(context, [a_visit(1), a_visit(2)])
    assert [one.codes for one in again.records] == [("erased",)] * 2
    assert again.counts.rejected == 2
    tomorrow = dt.date.today() + dt.timedelta(days=2)  # noqa: DTZ011 -- as the database has it
    new = await handed_in(context, [a_visit(3, date=tomorrow)])
    assert new.counts.created == 1
    assert new.linking.new == 1
    found = await home_of(context)
    assert found != home
    async with context.database.reading() as connection:
        cases = await facts.caseloads(connection, ["worker"])
    assert found in cases["worker"]
    assert home not in cases["worker"]
    assert await openable(context, [home, found]) == {found}
    assert set((await kinds_of_keys(context, home)).values()) == {"destroyed"}


# ── other processes ───────────────────────────────────────────────────────────────────────────────
async def test_a_look_that_was_decided_before_is_not_answered_after(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process has the keys in memory and the visits read; its look is decided anew."""
    async with open_context(settings) as one, open_context(settings) as other:
        home = await a_home(one)
        assert (await view(other, WORKER, home, CARE)).entries
        decided_ = await decided(one, home)
        look = other.log.look
        done: list[Done] = []

        async def after_the_erasure(*given: Any) -> bool:
            if not done:
                done.extend(await run(one))
            return await look(*given)

        monkeypatch.setattr(other.log, "look", after_the_erasure)
        with pytest.raises(UnknownHousehold):
            await view(other, WORKER, home, CARE)
        assert [each.id for each in done] == [decided_]


async def test_what_another_process_keeps_in_memory_opens_nothing(settings: Settings) -> None:
    """Even if rows came back without their keys, and before a minute has passed."""
    async with open_context(settings) as one, open_context(settings) as other:
        home = await a_home(one)
        assert (await view(other, WORKER, home, CARE)).entries
        rows = await rows_of(one, home)
        await erased(one, home)
        assert other.keyring.kept({(home, "multiples", "records"): ()})
        async with one.database.writing() as connection:
            for table, values in rows:
                await connection.execute(table.insert(), values)
        with pytest.raises(UnknownHousehold):
            await view(other, WORKER, home, CARE)
        assert other.keyring.kept({(home, "multiples", "records"): ()}) is None


async def rows_of(context: Context, home: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Visits, facts, and caseloads: all that a look is decided by."""
    from_tables = []
    async with context.database.reading() as connection:
        for name in ("visit", "fact", "caseload"):
            table = METADATA.tables[name]
            rows = await connection.execute(table.select().where(table.c.household == home))
            from_tables.append((table, [dict(one) for one in rows.mappings()]))
    return from_tables


# ── what may fail ─────────────────────────────────────────────────────────────────────────────────
async def test_what_has_begun_is_finished_and_not_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tombstone was written, and the transaction undone."""
    async with open_context(settings) as context:
        home = await a_home(context)
        one = await decided(context, home)

        async def fails(*_: Any) -> None:
            raise DatabaseUnavailable("gone")

        with monkeypatch.context() as patched:
            patched.setattr(erasing, "destroy", fails)
            with pytest.raises(DatabaseUnavailable):
                await run(context)
        assert await openable(context, [home]) == {home}
        with pytest.raises(NotNow):
            await erasures.withdraw(context, WORKER, one)
        with pytest.raises(NotNow):
            await holds.place(context, WORKER, home, HoldDraft(reason="too late"))
        assert [each.outcome for each in await run(context)] == ["erased"]
        assert len(Tombstones(settings.tombstone_file).read()) == 2


async def test_nothing_is_erased_that_could_not_be_remembered(
    context: Context, tmp_path: Path
) -> None:
    home = await a_home(context)
    await decided(context, home)
    context.settings.tombstone_file.rename(tmp_path / "elsewhere")
    with pytest.raises(TombstonesError):
        await run(context)
    assert await openable(context, [home]) == {home}
    (tmp_path / "elsewhere").rename(context.settings.tombstone_file)


async def test_sqlite_keeps_no_byte_of_a_destroyed_key(context: Context) -> None:
    if context.database.name != "sqlite":
        pytest.skip("PostgreSQL is asked to free the rows; its disk is not read here")
    home = await a_home(context)
    async with context.database.reading() as connection:
        rows = await data_keys.of_households(connection, [home])
    wrapped = [bytes(one.wrapped) for one in rows if one.wrapped is not None]
    await context.database.scrub()
    assert all(one in on_disk(context) for one in wrapped)
    await erased(context, home)
    assert not any(one[10:] in on_disk(context) for one in wrapped)


def on_disk(context: Context) -> bytes:
    return b"".join(one.read_bytes() for one in context.settings.data_dir.glob("visitsync.db*"))


async def test_the_office_is_known_by_its_own_name_only(context: Context) -> None:
    """Nobody but staff and operators erases."""
    home = await a_home(context)
    office = Caller(kind="office", id=OFFICE, scopes=frozenset({"submit", "record"}))
    with pytest.raises(NotAllowed):
        await erasures.ask(context, office, home, DRAFT)


async def test_while_an_emergency_access_waits_for_its_open_review_nothing_is_erased(
    context: Context,
) -> None:
    home = await a_home(context)
    await decided(context, home)
    at = await now(context)
    async with context.database.writing() as connection:
        await emergencies.add(
            connection,
            Emergency("g1", home, "worker", "city", None, "child_in_danger", "notes", 1, at),
        )
    assert [one.outcome for one in await run(context)] == ["review_open"]
    assert await openable(context, [home]) == {home}
    async with context.database.writing() as connection:
        await emergencies.update(connection, "g1", outcome="justified", reviewed_at=at)
    assert [one.outcome for one in await run(context)] == ["erased"]
