"""Finding households by what a family says at the counter, without an index of names.

Blind tokens find the registrations that may fit. A household is found only if everything that is
sought stands in records of it that the caller is shown for the stated purpose, in categories and
fields that they are shown: a name in what is shown of identity, a telephone in what is shown as
contact. So a hit tells nothing that a timeline would not, and a guess about what stays hidden finds
what a wrong one does. What is done for a family that stays hidden is what is done for none. Each
household on the list has its own entry in the log beside the search's, sealed with its own key, so
that it stands in what the family can read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.consent import Decision, release
from visitsync.errors import BadParameter, DatabaseUnavailable
from visitsync.linking import IndexTerm, index_terms
from visitsync.linking import Registration as Described
from visitsync.schema.partial_date import is_partial_date
from visitsync.schema.silent import Struct, silent
from visitsync.schema.visit import Person
from visitsync.service import entries
from visitsync.service import sought as sought_terms
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, Judged, current, gather, judged
from visitsync.service.ids import registration_id
from visitsync.service.keyring import LOG, held
from visitsync.service.terms import indexes
from visitsync.service.timelines import TRIES, refuse_unless_viewer, reported_of
from visitsync.service.views import Found, Match, Sought
from visitsync.store import epochs, households
from visitsync.store.visits import Stored

_FULL_DATE: Final = 10
_ROLES: Final = ("guardian", "child", "other")
_MOST: Final = 200
"""Households that are looked into for one search."""
_UNKNOWN: Final = "unknown"
"""Looked into where none has a token: a household that there is not goes the same way."""


async def search(
    context: Context, caller: Caller, purpose: str, sought: Sought, *, acknowledged: bool = False
) -> Found:
    """Households that fit and of which the caller may see something; logged also without result.

    Args:
        context: of the installation.
        caller: who looks.
        purpose: what for.
        sought: what the family said.
        acknowledged: whether the client heeds the flag that a household is protected; without it
            no address and no telephone of a protected family leaves.

    Raises:
        BadParameter: nothing that can be searched for, or an unknown purpose.
        NotAllowed: the token does not read households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
    """
    refuse_unless_viewer(caller, purpose)
    terms = _terms(sought)
    for _ in range(TRIES):
        async with context.database.reading() as connection:
            near = await _near(context, connection, sought, terms) or [_UNKNOWN]
        gathered = await gather(context, caller, near, purpose)
        asked = {
            one: judged(gathered, caller.id, purpose, one, acknowledged=acknowledged)
            for one in near
        }
        seen = _seen(gathered, asked)
        matches = [
            _matched(context, gathered, one, each)
            for one, each in seen.items()
            if _fits(context, gathered, each, sought, terms)
        ]
        draft = _draft(context, gathered, caller, purpose, sought, matches)
        rows = [_row(context, gathered, caller, purpose, one) for one in matches]
        if await context.log.look(draft, gathered.known.epochs, rows):
            return Found(households=tuple(one.match for one in matches))
    raise DatabaseUnavailable("The facts kept changing; ask again")


# ── what is sought ────────────────────────────────────────────────────────────────────────────────
def _terms(sought: Sought) -> Sequence[frozenset[IndexTerm]]:
    """One set of terms for each thing that is given; of each at least one must be known."""
    groups = []
    if sought.name or sought.kana or sought.birth_date:
        groups.append(_person_terms(sought))
    if sought.phone:
        groups.append(_described(_person("guardian", phone=sought.phone)))
    if any(not group for group in groups) or not (groups or sought.case_no):
        raise BadParameter(
            "Give a name or kana with a full birth date, a telephone number, or a case number",
            where="body",
        )
    return groups


def _person_terms(sought: Sought) -> frozenset[IndexTerm]:
    birth = sought.birth_date or ""
    if len(birth) != _FULL_DATE or not is_partial_date(birth):
        return frozenset()
    return frozenset().union(
        *(
            _described(_person(role, name=sought.name, kana=sought.kana, birth_date=birth))
            for role in _ROLES
        )
    )


def _person(
    role: str,
    *,
    name: str | None = None,
    kana: str | None = None,
    birth_date: str | None = None,
    phone: str | None = None,
) -> Person:
    return Person(
        role=role,
        name=name or None,
        kana=kana or None,
        birth_date=birth_date,
        sex=None,
        postal_code=None,
        address=None,
        phone=phone,
        identifiers={},
    )


def _described(person: Person) -> frozenset[IndexTerm]:
    return frozenset(index_terms(Described(id="", office="", program="", persons=(person,))))


# ── what fits ─────────────────────────────────────────────────────────────────────────────────────
async def _near(
    context: Context,
    connection: AsyncConnection,
    sought: Sought,
    groups: Sequence[Collection[IndexTerm]],
) -> list[str]:
    """Households that have a token of everything that is sought, whoever may see them."""
    near: set[str] | None = None
    index = await indexes(connection, context.keyring)
    for group in groups:
        holders = await households.holders(connection, index.sought(group))
        having = set().union(*holders.values()) if holders else set()
        near = having if near is None else near & having
    if sought.case_no:
        having = await _with_case(context, connection, sought.case_no)
        near = having if near is None else near & having
    return sorted(near or ())[:_MOST]


async def _with_case(context: Context, connection: AsyncConnection, case_no: str) -> set[str]:
    offices = await context.registry.offices_now(connection)
    index = context.keyring.ids
    ids = [registration_id(index, office, case_no.strip(), "") for office in offices]
    return set((await households.homes(connection, ids)).values())


def _fits(
    context: Context,
    gathered: Gathered,
    seen: _Seen,
    sought: Sought,
    groups: Sequence[Collection[IndexTerm]],
) -> bool:
    """Whether everything that is sought stands in what the caller is shown of a household."""
    left = list(groups)
    case_no = (sought.case_no or "").strip()
    told: set[bytes] = set()
    for one in sorted(seen.stored, key=lambda one: (one.day, one.id), reverse=True):
        shown = _of_persons(context, gathered, one, seen.shown[one.id])
        if case_no and shown.case_no == case_no:
            case_no = ""
        persons = bytes(shown.persons)
        if persons and persons not in told:
            told.add(persons)
            known = _terms_in(persons)
            left = [group for group in left if known.isdisjoint(group)]
        if not left and not case_no:
            return True
    return False


class _OfPersons(Struct, frozen=True):
    """What is shown of one report about who it is; members are missing where they stay hidden."""

    case_no: str | None = None
    persons: msgspec.Raw = msgspec.Raw()


_SHOWN: Final = msgspec.json.Decoder(_OfPersons)


def _of_persons(
    context: Context, gathered: Gathered, one: Stored, decision: Decision
) -> _OfPersons:
    told = msgspec.structs.replace(
        decision, visible=tuple(each for each in decision.visible if each in _OF_PERSONS)
    )
    line = reported_of(context, gathered, one).line
    (shown,) = release([told], {one.id: line}).shown
    return _SHOWN.decode(shown.line)


def _terms_in(persons: bytes) -> frozenset[IndexTerm]:
    """The terms of persons as they are shown, whose other members are hidden."""
    told: list[dict[str, Any]] = msgspec.json.decode(persons)
    return frozenset().union(
        *(
            _described(
                _person(
                    one.get("role", "guardian"),
                    name=one.get("name"),
                    kana=one.get("kana"),
                    birth_date=one.get("birth_date"),
                    phone=one.get("phone"),
                )
            )
            for one in told
        )
    )


# ── what is answered ──────────────────────────────────────────────────────────────────────────────
@silent
class _Matched(NamedTuple):
    match: Match
    bases: frozenset[str]
    newest: Decision
    """Of the visit that the persons were taken from."""


@silent
class _Seen(NamedTuple):
    shown: Mapping[str, Decision]
    """By report."""
    stored: Sequence[Stored]
    """The newest revision of each."""
    protected: bool


def _seen(gathered: Gathered, asked: Mapping[str, Judged]) -> dict[str, _Seen]:
    """Those of the households of which something is shown, in order."""
    found = {}
    for household, judgement in asked.items():
        shown = {str(one.record): one for one in judgement.decisions if one.outcome == "shown"}
        stored = [one for one in current(gathered.of(household)) if one.id in shown]
        if stored:
            found[household] = _Seen(shown, stored, judgement.protected)
    return found


def _matched(context: Context, gathered: Gathered, household: str, seen: _Seen) -> _Matched:
    newest = max(seen.stored, key=lambda one: (one.day, one.id))
    decision = seen.shown[newest.id]
    reported = reported_of(context, gathered, newest)
    released = release([decision], {newest.id: reported.line})
    persons: Any = released.shown[0].fields.get("persons", [])
    return _Matched(
        Match(
            household=household,
            protected=seen.protected,
            persons=tuple(persons),
            programs=tuple(sorted({one.program for one in seen.stored})),
        ),
        frozenset(
            f"{why.rule}:{why.ref}".replace(" ", "_")
            for one in seen.shown.values()
            for why in one.reasons
            if why.effect == "show"
        ),
        decision,
    )


def _draft(  # noqa: PLR0913, PLR0917 -- all that stands in the entry
    context: Context,
    gathered: Gathered,
    caller: Caller,
    purpose: str,
    sought: Sought,
    matches: Sequence[_Matched],
) -> entries.Draft:
    bases = sorted(frozenset().union(*(one.bases for one in matches)))
    return entries.draft(
        context.keyring,
        caller,
        "search",
        held(gathered.keys, ("", "", LOG)),
        household=None,
        private=sought_terms.members(
            context.keyring,
            gathered.keys,
            [one.match.household for one in matches],
            {
                name: value
                for name in sought.__struct_fields__
                if (value := getattr(sought, name)) is not None
            },
        ),
        public={
            "basis": entries.joined(bases),
            "decision": "shown" if matches else "refused",
            "purpose": purpose,
            "records": len(matches),
            "rule": entries.RULES,
        },
    )


_OF_PERSONS: Final = frozenset({"attendance", "contact", "identity"})
"""Categories of which a match can tell something."""


def _row(
    context: Context, gathered: Gathered, caller: Caller, purpose: str, one: _Matched
) -> entries.Draft:
    """The entry of one household on the list."""
    household = one.match.household
    bases = sorted(one.bases)
    return entries.draft(
        context.keyring,
        caller,
        "list_read",
        held(gathered.keys, (household, "", LOG)),
        household=household,
        private={
            "household": household,
            "categories": sorted(_OF_PERSONS.intersection(one.newest.visible)),
            "records": [one.newest.record],
            "protected": one.match.protected,
            "reasons": bases,
        },
        public={
            "basis": entries.joined(bases),
            "decision": "shown",
            "epoch": gathered.known.epochs[epochs.of_household(household)],
            "purpose": purpose,
            "records": 1,
            "rule": entries.RULES,
        },
    )
