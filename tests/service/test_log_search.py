"""Searching the access log: who may; logged before it is answered; complete; telling no place."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    OFFICE,
    OPERATOR,
    SECOND_OFFICE,
    WORKER,
    a_directory,
    applied,
    as_office,
)
from service.auditing import (
    AUDITOR,
    HELPER,
    OFFICER,
    OFFICERS,
    ONESELF,
    PHONE,
    UNKNOWN,
    busy,
    every_row,
    found,
    newest,
    protect,
    settled,
    shield,
    slowly,
    walked,
)

from visitsync.errors import BadParameter, DatabaseUnavailable, NotAllowed, NotSignedIn
from visitsync.service import denials, log_search, timelines, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.log_entries import FoundEntry
from visitsync.service.log_search import LogSearch
from visitsync.service.writing import Change, change
from visitsync.store import clock, data_keys, looks
from visitsync.store.tables import data_key

EVERYTHING = LogSearch()
APRIL = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)


async def exported(
    context: Context, caller: Caller = AUDITOR, **sought: Any
) -> list[Sequence[FoundEntry]]:
    pages = await log_search.export(context, caller, LogSearch(**sought), "csv")
    return [page async for page in pages]


def places(entries: Collection[FoundEntry]) -> list[tuple[str, int]]:
    return [(one.shard, one.seq) for one in entries]


async def erase(context: Context, household: str) -> None:
    async with context.database.writing() as connection:
        await connection.execute(
            sa.update(data_key)
            .where(data_key.c.household == household, data_key.c.kind == "log")
            .values(state=data_keys.DESTROYED, wrapped=None)
        )


# ── who may ───────────────────────────────────────────────────────────────────────────────────────
async def test_auditors_protection_officers_and_the_operator_search(context: Context) -> None:
    household = await settled(context)
    await busy(context, household)
    for caller in (AUDITOR, OFFICER, OPERATOR):
        assert await found(context, caller, household=household)
        assert await exported(context, caller, household=household)


async def test_nobody_else_does(context: Context) -> None:
    household = await settled(context)
    scopes = frozenset({"audit"})
    for caller in (
        *(WORKER, HELPER, ONESELF, as_office(OFFICE)),
        *(Caller(kind="staff", id=one, scopes=scopes) for one in ("worker", "chief", "helper")),
        Caller(kind="staff", id="nobody", scopes=scopes),
        Caller(kind="office", id=OFFICE, scopes=scopes),
        Caller(kind="staff", id="auditor", scopes=frozenset({"read", "record", "operate"})),
    ):
        for search in (LogSearch(household=household), EVERYTHING):
            with pytest.raises(NotAllowed):
                await log_search.search(context, caller, search)
            with pytest.raises(NotAllowed):
                await log_search.export(context, caller, search, "csv")


async def test_a_token_that_ends_ends_an_export(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await settled(context)
    monkeypatch.setattr(log_search, "_MOST", 2)
    issued = await tokens.issue(context, OPERATOR, subject="staff:auditor", days=1)
    caller = await tokens.authenticate(context, issued.secret)
    pages = await log_search.export(context, caller, EVERYTHING, "csv")
    assert await anext(pages)
    await tokens.revoke(context, OPERATOR, issued.token)
    with pytest.raises(NotSignedIn):
        await anext(pages)


# ── logged before it is answered ──────────────────────────────────────────────────────────────────
async def test_what_was_searched_for_is_logged_and_stands_in_the_sealed_part(
    context: Context,
) -> None:
    household = await settled(context)
    await found(context, household=household, kind="timeline_read")
    row, leaf = await newest(context)
    assert (leaf["kind"], leaf["actor"], leaf["purpose"]) == ("log_read", "staff:auditor", "audit")
    assert row.household == household
    assert household not in row.leaf
    assert "timeline_read" not in row.leaf
    await found(context, name="担当 花子", household=UNKNOWN)
    row, _ = await newest(context)
    assert row.household is None
    (told,) = [one for one in await found(context, kind="log_read") if one.seq == row.seq]
    assert told.private == {"household": UNKNOWN, "sought": ("name=担当 花子",)}
    await exported(context, household=household)
    row, leaf = await newest(context)
    assert (leaf["kind"], row.household) == ("log_exported", household)


@pytest.mark.parametrize("way", ["search", "export"])
async def test_without_an_entry_there_is_no_answer(
    context: Context, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """And nothing is read: the entry is durable before the log is looked into."""
    household = await settled(context)
    kinds: list[list[str]] = []
    about = looks.about

    async def watched(*given: Any) -> Any:
        kinds.append([msgspec.json.decode(one.leaf)["kind"] for one in await every_row(context)])
        return await about(*given)

    async def refused(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable("full")

    async def ask() -> object:
        if way == "search":
            return await found(context, household=household)
        return await exported(context, household=household)

    monkeypatch.setattr(looks, "about", watched)
    await ask()
    assert [each[-1] for each in kinds] == ["log_read" if way == "search" else "log_exported"]
    kinds.clear()
    monkeypatch.setattr(Change, "log", refused)
    with pytest.raises(DatabaseUnavailable):
        await ask()
    assert not kinds


# ── complete ──────────────────────────────────────────────────────────────────────────────────────
async def test_a_search_finds_what_reading_every_leaf_finds(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settled(context)
    await busy(context, household)
    await found(context, household=household)
    rows = await every_row(context)
    times = sorted({one.at for one in rows})
    choices: dict[str, tuple[str | int, ...]] = {
        "household": (household, UNKNOWN),
        "actor": ("staff:worker", "operator:tests", f"office:{OFFICE}", "staff:WORKER"),
        "office": (OFFICE, SECOND_OFFICE),
        "kind": ("timeline_read", "denied", "print"),
        "purpose": (CARE, "audit"),
        "decision": ("shown", "refused"),
        "start": (times[len(times) // 3],),
        "until": (times[-len(times) // 3],),
    }
    given = [(name, value) for name, values in choices.items() for value in values]
    pairs = [*itertools.combinations(given, 2), *((one,) for one in given)]
    some = 0
    for number, pair in enumerate(pairs[::3]):
        asked = {**dict.fromkeys(choices), **dict(pair)}
        most, stretch, at_once, read = ((3, 7, 2, 20), (100, 10_000, 200, 100_000))[number % 2]
        monkeypatch.setattr(log_search, "_MOST", most)
        monkeypatch.setattr(log_search, "_STRETCH", stretch)
        monkeypatch.setattr(log_search, "_AT_ONCE", at_once)
        monkeypatch.setattr(log_search, "_READ", read)
        expected = await _expected(context, asked)
        searched = places(await walked(context, AUDITOR, _sought(asked)))
        # Each page adds an entry of its own.
        searched = [one for one in searched if one[1] < len(rows)]
        assert searched == [one for one in expected if one[1] < len(rows)], asked
        some += bool(searched)
    assert some > len(pairs) / 9


async def _expected(context: Context, asked: dict[str, Any]) -> list[tuple[str, int]]:
    staff = {OFFICE: ("helper",)}.get(asked["office"], ())
    return await slowly(context, **asked, staff_of_it=staff)


def _sought(asked: dict[str, Any]) -> LogSearch:
    given: dict[str, Any] = {
        name: value for name, value in asked.items() if name not in {"start", "until"}
    }
    for name, member in (("start", "from_"), ("until", "until")):
        given[member] = None if asked[name] is None else clock.instant(asked[name])
    return LogSearch(**given)


@pytest.mark.parametrize(("most", "stretch", "read"), [(2, 1, 2), (3, 2, 100), (100, 1, 3)])
async def test_pages_miss_none_and_repeat_none_while_the_log_grows(
    context: Context, monkeypatch: pytest.MonkeyPatch, most: int, stretch: int, read: int
) -> None:
    household = await settled(context)
    await busy(context, household)
    for name, value in (("_MOST", most), ("_STRETCH", stretch), ("_READ", read)):
        monkeypatch.setattr(log_search, name, value)
    growing = 0
    for sought in (
        LogSearch(kind="timeline_read"),
        LogSearch(household=household, kind="timeline_read"),
        LogSearch(actor="staff:worker"),
    ):
        gathered: list[FoundEntry] = []
        cursor: str | None = None
        added = 0
        while True:
            page = await log_search.search(context, AUDITOR, sought, cursor)
            gathered += page.entries
            assert len(page.entries) <= most
            if (cursor := page.next) is None:
                break
            if added < 3:
                await timelines.view(context, WORKER, household, CARE)
                added += 1
        growing += added
        expected = await slowly(
            context, household=sought.household, kind=sought.kind, actor=sought.actor
        )
        assert places(gathered) == expected
    assert growing


async def test_every_page_of_everything_comes_to_an_end(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each page adds an entry; what stood there before it was asked is found, and no more."""
    await settled(context)
    monkeypatch.setattr(log_search, "_MOST", 3)
    before = [(one.shard, one.seq) for one in await every_row(context)]
    given = places(await walked(context, AUDITOR, EVERYTHING))
    assert given[: len(before)] == before
    now = [(one.shard, one.seq) for one in await every_row(context)]
    assert given == now[:-1]


