"""What two registrations say about each other: pieces of evidence, and how their guardians stand.

Nothing here decides. A piece carries what it rests on, so that two pieces about one person are not
taken for two independent ones, and three children of one pair of parents not for three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from visitsync.linking.index import child_keys, person_keys
from visitsync.linking.profile import Member, Profile
from visitsync.linking.registration import Strength
from visitsync.schema.silent import silent

Guardians: TypeAlias = Literal["agree", "crossed", "differ", "unknown"]
"""``agree``: the applicants are one person, or all guardians are the same people; ``crossed``:
somebody is guardian in both, but another applied; ``differ``: other people; ``unknown``: at least
one side names nobody, or nothing can be compared."""

CHILDREN: Final = frozenset({"children"})
"""What all pieces about children rest on together: parents who live apart share them all."""

_NUMBERS: Final = frozenset({"numbers of adults"})
_PHONE: Final = frozenset({"phone"})
_NOTHING: Final[frozenset[str]] = frozenset()


@silent
@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence between two registrations."""

    kind: str
    strength: Strength
    code: str
    rests_on: frozenset[str] = _NOTHING
    """Strong pieces whose supports meet count once. Names and dates stand in here: it stays inside
    the comparison and is never shown."""


@silent
@dataclass(frozen=True, slots=True)
class Comparison:
    """All pieces between two registrations."""

    pieces: frozenset[Piece]
    guardians: Guardians


def compare(new: Profile, known: Profile) -> Comparison:
    """Compare `new` with a registration that stands in a household. Symmetric in what it finds."""
    guardians = _guardians(new, known)
    pieces = set(_of_principals(new, known))
    pieces.update(_of_adults(new, known))
    pieces.update(_of_children(new, known))
    if new.phones & known.phones:
        pieces.add(Piece("phone", "strong", "same_phone", _PHONE))
    if guardians == "differ":
        pieces.add(Piece("guardian", "contradicting", "other_guardian"))
    elif guardians == "crossed":
        pieces.add(Piece("guardian", "supporting", "other_applicant"))
    return Comparison(frozenset(pieces), guardians)


def _guardians(new: Profile, known: Profile) -> Guardians:
    ours, theirs = new.principals, known.principals
    if not ours or not theirs:
        return "unknown"
    if _is_one(ours[0], theirs[0]):
        return "agree"
    if all(any(_is_one(a, b) for b in theirs) for a in ours) and all(
        any(_is_one(a, b) for a in ours) for b in theirs
    ):
        return "agree"
    if any(_is_one(a, b) for a in ours for b in theirs):
        return "crossed"
    if any(_may_be_one(a, b) for a in ours for b in theirs):
        return "unknown"
    return "differ"


def _is_one(a: Member, b: Member) -> bool:
    """Whether nothing speaks against one person, and a name or a number speaks for it."""
    if a.identifiers & b.identifiers or person_keys(a) & person_keys(b):
        return True
    if a.shares_a_name(b):
        return a.birth_fits(b)
    # A surname may change; the given name and the birth date stay.
    return bool(a.given & b.given and a.full_births & b.full_births)


def _may_be_one(a: Member, b: Member) -> bool:
    """Whether the names do not tell them apart: an alias, a slip, or nothing to compare."""
    if a.shares_a_name(b) or a.full_births & b.full_births:
        return True
    return not a.can_be_named(b) and a.birth_fits(b)


def _of_principals(new: Profile, known: Profile) -> Iterator[Piece]:
    for ours in new.principals:
        for theirs in known.principals:
            yield from _of_pair(ours, theirs, "guardian")


def _of_adults(new: Profile, known: Profile) -> Iterator[Piece]:
    """Adults of whom at least one is not a guardian; only what is strong says anything."""
    for ours in (*new.principals, *new.adults):
        for theirs in (*known.principals, *known.adults):
            if ours.role == "other" or theirs.role == "other":
                pieces = _of_pair(ours, theirs, "adult")
                yield from (piece for piece in pieces if piece.strength == "strong")


def _of_pair(ours: Member, theirs: Member, kind: str) -> Iterator[Piece]:
    who = _who(ours) | _who(theirs)
    if ours.identifiers & theirs.identifiers:
        yield Piece("identifier", "strong", f"same_number_of_{kind}", _NUMBERS)
    if person_keys(ours) & person_keys(theirs):
        yield Piece(kind, "strong", f"{_how_alike(ours, theirs)}_and_birth_date", who)
        if _numbers_differ(ours, theirs):
            yield Piece("identifier", "contradicting", f"other_number_of_{kind}")
    elif ours.shares_a_name(theirs):
        if ours.birth_fits(theirs):
            yield Piece(kind, "supporting", "same_name")
        else:
            yield Piece(kind, "contradicting", "other_birth_date", who)
    elif ours.given & theirs.given and ours.full_births & theirs.full_births:
        yield Piece(kind, "supporting", "given_name_and_birth_date")
    elif ours.full_births & theirs.full_births:
        yield Piece(kind, "supporting", "birth_date_only")


def _who(member: Member) -> frozenset[str]:
    """What tells one adult from another; forms of one person always meet in it."""
    return member.readings | member.names | member.full_births


def _how_alike(ours: Member, theirs: Member) -> str:
    if ours.clear_readings & theirs.clear_readings:
        return "same_reading"
    return "same_written_name" if ours.names & theirs.names else "similar_reading"


def _numbers_differ(ours: Member, theirs: Member) -> bool:
    for kind in {kind for kind, _ in ours.identifiers} & {kind for kind, _ in theirs.identifiers}:
        mine = {value for k, value in ours.identifiers if k == kind}
        other = {value for k, value in theirs.identifiers if k == kind}
        if not mine & other:
            return True
    return False


def _of_children(new: Profile, known: Profile) -> Iterator[Piece]:
    one_surname = bool(new.surnames & known.surnames)
    mine = frozenset().union(*(child.identifiers for child in new.children))
    other = frozenset().union(*(child.identifiers for child in known.children))
    if mine & other:
        yield Piece("identifier", "strong", "same_number_of_child", CHILDREN)
    for ours in new.children:
        for theirs in known.children:
            if child_keys(ours) & child_keys(theirs):
                if one_surname:
                    yield Piece("child", "strong", "child_and_birth_date", CHILDREN)
                else:
                    yield Piece("child", "supporting", "child_without_surname")
            elif ours.full_births & theirs.full_births:
                # Twins and classmates share a birth date; it says nothing about who they are.
                yield Piece("child", "supporting", "birth_date_only")
