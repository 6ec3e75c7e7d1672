"""Entries of the access log as auditors are told of them: who, when, why, and the sealed part.

What a search was for is told by its kinds of terms, never by the terms. Of a household under an
address shield nothing is told that tells where it is: no free text, no client's address, no office.
Where a block names the reader as a person, an entry about that household is told like one whose
sealed part was erased.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.silent import Struct, silent
from visitsync.service import entries, looking_back
from visitsync.service.affairs import knowing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import is_household
from visitsync.service.keyring import LOG, STAFF, DataKeys, held
from visitsync.service.looking_back import NOBODY, Looker, Lookers
from visitsync.store import clock, data_keys, directory, facts
from visitsync.store.access_log import Row
from visitsync.store.facts import VIEWER

Told: TypeAlias = str | int | bool | tuple[str, ...]

_CODES: Final = frozenset(
    {
        *("about", "asked", "asked_by", "by", "categories", "counts", "cursor", "directive"),
        *("document", "draft", "form", "from", "grantor", "grants", "hours", "household"),
        *("households", "known_at", "listed", "masked", "messages", "protected", "reasons"),
        *("recipient", "recorded_by", "records", "registration", "role", "scopes", "shields"),
        *("sought", "subject", "submission", "to", "token", "until", "version", "viewer"),
    }
)
"""Members of the sealed part that are codes, ids, numbers and days. What is in neither list is
named and not told."""
_TELLS_WHERE: Final = frozenset({"client", "members", "reason", "recipients", "text", "who"})
"""Told too, but of a household under a shield: free text, and who is near."""
_ABOUT: Final = ("household", "households", "about", "from", "to")
_CALLED: Final = {"address": "client", "sealed_terms": "terms"}
_OFFICE: Final = re.compile(r"\boffice:\S+")


class Who(Struct, frozen=True, kw_only=True):
    """Who acted, as the directory knew them then; the name is the newest."""

    kind: str
    """``staff``, ``office``, ``operator``, or ``visitsync`` itself."""
    id: str | None
    """None for an office of a household under a shield."""
    by: str | None
    """Who acted in their place at the host's shell."""
    name: str | None
    agency: str | None
    roles: tuple[str, ...]
    offices: tuple[str, ...]


class FoundEntry(Struct, frozen=True, kw_only=True):
    """One entry, with its place: in a bundle it stands there."""

    shard: str
    seq: int
    at: dt.datetime
    kind: str
    actor: Who
    office: str | None
    program: str | None
    purpose: str | None
    basis: str | None
    decision: str | None
    records: int | None
    request: str | None
    private: dict[str, Told] | None
    """What was sealed, without what is `withheld`."""
    erased: bool
    """Whether nobody can open the sealed part any more."""
    protected: bool
    """An address shield is in force (住所の保護): whoever keeps this must know."""
    withheld: tuple[str, ...]
    """Members of the sealed part that are there and not told."""


class Leaf(Struct, frozen=True):
    """What of a leaf is looked for and told."""

    actor: str
    kind: str
    basis: str | None = None
    decision: str | None = None
    office: str | None = None
    pc: str | None = None
    program: str | None = None
    purpose: str | None = None
    records: int | None = None
    request: str | None = None

    @property
    def actors(self) -> tuple[str, ...]:
        """Who acted, and who in their place."""
        return tuple(self.actor.split(" by "))


LEAF: Final = msgspec.json.Decoder(Leaf)


async def written(
    context: Context, connection: AsyncConnection, caller: Caller, rows: Sequence[Row]
) -> list[FoundEntry]:
    """These entries as `caller` is told of them.

    Raises:
        Tampered: a sealed part was altered.
    """
    leaves = [LEAF.decode(one.leaf) for one in rows]
    opened = await _opened(context, connection, rows, leaves)
    about = [_about(row, sealed) for row, sealed in zip(rows, opened, strict=True)]
    guards = await looking_back.guarded(connection, frozenset[str]().union(*about))
    people = {who.partition(":")[2] for one in leaves for who in one.actors if _is_staff(who)}
    writer = _Writer(
        names=await staff_names(context, connection, people),
        lookers=Lookers(await facts.history(connection, VIEWER, people)),
        agencies=await directory.agency_names(connection),
        shielded=frozenset(one for one, found in guards.items() if found.shielded),
        hidden=await knowing.hidden_from(connection, caller.id),
    )
    return [writer.entry(*one) for one in zip(rows, leaves, opened, about, strict=True)]


async def staff_names(
    context: Context, connection: AsyncConnection, only: Collection[str] | None = None
) -> dict[str, str]:
    """What members of staff are called, by id; those who are no longer here too."""
    stored = (await directory.read(connection, with_ended=True)).staff
    keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    key = held(keys, ("", "", STAFF))
    return {
        one["id"]: _NAMED.decode(
            context.keyring.open_general(key, STAFF, one["id"], one["sealed"], one["key_version"])
        ).name
        for one in stored
        if only is None or one["id"] in only
    }