async def test_an_export_is_the_search_on_one_walk(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settled(context)
    await busy(context, household)
    searched = await found(context, household=household)
    whole = len(await every_row(context))
    monkeypatch.setattr(log_search, "_MOST", 2)
    pages = await exported(context, household=household)
    assert len(pages) > 2
    given = [one for page in pages for one in page]
    assert given[: len(searched)] == searched
    assert len(await every_row(context)) == whole + 1


async def test_who_saw_a_household_between_two_instants(context: Context) -> None:
    household = await settled(context)
    await busy(context, household)
    looked = await found(context, household=household, kind="timeline_read")
    assert [one.actor.id for one in looked] == ["worker", "worker", "helper"]
    first, second, third = looked
    assert (first.actor.by, second.actor.by) == ("operator:tests", None)
    assert (second.actor.name, second.actor.agency) == ("担当 花子", "試験市")
    assert (second.actor.roles, second.purpose, second.decision) == (
        ("case_worker",),
        CARE,
        "shown",
    )
    assert third.actor.offices == (OFFICE,)
    assert second.private is not None
    assert second.private["household"] == household
    assert second.private["client"] == "192.0.2.7"
    between = await found(
        context, household=household, kind="timeline_read", from_=second.at, until=third.at
    )
    assert between == [second]


async def test_a_name_finds_all_that_a_person_did_and_a_wrong_one_nothing(
    context: Context,
) -> None:
    household = await settled(context)
    await busy(context, household)
    by_id = await found(context, actor="staff:worker")
    assert by_id
    assert await found(context, name="担当　花子") == by_id
    assert await found(context, name="担当") == []


async def test_what_an_office_did_is_found_for_as_long_as_somebody_was_its_staff(
    context: Context,
) -> None:
    household = await settled(context)
    await busy(context, household)
    kinds = {one.kind for one in await found(context, office=OFFICE)}
    assert kinds == {"submission", "timeline_read"}
    assert {one.kind for one in await found(context, office=SECOND_OFFICE)} == {"submission"}
    moved = tuple(
        msgspec.structs.replace(one, office=SECOND_OFFICE) if one.id == "helper" else one
        for one in a_directory().staff
    )
    await applied(context, staff=(*moved, OFFICERS))
    await timelines.view(context, HELPER, household, CARE)
    looks_of: dict[str, Any] = {"kind": "timeline_read", "actor": "staff:helper"}
    before, after = await found(context, **looks_of)
    assert await found(context, office=OFFICE, **looks_of) == [before]
    assert await found(context, office=SECOND_OFFICE, **looks_of) == [after]


@pytest.mark.parametrize(
    ("sought", "where"),
    [
        ({"kind": "nothing"}, "kind"),
        ({"purpose": "nothing"}, "purpose"),
        ({"decision": "No"}, "decision"),
        ({"actor": "worker"}, "actor"),
        ({"actor": "staff:wo%\nrker"}, "actor"),
        ({"from_": APRIL, "until": APRIL}, "until"),
    ],
)
async def test_what_cannot_be_found_is_refused(
    context: Context, sought: dict[str, Any], where: str
) -> None:
    await settled(context)
    with pytest.raises(BadParameter) as raised:
        await found(context, **sought)
    assert raised.value.where == where


@pytest.mark.parametrize("cursor", ["", "x", "1999-1", "2026-", "2026-1x", "2026-" + "9" * 40])
async def test_a_cursor_of_nothing_is_refused(context: Context, cursor: str) -> None:
    await settled(context)
    with pytest.raises(BadParameter):
        await log_search.search(context, AUDITOR, EVERYTHING, cursor)


# ── what is not told ──────────────────────────────────────────────────────────────────────────────
async def test_an_unknown_household_and_one_never_looked_at_are_answered_alike(
    context: Context,
) -> None:
    household = await settled(context)
    await protect(context, "block", household, who=["viewer:auditor"])
    await busy(context, household)
    given = {
        msgspec.json.encode(
            await log_search.search(context, AUDITOR, LogSearch(household=one, kind=kind))
        )
        for one, kind in (
            (household, None),
            (household, "timeline_read"),
            (UNKNOWN, None),
            ("' or 1=1", None),
            ("", None),
        )
    }
    never = await log_search.search(context, OFFICER, LogSearch(household=household, kind="print"))
    assert {*given, msgspec.json.encode(never)} == {b'{"entries":[],"next":null}'}


async def test_terms_of_a_search_are_never_told(context: Context) -> None:
    """Shielded or not: only what kinds of terms they were."""
    household = await settled(context)
    await busy(context, household)
    for protected in (False, True):
        if protected:
            await shield(context, household)
        given = await found(context)
        searches = [one for one in given if one.kind == "search"]
        assert [one.private and one.private["searched_by"] for one in searches] == [
            ("phone",),
            ("case_no",),
        ]
        assert all("terms" in one.withheld for one in searches)
        text = msgspec.json.encode(given).decode()
        assert PHONE not in text
        assert "夕凪台" not in text


async def test_under_a_shield_nothing_tells_where(context: Context) -> None:
    household = await settled(context)
    members = ("text", "reason", "members", "recipients", "who")
    for member in members:
        async with change(context, OPERATOR) as made:
            await made.log(
                Caller(kind="staff", id="helper", scopes=frozenset(), address="198.51.100.3"),
                "break_glass",
                household=household,
                private={member: [f"office:{OFFICE}", "夕凪台4-21-15"], "hours": 2},
                public={"office": OFFICE, "basis": f"C1:office:{OFFICE} C3:d1@1"},
            )
    await timelines.view(context, HELPER, household, CARE)
    await denials.record(context, as_office(OFFICE), "visits", about=household)

    def telling(entries: Collection[FoundEntry]) -> set[str]:
        text = msgspec.json.encode(entries).decode()
        return {one for one in ("夕凪台", "198.51.100.3", OFFICE) if one in text}

    open_ones = await found(context, kind="break_glass")
    assert telling(open_ones) == {"夕凪台", "198.51.100.3", OFFICE}
    await shield(context, household)
    about = await found(context, household=household)
    assert telling(about) == set()
    assert all(one.protected for one in about)
    hidden = [one for one in about if one.kind == "break_glass"]
    assert [set(one.withheld) for one in hidden] == [{"client", one} for one in members]
    assert {one.basis for one in hidden} == {"C1:office C3:d1@1"}
    assert {one.actor.name for one in hidden} == {"支援 三郎"}
    refused = [one for one in await found(context, kind="denied") if one.protected]
    assert [(one.actor.kind, one.actor.id, one.office) for one in refused] == [
        ("office", None, None)
    ]


async def test_whom_a_block_names_is_told_of_its_entries_like_of_erased_ones(
    context: Context,
) -> None:
    household = await settled(context)
    await shield(context, household)
    await protect(context, "block", household, who=["viewer:auditor"])
    await busy(context, household)
    for one in await found(context, kind="timeline_read"):
        assert (one.private, one.erased, one.protected, one.withheld) == (None, True, False, ())
    assert household not in msgspec.json.encode(await found(context)).decode()
    assert household in msgspec.json.encode(await found(context, OFFICER)).decode()


async def test_a_member_that_no_list_names_is_named_and_not_told(context: Context) -> None:
    household = await settled(context)
    async with change(context, OPERATOR) as made:
        await made.log(
            OPERATOR,
            "print",
            household=household,
            private={"household": household, "said": "夕凪台", "new": "夕凪台"},
            public={},
        )
    (one,) = await found(context, kind="print")
    assert one.private == {"household": household}
    assert one.withheld == ("new", "said")


async def test_an_erased_entry_is_found_and_says_so(context: Context) -> None:
    household = await settled(context)
    await busy(context, household)
    before = await found(context, household=household)
    await erase(context, household)
    after = await found(context, household=household)
    assert places(after)[: len(before)] == places(before)
    assert {(one.private, one.erased) for one in after} == {(None, True)}
    opening = next(iter(await found(context)))
    assert (opening.kind, opening.private, opening.erased) == ("year_opened", None, False)


async def test_a_key_that_was_taken_away_hides_no_other_entry(context: Context) -> None:
    """Its entries say that nobody can open them; a page without them would help who took it."""
    household = await settled(context)
    await busy(context, household)
    async with context.database.writing() as connection:
        await connection.execute(
            sa.delete(data_key).where(data_key.c.household == household, data_key.c.kind == "log")
        )
    entries_ = await found(context, kind="timeline_read")
    assert {one.erased for one in entries_} == {True}
    assert any(one.private for one in await found(context))
