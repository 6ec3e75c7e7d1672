"""Searching the access log: who saw whom, when and why; logged before it is answered.

A search goes forward through the log from a place to what stood in it when it was asked, page by
page: so no entry is missed and none comes twice, however many are added meanwhile. Entries about
one household are found by an index; for all else a page reads a bounded part of the log and says
how far it came, also where it found nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.audit import KINDS
from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct, silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import log_entries, looking_back
from visitsync.service.affairs import knowing
from visitsync.service.auditors import must_audit
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.ids import is_household
from visitsync.service.log_entries import LEAF, FoundEntry, Leaf
from visitsync.service.looking_back import Lookers
from visitsync.service.writing import Change, change, still_signed_in
from visitsync.store import clock, data_keys, facts, households, looks
from visitsync.store.access_log import Row
from visitsync.store.facts import VIEWER
from visitsync.store.looks import Part, Place

_MOST: Final = 100
"""Entries on a page."""
_READ: Final = 100_000
"""Entries of the log that one page reads at most where no index helps."""
_STRETCH: Final = 10_000
"""… and one statement."""
_AT_ONCE: Final = 200
"""Entries that a statement answers at most; more than a page, since some may not fit."""
_ACTOR: Final = re.compile(r"(?:staff|office|operator):[^\x00-\x20\x7f]{1,128}|visitsync")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NOBODY: Final = ""
"""In place of a household that there is not, or that is hidden from who asks."""

_Text = Annotated[str, msgspec.Meta(max_length=256)]
_Instant = Annotated[dt.datetime, msgspec.Meta(tz=True)]


class LogSearch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for; all that is given must fit, and nothing given finds everything."""

    household: _Text | None = None
    actor: _Text | None = None
    """As in the log: ``staff:ID``, ``office:ID``, ``operator:NAME``."""
    name: _Text | None = None
    """Of a member of staff, as in the directory."""
    office: _Text | None = None
    """What it did, what its staff did, and what names it."""
    purpose: _Text | None = None
    kind: _Text | None = None
    decision: _Text | None = None
    from_: _Instant | None = msgspec.field(default=None, name="from")
    """The first instant."""
    until: _Instant | None = None
    """The first instant after it."""


class LogPage(Struct, frozen=True, kw_only=True):
    """Entries in the order of the log, the newest last."""

    entries: tuple[FoundEntry, ...]
    next: str | None
    """Where the next page begins; a page may be empty and still have one."""


async def search(
    context: Context, caller: Caller, sought: LogSearch, cursor: str | None = None
) -> LogPage:
    """A page of the entries that fit; that it was asked for is logged first.

    A household that there is not, one of which nothing was logged and one that a block hides from
    the caller by name are answered alike.

    Raises:
        NotAllowed: the caller may not read the log.
        BadParameter: something that cannot be looked for, or a cursor of another list.
        DatabaseUnavailable: it could not be logged, so it is not answered.
        Tampered: a sealed part was altered.
    """
    end = await _asked(context, caller, sought, "log_read", cursor=cursor)
    async with context.database.reading() as connection:
        walk = await _walk(context, connection, caller, sought)
        rows, reached = await _page(connection, walk, await _since(connection, cursor), end)
        found = await log_entries.written(context, connection, caller, rows)
    more = None if reached is None else looking_back.cursor_of(reached)
    return LogPage(entries=tuple(found), next=more)


async def export(
    context: Context, caller: Caller, sought: LogSearch, form: str
) -> AsyncIterator[Sequence[FoundEntry]]:
    """All entries that fit, page by page; that they are exported is logged before this returns.

    Each page is told as protections and the caller's token stand when it is read.

    Raises:
        NotAllowed, BadParameter, DatabaseUnavailable, Tampered: as by `search`; the last two, and
            NotSignedIn where the token has ended meanwhile, by any page.
    """
    end = await _asked(context, caller, sought, "log_exported", form=form)
    return _pages(context, caller, sought, end)


