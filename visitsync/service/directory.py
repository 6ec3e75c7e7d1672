"""Keeping the directory: agencies, offices, staff, caseloads and layouts, from one file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import DirectoryError
from visitsync.fields.layout import Layout
from visitsync.fields.layout_file import parse as parse_layout
from visitsync.schema.directory import Agency, Directory, Municipality, Office, Staff
from visitsync.schema.silent import Struct
from visitsync.service import entries, staffing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import registration_id
from visitsync.service.keyring import LOG, STAFF, held
from visitsync.store import clock, data_keys, directory, epochs, households
from visitsync.store.directory import Rows


class Wanted(Struct, frozen=True, kw_only=True):
    """What the installation should know after applying."""

    directory: Directory
    households: Mapping[str, tuple[tuple[str, str], ...]] = {}
    """The labels that caseloads and directives name, each with its registrations: office and case
    number."""
    layouts: tuple[str, ...] = ()
    """The TOML texts of layouts."""


class Change(Struct, frozen=True, kw_only=True, order=True):
    """One difference between the file and what is known."""

    kind: str
    """``municipality``, ``agency``, ``office``, ``staff``, ``caseload``, ``directive``,
    ``layout``."""
    id: str
    what: str
    """``added``, ``changed`` or ``ended``."""
    fields: tuple[str, ...] = ()
    """Which members change; no values, since names of staff are among them."""


class Difference(Struct, frozen=True, kw_only=True):
    """What applying would change; empty where nothing differs."""

    changes: tuple[Change, ...]


class _Plan(Struct, frozen=True, kw_only=True):
    """What is known beside what is wanted."""

    known: Directory | None
    wanted: Directory
    claims: frozenset[staffing.Claim]
    wanted_claims: frozenset[staffing.Claim]
    layouts: Mapping[tuple[str, str], str]
    wanted_layouts: Mapping[tuple[str, str], str]

    def changes(self) -> list[Change]:
        known = self.known
        found = []
        for kind in _PARTS:
            before = {} if known is None else _by_id(getattr(known, kind))
            found += _compared(kind, before, _by_id(getattr(self.wanted, kind)))
        city = {} if known is None else {known.municipality.code: known.municipality}
        wanted_city = {self.wanted.municipality.code: self.wanted.municipality}
        found += _compared("municipality", city, wanted_city)
        people = {person for person, _, _ in self.claims ^ self.wanted_claims}
        found += [Change(kind="caseload", id=one, what="changed") for one in people]
        found += _compared("layout", _named(self.layouts), _named(self.wanted_layouts))
        return sorted(found)


_PARTS: Final = ("agency", "office", "staff")


async def plan(context: Context, wanted: Wanted) -> Difference:
    """What `apply` would change.

    Raises:
        DirectoryError: it contradicts itself or what is known.
        LayoutError: a layout says not what a layout must say.
    """
    async with context.database.reading() as connection:
        found = await _plan(context, connection, wanted)
        return Difference(changes=tuple(found.changes()))


async def apply(context: Context, caller: Caller, wanted: Wanted) -> Difference:
    """Make the directory as wanted; staff and offices that are gone from the file end.

    Directives are recorded for the households that are known by their registrations now; apply
    the file again once the offices have handed in.

    Raises:
        DirectoryError: it contradicts itself or what is known, such as an office's program.
        LayoutError: a layout says not what a layout must say.
        NotAllowed: the caller is no operator.
    """
    caller.must("operate")
    async with context.log.writing() as turn:
        connection = turn.connection
        await directory.lock_offices(connection)
        await households.hold_intake(connection)
        head = await turn.hold()
        at = max(head.now, head.last_at)
        found = await _plan(context, connection, wanted)
        changes = found.changes()
        general = context.keyring.opened(await data_keys.of_households(connection, [""]))
        key = held(general, ("", "", STAFF))
        sealed = {
            one.id: staffing.Sealed(
                context.keyring.seal_general(key, STAFF, one.id, msgspec.json.encode(one)),
                key.version,
            )
            for one in wanted.directory.staff
        }
        await _put(connection, found, changes, sealed, at)
        told = await staffing.directives(
            connection, wanted.directory.directive, await _homes(context, connection, wanted), at
        )
        changes += [Change(kind="directive", id=one, what=what) for one, what in told]
        if changes:
            await epochs.bump(connection, {epochs.DIRECTORY})
            draft = entries.draft(
                context.keyring,
                caller,
                "directory_applied",
                held(general, ("", "", LOG)),
                household=None,
                private={"changes": msgspec.to_builtins(changes)},
                public={"records": len(changes)},
            )
            await turn.append([draft])
    return Difference(changes=tuple(changes))


async def current(context: Context) -> Directory:
    """The directory as it is known now, without directives.

    Raises:
        DirectoryError: none was applied yet.
    """
    async with context.database.reading() as connection:
        return await known_directory(context, connection)


async def known_directory(context: Context, connection: AsyncConnection) -> Directory:
    """The same, on an open connection."""
    found = await _known(context, connection)
    if found is None:
        raise DirectoryError("No directory was applied yet; run visitsync directory apply")
    return found


async def office_of(connection: AsyncConnection, office: str) -> Office | None:
    """An office that has not ended."""
    rows = await directory.read(connection)
    return next((_office(row) for row in rows.offices if row["id"] == office), None)


async def known_layouts(connection: AsyncConnection, office: str) -> tuple[Layout, ...]:
    """The layouts of an office's files."""
    found = await directory.layouts(connection)
    return tuple(parse_layout(body) for (owner, _), body in found.items() if owner == office)


