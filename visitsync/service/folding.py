"""Registrations folded for comparing, and the terms by which they are found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from visitsync.linking import IndexTerm, Registration, profile
from visitsync.linking.index import terms_of
from visitsync.linking.profile import Profile
from visitsync.schema.visit import Person

_ENCODER: Final = msgspec.json.Encoder()


class Folded(NamedTuple):
    """What comparison uses of one registration."""

    profile: Profile
    terms: frozenset[IndexTerm]

    def __repr__(self) -> str:
        return "<Folded>"


def fold(registration: str, office: str, program: str, persons: Sequence[Person]) -> Folded:
    """Fold every form that an office ever gave of a registration's persons."""
    made = profile(
        Registration(id=registration, office=office, program=program, persons=tuple(persons))
    )
    return Folded(made, frozenset(terms_of(made)))


def distinct(persons: Iterable[Person]) -> tuple[Person, ...]:
    """Each form once, in order of first appearance."""
    return tuple({_ENCODER.encode(one): one for one in persons}.values())