async def _pages(
    context: Context, caller: Caller, sought: LogSearch, end: Place
) -> AsyncIterator[Sequence[FoundEntry]]:
    since: Place | None = Place("", 0)
    while since is not None:
        async with context.database.reading() as connection:
            await still_signed_in(connection, caller, await clock.now(connection))
            walk = await _walk(context, connection, caller, sought)
            rows, since = await _page(connection, walk, since, end)
            found = await log_entries.written(context, connection, caller, rows)
        yield found


# ── asking ────────────────────────────────────────────────────────────────────────────────────────
async def _asked(
    context: Context, caller: Caller, sought: LogSearch, kind: str, **more: str | None
) -> Place:
    """Log it; answers the place of that entry: what is found stands before it."""
    async with change(context, caller) as made:
        await must_audit(made, caller)
        _refuse_malformed(sought)
        told = {
            name: value.isoformat() if isinstance(value, dt.datetime) else value
            for name, value in msgspec.structs.asdict(sought).items()
            if value is not None and name != "household"
        }
        entry = await made.log(
            caller,
            kind,
            household=await _sealed_for(made, sought.household),
            private={**more, "household": sought.household, "sought": told},
            public={"decision": "shown", "purpose": "audit"},
        )
    return Place(entry.shard, entry.seq)


def _refuse_malformed(sought: LogSearch) -> None:
    """Go on only with what could be found; ids of nothing could.

    Raises:
        BadParameter: otherwise.
    """
    known: dict[str, Callable[[str], object]] = {
        "actor": _ACTOR.fullmatch,
        "kind": KINDS.__contains__,
        "purpose": VOCABULARY.purposes.__contains__,
        "decision": _CODE.fullmatch,
    }
    for name, fits in known.items():
        value = getattr(sought, name)
        if value is not None and not fits(value):
            raise BadParameter("is nothing that stands in the log", where=name)
    if sought.from_ and sought.until and sought.until <= sought.from_:
        raise BadParameter("must lie after the first instant", where="until")


async def _sealed_for(made: Change, household: str | None) -> str | None:
    """Under whose key it is logged: the household's, where there is one whose key is there."""
    if household is None or not is_household(household):
        return None
    if not await households.exists(made.connection, household):
        return None
    keys = await data_keys.of_logs(made.connection, [household])
    return household if any(one.state == data_keys.ACTIVE for one in keys) else None


async def _since(connection: AsyncConnection, cursor: str | None) -> Place:
    if cursor is None:
        return Place("", 0)
    return looking_back.place_of(cursor, [one for one, _ in await looking_back.years(connection)])


# ── finding ───────────────────────────────────────────────────────────────────────────────────────
@silent
class _Condition(NamedTuple):
    """One thing that must fit."""

    words: Collection[str]
    """A leaf that fits holds one of them."""
    fits: Callable[[int, Leaf], bool]
    """Whether a leaf of that time does."""


@silent
class _Walk(NamedTuple):
    """What is looked for, resolved."""

    household: str | None
    conditions: Sequence[_Condition]
    sought: LogSearch

    def fits(self, row: Row) -> bool:
        """Whether an entry is one of these."""
        leaf = LEAF.decode(row.leaf)
        return self.household in {None, row.household} and all(
            one.fits(row.at, leaf) for one in self.conditions
        )


async def _walk(
    context: Context, connection: AsyncConnection, caller: Caller, sought: LogSearch
) -> _Walk:
    household = sought.household
    if household is not None:
        hidden = await knowing.hidden_from(connection, caller.id)
        household = household if is_household(household) and household not in hidden else _NOBODY
    conditions = [
        _saying(name, value)
        for name in ("kind", "purpose", "decision")
        if (value := getattr(sought, name)) is not None
    ]
    if sought.actor is not None:
        conditions.append(_acted_by([sought.actor]))
    if sought.name is not None:
        names = await log_entries.staff_names(context, connection)
        wanted = _folded(sought.name)
        conditions.append(
            _acted_by([f"staff:{one}" for one, name in names.items() if _folded(name) == wanted])
        )
    if sought.office is not None:
        conditions.append(await _of_office(connection, sought.office))
    return _Walk(household, conditions, sought)


