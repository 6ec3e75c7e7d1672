"""Same household, another one, or a question for a person.

A registration links by itself only when

- two strong pieces that rest on different things speak for one household (of: a guardian's name
  with the full birth date, another adult's, a number, the telephone, the children together),
- the applicant is known to be a guardian already registered there,
- nothing contradicts in any registration of that household, and no guard applies,
- and no second household fits as well.

One strong piece short of that is a question; no strong piece at all is a new household. The right
answer to doubt is the question: a false link shows one family's visits to another's case worker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from visitsync.linking.compare import Comparison, Piece, compare
from visitsync.linking.kana import KANA_VERSION
from visitsync.linking.names import NAMES_VERSION
from visitsync.linking.profile import Profile, profile
from visitsync.linking.registration import Candidate, Evidence, Proposal, Registration
from visitsync.schema.silent import silent

RULES: Final = f"linking-1/{KANA_VERSION}/{NAMES_VERSION}"
"""Stored with every decision; changes with any rule, threshold or folding table."""

ENOUGH: Final = 2
"""How many strong pieces, resting on different things, link without a person."""

LARGEST_HOUSEHOLD: Final = 30
"""Registrations in one household beyond which a person must look: links may have chained up."""

PHONE_OF_MANY: Final = 3
"""A number held by more candidate households than this belongs to an institution, not a family."""


def propose(
    new: Registration,
    candidates: Sequence[Candidate],
    *,
    never: Collection[tuple[str, str]] = (),
) -> Proposal:
    """Say which household `new` belongs to, or that a person must, or that it is a new one.

    Args:
        new: the registration to place.
        candidates: every household with a registration that shares an index term with `new`, with
            all its registrations. `new` itself, if among them, is passed over.
        never: pairs of registration ids, in either order, of which a person said "not the same".
            A household with such a registration is out of the question, whatever speaks for it.
    """
    return propose_profiled(
        profile(new),
        [
            Household(
                household=candidate.household,
                registrations=tuple(profile(known) for known in candidate.registrations),
                only_a_person_may_link=candidate.only_a_person_may_link,
            )
            for candidate in candidates
        ],
        never=never,
    )


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """A `Candidate` whose registrations are folded already, for linking in bulk."""

    household: str
    registrations: tuple[Profile, ...]
    only_a_person_may_link: bool = False


@silent
@dataclass(frozen=True, slots=True)
class _Case:
    """What speaks for and against one household."""

    household: str
    pieces: frozenset[Piece]
    applicant_known: bool

    @property
    def support(self) -> int:
        """How many strong pieces speak for it that rest on different things."""
        return _independent(piece.rests_on for piece in self.pieces if piece.strength == "strong")

    @property
    def is_free(self) -> bool:
        return all(piece.strength in ("strong", "supporting") for piece in self.pieces)

    @property
    def fits(self) -> bool:
        """Whether it would link, were only a person not needed for it."""
        return self.support >= ENOUGH and self.applicant_known


def propose_profiled(
    new: Profile, households: Iterable[Household], *, never: Collection[tuple[str, str]] = ()
) -> Proposal:
    """As `propose`, on registrations that are folded already."""
    barred = _barred(new.registration, never)
    allowed = [
        household
        for household in households
        if not any(known.registration in barred for known in household.registrations)
    ]
    compared = [
        (
            household,
            [
                compare(new, known)
                for known in household.registrations
                if known.registration != new.registration
            ],
        )
        for household in allowed
    ]
    phone_tells = sum(_has_phone(found) for _, found in compared) <= PHONE_OF_MANY
    cases = [_case(household, found, phone_tells=phone_tells) for household, found in compared]
    near = sorted(
        (case for case in cases if case.support),
        key=lambda case: (not case.fits, not case.is_free, -case.support, case.household),
    )
    return _decide(near)


def _decide(near: Sequence[_Case]) -> Proposal:
    fitting = [case for case in near if case.fits]
    linked = fitting[0] if len(fitting) == 1 and fitting[0].is_free else None
    evidence = [_evidence(case.household, piece) for case in near for piece in case.pieces]
    if len(fitting) > 1:
        evidence += [
            Evidence(
                household=case.household, kind="guard", strength="blocking", code="fits_several"
            )
            for case in fitting
        ]
    return Proposal(
        verdict="same" if linked else "review" if near else "new",
        household=linked.household if linked else None,
        candidates=tuple(case.household for case in near),
        evidence=tuple(sorted(set(evidence))),
        rules=RULES,
    )


def _case(household: Household, found: Sequence[Comparison], *, phone_tells: bool) -> _Case:
    pieces = frozenset().union(*(comparison.pieces for comparison in found))
    if not phone_tells:
        pieces = frozenset(map(_shared_by_many, pieces))
    pieces = _settled(pieces)
    if household.only_a_person_may_link:
        pieces |= {Piece("guard", "blocking", "address_shield")}
    if len(household.registrations) >= LARGEST_HOUSEHOLD:
        pieces |= {Piece("guard", "blocking", "too_many_registrations")}
    return _Case(
        household.household,
        pieces,
        applicant_known=any(comparison.guardians == "agree" for comparison in found),
    )


def _settled(pieces: frozenset[Piece]) -> frozenset[Piece]:
    """Without a slip in one registration's birth date that another one there puts right.

    That the guardian is somebody else, or carries another number, is never put right.
    """
    known = frozenset().union(*(piece.rests_on for piece in pieces if piece.strength == "strong"))
    return frozenset(
        piece
        for piece in pieces
        if not (piece.code == "other_birth_date" and piece.rests_on & known)
    )


def _independent(supports: Iterable[frozenset[str]]) -> int:
    """How many groups remain when supports that meet are put together."""
    groups: list[frozenset[str]] = []
    for support in supports:
        meeting = [group for group in groups if group & support]
        groups = [group for group in groups if not group & support]
        groups.append(support.union(*meeting))
    return len(groups)


def _barred(registration: str, never: Collection[tuple[str, str]]) -> frozenset[str]:
    return frozenset(
        one if other == registration else other
        for one, other in never
        if registration in (one, other)
    )


def _has_phone(found: Iterable[Comparison]) -> bool:
    return any(piece.kind == "phone" for comparison in found for piece in comparison.pieces)


def _shared_by_many(piece: Piece) -> Piece:
    return Piece("phone", "supporting", "phone_of_many") if piece.kind == "phone" else piece


def _evidence(household: str, piece: Piece) -> Evidence:
    return Evidence(household=household, kind=piece.kind, strength=piece.strength, code=piece.code)