# ── what is known and what is wanted ──────────────────────────────────────────────────────────────
async def _plan(context: Context, connection: AsyncConnection, wanted: Wanted) -> _Plan:
    known = await _known(context, connection)
    _refuse_contradictions(known, wanted)
    return _Plan(
        known=known,
        wanted=wanted.directory,
        claims=await directory.claims(connection),
        wanted_claims=_claims(context, wanted),
        layouts=await directory.layouts(connection),
        wanted_layouts=_layouts(wanted),
    )


def _refuse_contradictions(known: Directory | None, wanted: Wanted) -> None:
    labels = {label for person in wanted.directory.staff for label in person.caseload}
    labels |= {one.household for one in wanted.directory.directive}
    for label in sorted(labels - wanted.households.keys()):
        raise DirectoryError(
            "No registration is given for the household; add it to the households beside the "
            "directory",
            where=label,
        )
    for office in () if known is None else known.office:
        new = wanted.directory.office_by_id(office.id)
        if new is not None and new.program != office.program:
            raise DirectoryError(
                "An office's program never changes; give the new one an id of its own",
                where=f"office {office.id}",
            )


async def _known(context: Context, connection: AsyncConnection) -> Directory | None:
    rows = await directory.read(connection)
    if rows.municipality is None:
        return None
    keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    key = held(keys, ("", "", STAFF))
    return Directory(
        municipality=_municipality(rows),
        agency=tuple(Agency(id=r["id"], name=r["name"], kind=r["kind"]) for r in rows.agencies),
        office=tuple(_office(row) for row in rows.offices),
        staff=tuple(
            msgspec.json.decode(
                context.keyring.open_general(
                    key, STAFF, row["id"], row["sealed"], row["key_version"]
                ),
                type=Staff,
            )
            for row in rows.staff
        ),
    )


def _municipality(rows: Rows) -> Municipality:
    told = {name: value for name, value in (rows.municipality or {}).items() if name != "only"}
    return Municipality(**told)


def _office(row: Mapping[str, Any]) -> Office:
    told = {name: value for name, value in row.items() if name != "ended_at"}
    told["contract_from"] = clock.date(row["contract_from"])
    told["contract_to"] = None if row["contract_to"] is None else clock.date(row["contract_to"])
    return Office(**told)