def _saying(name: str, value: str) -> _Condition:
    return _Condition([_member(name, value)], lambda _, leaf: getattr(leaf, name) == value)


def _acted_by(people: Collection[str]) -> _Condition:
    """Alone, with somebody who acts in their place, or in another's."""
    return _Condition(
        [words for one in people for words in _acting(one)],
        lambda _, leaf: any(one in people for one in leaf.actors),
    )


async def _of_office(connection: AsyncConnection, office: str) -> _Condition:
    """What an office did, what names it, and what was done by who was of its staff then."""
    people = await facts.naming(connection, VIEWER, msgspec.json.encode(office).decode())
    lookers = Lookers(await facts.history(connection, VIEWER, people))

    def fits(at: int, leaf: Leaf) -> bool:
        return office == leaf.office or any(
            one == f"office:{office}"
            or (one.startswith("staff:") and office in lookers.at(one[6:], at).offices)
            for one in leaf.actors
        )

    actors = [f"office:{office}", *(f"staff:{one}" for one in people)]
    words = [words for one in actors for words in _acting(one)]
    return _Condition([_member("office", office), *words], fits)


def _member(name: str, value: str) -> str:
    """A member as it stands in a leaf; inside a text it could not, since its quotes are escaped."""
    return f'"{name}":{msgspec.json.encode(value).decode()}'


def _acting(who: str) -> tuple[str, ...]:
    """An actor as a leaf begins with them; only operators act in another's place."""
    text = msgspec.json.encode(who).decode()[1:-1]
    beginning = f'{{"actor":"{text}'
    return (beginning, f' by {text}"') if who.startswith("operator:") else (beginning,)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


async def _page(
    connection: AsyncConnection, walk: _Walk, since: Place, end: Place
) -> tuple[list[Row], Place | None]:
    """The first entries that fit from a place on, and where to go on; None at the end."""
    rows: list[Row] = []
    left = _READ
    for part in await _parts(connection, walk.sought, since, end):
        start = part.seqs.start
        while start < part.seqs.stop:
            if len(rows) == _MOST or left <= 0:
                return rows, Place(part.shard, start)
            here = Part(part.shard, range(start, part.seqs.stop))
            found, reached, read = await _stretch(connection, walk, here, _MOST - len(rows))
            rows += found
            start = reached
            left -= read
    return rows, None


async def _stretch(
    connection: AsyncConnection, walk: _Walk, part: Part, most: int
) -> tuple[list[Row], int, int]:
    """What fits in the beginning of a part, how far that is, and how many entries were read."""
    if walk.household is not None:
        near = await looks.about(connection, part, [walk.household], _AT_ONCE)
        reached = part.seqs.stop if len(near) < _AT_ONCE else near[-1].seq + 1
        read = len(near)
    else:
        here = Part(part.shard, part.seqs[:_STRETCH])
        words = [one.words for one in walk.conditions]
        near = await looks.saying(connection, here, words, _AT_ONCE)
        reached = here.seqs.stop if len(near) < _AT_ONCE else near[-1].seq + 1
        read = reached - part.seqs.start
    fitting = [one for one in near if walk.fits(one)]
    if len(fitting) > most:
        reached = fitting[most - 1].seq + 1
    return fitting[:most], reached, read


async def _parts(
    connection: AsyncConnection, sought: LogSearch, since: Place, end: Place
) -> list[Part]:
    """The parts of the log between two places in which the times lie, in order."""
    found = []
    for shard, size in await looking_back.years(connection):
        if not since.shard <= shard <= end.shard:
            continue
        start = since.seq if shard == since.shard else 0
        stop = min(size, end.seq) if shard == end.shard else size
        if sought.from_ is not None:
            first = await looks.first_at(connection, shard, size, clock.stored(sought.from_))
            start = max(start, first)
        if sought.until is not None:
            after = await looks.first_at(connection, shard, size, clock.stored(sought.until))
            stop = min(stop, after)
        if start < stop:
            found.append(Part(shard, range(start, stop)))
    return found
