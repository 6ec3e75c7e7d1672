"""A log with entries of every sort in it, and a slow way to find some of them."""

from __future__ import annotations

from typing import Any

import msgspec
from build import (
    CARE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_directory,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.audit import KINDS
from visitsync.errors import NotAllowed, UnknownHousehold
from visitsync.schema.directory import Staff
from visitsync.service import denials, log_search, looking_back, timelines
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.log_entries import FoundEntry
from visitsync.service.log_search import LogSearch
from visitsync.service.search import search
from visitsync.service.views import Sought
from visitsync.service.writing import change
from visitsync.store import access_log, clock, epochs, facts
from visitsync.store.access_log import Row
from visitsync.store.facts import Fact

AUDITOR = Caller(kind="staff", id="auditor", scopes=frozenset({"audit"}))
OFFICER = Caller(kind="staff", id="officer", scopes=frozenset({"audit"}))
HELPER = Caller.as_staff("helper", "tests")
ONESELF = Caller(kind="staff", id="worker", scopes=frozenset({"read"}), address="192.0.2.7")
"""The case worker with their own token; `WORKER` is somebody at the shell in their place."""
UNKNOWN = "h" + "a" * 26
OFFICERS = Staff(id="officer", name="保護 五郎", role="protection_officer", agency="city")
PHONE = "000-8524-4921"


async def settled(context: Context) -> str:
    """Two families, of which one was looked at, searched for and asked about in vain."""
    await applied(context, staff=(*a_directory().staff, OFFICERS))
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(3)], SECOND_OFFICE)
    await handed_in(context, [a_visit(9, case_no="F-2", persons=OTHER_FAMILY)])
    household = await home_of(context)
    # With `contact`, so that a search by telephone finds them.
    await consented(
        context, household, categories=("attendance", "services", "identity", "contact")
    )
    return household


async def busy(context: Context, household: str) -> None:
    """Looks, searches and refusals by several people."""
    for caller in (WORKER, ONESELF, HELPER):
        await timelines.view(context, caller, household, CARE)
    await search(context, ONESELF, CARE, Sought(phone=PHONE))
    await search(context, ONESELF, CARE, Sought(case_no="nothing"))
    for caller in (Caller.as_staff("other", "tests"), Caller.as_staff("auditor", "tests")):
        try:
            await timelines.view(context, caller, household, CARE)
        except (UnknownHousehold, NotAllowed):
            await denials.record(context, caller, "timeline", about=household)


async def found(context: Context, caller: Caller = AUDITOR, **sought: Any) -> list[FoundEntry]:
    """All pages of a search."""
    return await walked(context, caller, LogSearch(**sought))


async def walked(context: Context, caller: Caller, sought: LogSearch) -> list[FoundEntry]:
    gathered: list[FoundEntry] = []
    cursor: str | None = None
    while True:
        page = await log_search.search(context, caller, sought, cursor)
        gathered += page.entries
        if (cursor := page.next) is None:
            return gathered


async def every_row(context: Context) -> list[Row]:
    async with context.database.reading() as connection:
        return [
            row
            for shard, _ in await looking_back.years(connection)
            async for row in access_log.rows(connection, shard, 0)
        ]


async def slowly(  # noqa: PLR0913 -- one for each thing that is looked for
    context: Context,
    *,
    household: str | None = None,
    actor: str | None = None,
    office: str | None = None,
    staff_of_it: tuple[str, ...] = (),
    kind: str | None = None,
    purpose: str | None = None,
    decision: str | None = None,
    start: int | None = None,
    until: int | None = None,
) -> list[tuple[str, int]]:
    """The places of the entries that fit, by reading every leaf."""
    fitting = []
    for row in await every_row(context):
        leaf = msgspec.json.decode(row.leaf)
        assert leaf["kind"] in KINDS
        who = leaf["actor"].split(" by ")
        plain = {"kind": kind, "purpose": purpose, "decision": decision}
        if (
            (household is None or row.household == household)
            and (actor is None or actor in who)
            and (
                office is None
                or leaf.get("office") == office
                or not {f"office:{office}", *(f"staff:{one}" for one in staff_of_it)}.isdisjoint(
                    who
                )
            )
            and all(want is None or leaf.get(name) == want for name, want in plain.items())
            and (start is None or row.at >= start)
            and (until is None or row.at < until)
        ):
            fitting.append((row.shard, row.seq))
    return fitting


async def newest(context: Context) -> tuple[Row, dict[str, Any]]:
    row = (await every_row(context))[-1]
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
