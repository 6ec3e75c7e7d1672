"""A city with people who protect families, and one household that several offices know."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from build import (
    CARE,
    SECOND_OFFICE,
    a_directory,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.schema.directory import Staff
from visitsync.service import blocks, closing, shields
from visitsync.service.blocks import BlockDraft
from visitsync.service.caller import Caller
from visitsync.service.closing import Kind
from visitsync.service.context import Context
from visitsync.service.shields import ShieldDraft
from visitsync.service.timelines import view
from visitsync.store import facts
from visitsync.store.facts import Fact

UNKNOWN = "h" + "a" * 26


def as_staff(who: str) -> Caller:
    """A member of staff with their own token's scopes."""
    return Caller(kind="staff", id=who, scopes=frozenset({"read", "record", "audit"}))


(
    WORKER,
    OTHER,
    CHIEF,
    SECOND_CHIEF,
    HELPER,
    NEIGHBOUR,
    AUDITOR,
    CLERK,
    PROTECTOR,
    OFFICER,
    DEPUTY,
) = (
    as_staff(one)
    for one in (
        *("worker", "other", "chief", "chief2", "helper", "neighbour", "auditor", "clerk"),
        *("protector", "officer", "deputy"),
    )
)


async def a_city(context: Context) -> None:
    """Apply it."""
    await applied(
        context,
        staff=(
            *a_directory().staff,
            Staff(id="chief2", name="課長 五郎", role="supervisor", agency="city"),
            Staff(
                id="clerk",
                name="係員 六郎",
                role="program_clerk",
                programs=("multiples",),
                agency="city",
            ),
            Staff(id="protector", name="保護 七子", role="child_protection_worker", agency="city"),
            Staff(id="officer", name="個人 八子", role="protection_officer", agency="city"),
            Staff(id="deputy", name="個人 九子", role="protection_officer", agency="city"),
            Staff(
                id="neighbour",
                name="隣 十子",
                role="program_office",
                agency="city",
                office="nurses-01",
            ),
        ),
    )


async def a_home(context: Context, **consent: Any) -> str:
    """The household, with a consent that shows its case worker where the family lives."""
    await a_city(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    home = await home_of(context)
    categories = ("attendance", "services", "identity", "contact", "notes")
    await consented(context, home, **{"categories": categories, **consent})
    return home


async def addresses(context: Context, caller: Caller, home: str, purpose: str = CARE) -> list[str]:
    """Every address in a household's timeline, for who heeds that it is protected."""
    found = await view(context, caller, home, purpose, acknowledged=True)
    return [
        str(person["address"])
        for entry in found.entries
        for person in entry.fields.get("persons", ())
        if person.get("address")
    ]


async def shielded(context: Context, home: str, caller: Caller = OFFICER, **said: Any) -> str:
    """Record a shield; answers its id."""
    return (await shields.record(context, caller, home, ShieldDraft(**said))).id


async def blocked(context: Context, home: str, *who: str, **said: Any) -> str:
    """Record a block; answers its id."""
    return (await blocks.record(context, OFFICER, home, BlockDraft(who=who, **said))).id


async def closed(context: Context, kind: Kind, one: str) -> None:
    """End a shield or block by two people."""
    await closing.ask(context, OFFICER, kind, one)
    await closing.approve(context, DEPUTY, kind, one)


async def long_ago(context: Context, kind: str, home: str, one: str, **body: Any) -> None:
    """Put a fact there as if it had been recorded in 2020."""
    written = msgspec.json.encode(body, order="sorted").decode()
    async with context.database.writing() as connection:
        await facts.add(connection, [Fact(kind, one, 1, 1_580_000_000_000_000, home, written)])


async def logged(context: Context, kind: str) -> list[dict[str, Any]]:
    """The leaves of a kind, in order."""
    async with context.database.reading() as connection:
        rows = await connection.execute(sa.text("SELECT leaf FROM log_entry ORDER BY shard, seq"))
        leaves = [msgspec.json.decode(row.leaf) for row in rows]
    return [one for one in leaves if one["kind"] == kind]


async def said(context: Context, kind: str) -> dict[str, Any]:
    """What the only fact of a kind says."""
    async with context.database.reading() as connection:
        asked = sa.text("SELECT body FROM fact WHERE kind = :kind")
        ((body,),) = (await connection.execute(asked, {"kind": kind})).all()
    return msgspec.json.decode(body, type=dict[str, Any])


async def shift(context: Context, table: str, **columns: int) -> None:
    """Put times of a table back by some microseconds, as if they had passed since."""
    moved = ", ".join(f"{name} = {name} - {by}" for name, by in columns.items())
    async with context.database.writing() as connection:
        await connection.execute(sa.text(f"UPDATE {table} SET {moved}"))  # noqa: S608 -- a test's own words