class _Named(Struct, frozen=True):
    name: str


_NAMED: Final = msgspec.json.Decoder(_Named)


# ── opening ───────────────────────────────────────────────────────────────────────────────────────
async def _opened(
    context: Context, connection: AsyncConnection, rows: Sequence[Row], leaves: Sequence[Leaf]
) -> list[Mapping[str, Any] | None]:
    """The sealed parts; None where there is none, or its key was destroyed."""
    stored = await data_keys.of_logs(connection, {one.household or "" for one in rows})
    keys = context.keyring.opened(stored)
    return [
        None if leaf.pc is None or row.private is None else _open(context, keys, row)
        for row, leaf in zip(rows, leaves, strict=True)
    ]


def _open(context: Context, keys: DataKeys, row: Row) -> Mapping[str, Any] | None:
    """None where there is no key any more: one that is taken away must not hide other entries."""
    key = keys.get((row.household or "", "", LOG))
    return None if key is None else entries.open_private(context.keyring, key, row)


def _about(row: Row, sealed: Mapping[str, Any] | None) -> frozenset[str]:
    """Every household that an entry names."""
    named = {row.household}
    for member in _ABOUT:
        said = (sealed or {}).get(member)
        named.update(said if isinstance(said, list) else [said])
    return frozenset(one for one in named if isinstance(one, str) and is_household(one))


# ── telling ───────────────────────────────────────────────────────────────────────────────────────
@silent
class _Writer(NamedTuple):
    """What entries are written from."""

    names: Mapping[str, str]
    lookers: Lookers
    agencies: Mapping[str, str]
    shielded: frozenset[str]
    hidden: frozenset[str]
    """Households that a block hides from the reader by name."""

    def entry(
        self, row: Row, leaf: Leaf, sealed: Mapping[str, Any] | None, about: frozenset[str]
    ) -> FoundEntry:
        hidden = not about.isdisjoint(self.hidden)
        protected = not about.isdisjoint(self.shielded) and not hidden
        near = not (hidden or protected)
        told = None if hidden or sealed is None else dict(_told(sealed, near=near))
        return FoundEntry(
            shard=row.shard,
            seq=row.seq,
            at=clock.instant(row.at),
            kind=leaf.kind,
            actor=self._who(leaf, row.at, near=near),
            office=leaf.office if near else None,
            program=leaf.program,
            purpose=leaf.purpose,
            basis=leaf.basis if near else _placeless(leaf.basis),
            decision=leaf.decision,
            records=leaf.records,
            request=leaf.request,
            private=told,
            erased=leaf.pc is not None and told is None,
            protected=protected,
            withheld=() if told is None else tuple(sorted(_names(sealed or {}) - told.keys())),
        )

    def _who(self, leaf: Leaf, at: int, *, near: bool) -> Who:
        acted, *by = leaf.actors
        kind, _, one = acted.partition(":")
        looker = self.lookers.at(one, at) if kind == "staff" else NOBODY
        return Who(
            kind=kind,
            id=one if one and (near or kind != "office") else None,
            by=by[0] if by else None,
            name=self.names.get(one) if kind == "staff" else None,
            agency=self._agency(looker),
            roles=looker.roles,
            offices=looker.offices if near else (),
        )

    def _agency(self, looker: Looker) -> str | None:
        return self.agencies.get(looker.agency)


def _is_staff(who: str) -> bool:
    return who.startswith("staff:")


def _placeless(basis: str | None) -> str | None:
    """What allowed it, without the office whose own records they were."""
    return None if basis is None else _OFFICE.sub("office", basis)


def _names(sealed: Mapping[str, Any]) -> set[str]:
    """What the members of a sealed part are called here: ``address`` is the client's."""
    return {_CALLED.get(name, name) for name in sealed}


def _told(sealed: Mapping[str, Any], *, near: bool) -> Iterable[tuple[str, Told]]:
    """What may be told of a sealed part."""
    for name, said in sealed.items():
        if name == "terms":
            yield "searched_by", tuple(sorted(said))
        elif name == "address":
            if near:
                yield "client", str(said)
        elif name in _CODES or (near and name in _TELLS_WHERE):
            yield name, _plain(said, near=near)


def _plain(said: Any, *, near: bool) -> Told:  # noqa: ANN401 -- whatever an entry holds
    if isinstance(said, bool | int):
        return said
    if isinstance(said, dict):
        return tuple(f"{name}={value}" for name, value in sorted(said.items()))
    parts = said if isinstance(said, list) else [said]
    told = tuple(str(one) if near else _OFFICE.sub("office", str(one)) for one in parts)
    return told if isinstance(said, list) else told[0]
