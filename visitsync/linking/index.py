"""What the blind index finds candidates by: compound values only.

Every strong piece of evidence is a term that two registrations share, so a search by terms misses
nothing that comparing all pairs would find. A surname, a sex or a postal code alone is never a
term: its blind value could be guessed by counting.
"""

from __future__ import annotations

from collections.abc import Iterator

from visitsync.linking.profile import Member, Profile, profile
from visitsync.linking.registration import Registration
from visitsync.schema.silent import Struct


class IndexTerm(Struct, frozen=True, kw_only=True, order=True):
    """One value to be keyed (HMAC) by the caller before it is stored or asked for."""

    kind: str
    """``person``, ``child``, ``phone`` or ``identifier``; part of what is keyed."""
    value: str


def index_terms(registration: Registration) -> tuple[IndexTerm, ...]:
    """The terms of a registration, each once, in a fixed order."""
    return terms_of(profile(registration))


def terms_of(known: Profile) -> tuple[IndexTerm, ...]:
    """The terms of a registration that is folded already."""
    return tuple(sorted(set(_terms(known))))


def person_keys(member: Member) -> frozenset[str]:
    """An adult's full reading or written name, each with a birth date known to the day."""
    return _with_births(member.readings | member.names, member)


def child_keys(member: Member) -> frozenset[str]:
    """A child's given name, spoken and written, each with a birth date known to the day.

    The given name alone, because half the offices write no more of a child.
    """
    return _with_births(member.given, member)


def _with_births(names: frozenset[str], member: Member) -> frozenset[str]:
    return frozenset(f"{name}|{birth}" for name in names for birth in member.full_births)


def _terms(known: Profile) -> Iterator[IndexTerm]:
    for phone in known.phones:
        yield IndexTerm(kind="phone", value=phone)
    for kind, value in known.identifiers:
        yield IndexTerm(kind="identifier", value=f"{kind}|{value}")
    for member in (*known.principals, *known.adults):
        for key in person_keys(member):
            yield IndexTerm(kind="person", value=key)
    for member in known.children:
        for key in child_keys(member):
            yield IndexTerm(kind="child", value=key)