def _office_row(office: Office) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.structs.asdict(office)
    for name in ("contract_from", "contract_to"):
        row[name] = clock.day(row[name]) if isinstance(row[name], dt.date) else None
    return row | {"ended_at": None}


def _claims(context: Context, wanted: Wanted) -> frozenset[staffing.Claim]:
    index = context.keyring.ids
    return frozenset(
        (person.id, label, registration_id(index, office, case_no, ""))
        for person in wanted.directory.staff
        for label in person.caseload
        for office, case_no in wanted.households[label]
    )


def _layouts(wanted: Wanted) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for text in wanted.layouts:
        layout = parse_layout(text)
        name = (layout.office, f"{layout.holds}: {layout.title}")
        if name in found or wanted.directory.office_by_id(layout.office) is None:
            raise DirectoryError("The layout stands twice, or its office is unknown", where=name[1])
        found[name] = text
    return found


def _by_id(parts: tuple[Any, ...]) -> dict[str, Any]:
    return {part.id: part for part in parts}


def _named(layouts: Mapping[tuple[str, str], str]) -> dict[str, str]:
    return {f"{office} {name}": text for (office, name), text in layouts.items()}


def _compared(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    found = [Change(kind=kind, id=one, what="added") for one in after.keys() - before.keys()]
    found += [Change(kind=kind, id=one, what="ended") for one in before.keys() - after.keys()]
    for one in after.keys() & before.keys():
        if after[one] != before[one]:
            fields = _differing(before[one], after[one])
            found.append(Change(kind=kind, id=one, what="changed", fields=fields))
    return found


def _differing(before: object, after: object) -> tuple[str, ...]:
    if not isinstance(before, msgspec.Struct):
        return ()
    names = before.__struct_fields__
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


# ── making it so ──────────────────────────────────────────────────────────────────────────────────
async def _put(
    connection: AsyncConnection,
    found: _Plan,
    changes: list[Change],
    sealed: Mapping[str, staffing.Sealed],
    at: int,
) -> None:
    touched = {(one.kind, one.id) for one in changes if one.what != "ended"}
    ended = {
        kind: [one.id for one in changes if one.kind == kind and one.what == "ended"]
        for kind in _PARTS
    }
    wanted = found.wanted
    city = msgspec.structs.asdict(wanted.municipality) | {"only": 1}
    await directory.put(connection, "municipality", [city])
    agencies = [
        msgspec.structs.asdict(one) | {"ended_at": None}
        for one in wanted.agency
        if ("agency", one.id) in touched
    ]
    offices = [_office_row(one) for one in wanted.office if ("office", one.id) in touched]
    await directory.put(connection, "agency", agencies)
    await directory.put(connection, "office", offices)
    for kind, gone in ended.items():
        await directory.end(connection, kind, gone, at)
    people = [one for one in wanted.staff if ("staff", one.id) in touched]
    await staffing.put(connection, people, sealed, at)
    await staffing.end(connection, ended["staff"], ended["office"], at)
    await staffing.claim(connection, found.claims, found.wanted_claims, at)
    old_layouts = found.layouts.keys() - found.wanted_layouts.keys()
    await directory.remove_layouts(connection, old_layouts)
    rows = [
        {"office": office, "name": name, "body": body}
        for (office, name), body in found.wanted_layouts.items()
    ]
    await directory.put(connection, "layout", rows)


async def _homes(
    context: Context, connection: AsyncConnection, wanted: Wanted
) -> dict[str, frozenset[str]]:
    """By label, the households that its registrations are in, as far as they are known."""
    index = context.keyring.ids
    ids = {
        label: [registration_id(index, office, case_no, "") for office, case_no in found]
        for label, found in wanted.households.items()
    }
    homes = await households.homes(connection, [one for found in ids.values() for one in found])
    return {
        label: frozenset(homes[one] for one in found if one in homes)
        for label, found in ids.items()
    }
