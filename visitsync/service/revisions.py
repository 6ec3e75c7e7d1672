"""What each record handed in means beside what stands here: new, newer, the same, or a conflict."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.schema.directory import Office
from visitsync.schema.silent import Struct
from visitsync.schema.visit import Person, Visit
from visitsync.service import ids, intake
from visitsync.service.folding import distinct
from visitsync.service.intake import Item
from visitsync.service.keyring import RECORDS, Keyring, VisitPlace
from visitsync.service.placed import Arrival, Placed
from visitsync.service.reports import Status
from visitsync.service.slices import in_slices
from visitsync.store import clock, erasing, visits
from visitsync.store.visits import Row

_TAKEN: Final = frozenset({"created", "updated", "voided"})


class Judged(Struct, frozen=True):
    """A record and what becomes of it."""

    item: Item
    status: Status
    codes: tuple[str, ...] = ()
    id: str = ""
    registration: str = ""
    content: bytes = b""
    newest: bool = True
    """Whether no higher revision of the report is known."""
    was: str = ""
    """The registration of the revision that was newest before; empty where there was none."""


class _Known:
    """The revisions of one report, those of this submission too."""

    __slots__ = ("content", "newest", "registration")

    def __init__(self) -> None:
        self.content: dict[int, bytes] = {}
        self.newest = 0
        self.registration = ""

    def add(self, revision: int, content: bytes, registration: str) -> None:
        self.content[revision] = content
        if revision > self.newest:
            self.newest, self.registration = revision, registration


async def judge(
    connection: AsyncConnection, keyring: Keyring, items: Sequence[Item]
) -> list[Judged]:
    """Every item in its order, with what becomes of it."""
    index = keyring.ids
    names: dict[str, str] = {}
    registrations: dict[str, str] = {}
    async for item in in_slices(items):
        visit = item.visit
        if item.line and visit is not None:
            source = visit.source
            names[source.record_id] = ids.visit_id(index, source.office, source.record_id)
            if (case := _case(visit)) not in registrations:
                registrations[case] = ids.registration_id(
                    index, source.office, visit.case_no, source.record_id
                )
    known: dict[str, _Known] = defaultdict(_Known)
    for held in await visits.held(connection, list(names.values())):
        known[held.id].add(held.revision, held.content, held.registration)
    erased = await erasing.erased_registrations(connection, set(registrations.values()))
    judged = []
    async for item in in_slices(items):
        visit = item.visit
        if not item.line or visit is None:
            judged.append(Judged(item, "rejected", (item.code or "bad_record",)))
            continue
        source = visit.source
        registration = registrations[_case(visit)]
        at = erased.get(registration)
        if at is not None and visit.date <= clock.day_in_japan(at):
            # What was erased does not come back with a file that is handed in once more.
            judged.append(Judged(item, "rejected", ("erased",)))
            continue
        content = keyring.content(intake.content_of(item.line))
        name = names[source.record_id]
        judged.append(_judged(item, known[name], name, registration, content))
    return judged


def _case(visit: Visit) -> str:
    """What tells registrations of one submission apart."""
    return visit.case_no or f"\0{visit.source.record_id}"


def _judged(item: Item, known: _Known, name: str, registration: str, content: bytes) -> Judged:
    assert item.visit is not None  # noqa: S101 -- only good items come here
    source = item.visit.source
    stands = known.content.get(source.revision)
    if stands is not None:
        if stands == content:
            return Judged(item, "unchanged", id=name, registration=registration)
        return Judged(item, "conflict", ("content_differs",), id=name, registration=registration)
    newest = source.revision > known.newest
    codes: tuple[str, ...] = () if newest else ("older_revision",)
    was = known.registration
    if was not in ("", registration):
        codes = (*codes, "registration_changed")
    status: Status = "updated" if known.content else "created"
    if source.state == "voided":
        status = "voided"
    known.add(source.revision, content, registration)
    return Judged(item, status, codes, name, registration, content, newest, was)


def taken(judged: Iterable[Judged]) -> list[Judged]:
    """Those that are stored."""
    return [one for one in judged if one.status in _TAKEN]


def arrivals(judged: Iterable[Judged], office: Office) -> list[Arrival]:
    """What the taken records say about each registration, the newest visit's forms first."""
    said: dict[str, list[tuple[str, int, tuple[Person, ...]]]] = defaultdict(list)
    for one in taken(judged):
        visit = one.item.visit
        if visit is not None:
            said[one.registration].append(
                (visit.date.isoformat(), visit.source.revision, visit.persons)
            )
    return [
        Arrival(
            id=registration,
            office=office.id,
            program=office.program,
            persons=_forms(found),
        )
        for registration, found in said.items()
    ]


def _forms(said: list[tuple[str, int, tuple[Person, ...]]]) -> tuple[Person, ...]:
    newest_first = sorted(said, key=lambda one: one[:2], reverse=True)
    # Most reports repeat the same persons; equal ones are told apart only once.
    different: list[tuple[Person, ...]] = []
    for _, _, persons in newest_first:
        if persons not in different:
            different.append(persons)
    return distinct(person for persons in different for person in persons)


async def rows(
    keyring: Keyring, placed: Placed, judged: Iterable[Judged], submission: str, at: int
) -> list[Row]:
    """The rows to store, sealed; those of one household stand together."""
    made = []
    async for one in in_slices(
        sorted(taken(judged), key=lambda one: placed.homes[one.registration])
    ):
        visit = one.item.visit
        assert visit is not None  # noqa: S101 -- only good items are taken
        household = placed.homes[one.registration]
        key = placed.key((household, visit.program, RECORDS))
        place = VisitPlace(household, visit.program, one.id, visit.source.revision)
        made.append(
            Row(
                id=one.id,
                revision=visit.source.revision,
                household=household,
                registration=one.registration,
                office=visit.source.office,
                program=visit.program,
                day=clock.day(visit.date),
                state=visit.source.state,
                elsewhere=not one.newest and one.was != one.registration,
                recorded_at=at,
                submission=submission,
                content=one.content,
                sealed=keyring.seal_visit(key, place, one.item.line),
                key_version=key.version,
            )
        )
    return made


def moved(judged: Iterable[Judged]) -> Mapping[str, str]:
    """Reports whose newest revision belongs to another registration than the one before."""
    return {
        one.id: one.registration
        for one in taken(judged)
        if one.newest and one.was not in ("", one.registration)
    }
