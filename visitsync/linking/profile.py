"""A registration made ready for comparison: every value folded once, nothing guessed.

An expected child leaves no trace here: it is never linked as a person, only through its guardian.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Final

from visitsync.linking import kana as readings
from visitsync.linking import names
from visitsync.linking.phones import phone_keys
from visitsync.linking.registration import Registration
from visitsync.schema.partial_date import is_partial_date
from visitsync.schema.visit import Person

PRINCIPALS: Final = frozenset({"guardian", "widow"})
"""Roles that answer for the household."""

_IDENTIFIES: Final = frozenset({"atena_no", "mch_handbook_no"})
"""Kinds of identifier that belong to one person; a due date is none."""

_FULL_DATE: Final = len("2024-05-17")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Member:
    """One person as one registration knows them, in all the forms it ever gave.

    Readings are unvoiced keys; names are folded. `given` holds readings and written given names.
    """

    role: str
    readings: frozenset[str]
    clear_readings: frozenset[str]
    names: frozenset[str]
    given: frozenset[str]
    surnames: frozenset[str]
    births: frozenset[str]
    identifiers: frozenset[tuple[str, str]]

    @property
    def full_births(self) -> frozenset[str]:
        """Birth dates known to the day; only these are ever strong."""
        return frozenset(birth for birth in self.births if len(birth) == _FULL_DATE)

    def shares_a_name(self, other: Member) -> bool:
        """Whether a full reading or a full written name is the same."""
        return bool(self.readings & other.readings or self.names & other.names)

    def can_be_named(self, other: Member) -> bool:
        """Whether the two can be compared by name at all."""
        return bool(
            (self.readings and other.readings)
            or (self.names and other.names)
            or (self.given and other.given)
        )

    def birth_fits(self, other: Member) -> bool:
        """Whether some pair of birth dates agrees as far as both are known."""
        if not self.births or not other.births:
            return True
        return any(a.startswith(b) or b.startswith(a) for a in self.births for b in other.births)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Profile:
    """All that comparison uses of one registration."""

    registration: str
    principals: tuple[Member, ...]
    """Guardians and widows, the applicant first; all forms of one person are one member."""
    adults: tuple[Member, ...]
    """Other members of the household."""
    children: tuple[Member, ...]
    """Each form on its own: two forms are never taken for one child, for they may be twins."""
    phones: frozenset[str]
    surnames: frozenset[str]
    identifiers: frozenset[tuple[str, str]]


def profile(registration: Registration) -> Profile:
    """Fold every form that the registration holds."""
    forms = [_member(person) for person in registration.persons if person.role != "expected_child"]
    principals = _people(form for form in forms if form.role in PRINCIPALS)
    children = tuple(form for form in forms if form.role == "child")
    adults = _people(form for form in forms if form.role == "other")
    return Profile(
        registration=registration.id,
        principals=principals,
        adults=adults,
        children=children,
        phones=frozenset().union(
            *(phone_keys(p.phone) for p in registration.persons if p.role != "expected_child")
        ),
        surnames=frozenset().union(*(form.surnames for form in forms)),
        identifiers=frozenset().union(*(form.identifiers for form in forms)),
    )


def _member(person: Person) -> Member:
    clear = readings.clear(person.kana)
    written = names.fold(person.name)
    spoken_parts = _spoken_parts(person.kana)
    written_parts = names.split(person.name)
    given: set[str] = set()
    surnames: set[str] = set()
    for parts in (spoken_parts, written_parts):
        if parts is not None:
            surnames.add(parts[0])
            given.add(parts[1])
    if person.role == "child":
        # Many offices write a child's given name alone; without a gap the whole is taken for it.
        if clear is not None and spoken_parts is None:
            given.add(readings.unvoiced(clear))
        if written is not None and written_parts is None:
            given.add(written)
    birth = person.birth_date
    return Member(
        role=person.role,
        readings=frozenset() if clear is None else frozenset({readings.unvoiced(clear)}),
        clear_readings=frozenset() if clear is None else frozenset({clear}),
        names=frozenset() if written is None else frozenset({written}),
        given=frozenset(given),
        surnames=frozenset(surnames),
        births=frozenset({birth} if birth is not None and is_partial_date(birth) else ()),
        identifiers=frozenset(_identifiers(person)),
    )


def _spoken_parts(kana: str | None) -> tuple[str, str] | None:
    parts = [readings.clear(part) for part in (kana or "").split()]
    if len(parts) < 2 or None in parts:  # noqa: PLR2004 -- a surname and a given name
        return None
    first, *rest = (readings.unvoiced(part) for part in parts if part is not None)
    return first, "".join(rest)


def _identifiers(person: Person) -> Iterable[tuple[str, str]]:
    for kind, value in person.identifiers.items():
        folded = names.fold(value) if kind in _IDENTIFIES else None
        # 0000000000 and the like stand for "none"; a shared placeholder must never link.
        if folded is not None and len(set(folded)) > 2:  # noqa: PLR2004 -- digits that differ
            yield kind, folded


def _people(forms: Iterable[Member]) -> tuple[Member, ...]:
    """Forms of adults put together into people, in the order of their first forms.

    Two forms are one person when a chain of forms connects them, so the order of the older forms
    does not matter.
    """
    people: list[list[Member]] = []
    for form in forms:
        meeting = [person for person in people if any(_same_adult(one, form) for one in person)]
        if not meeting:
            people.append([form])
            continue
        first, *rest = meeting
        for person in rest:
            first.extend(person)
            people.remove(person)
        first.append(form)
    return tuple(reduce(_both, person) for person in people)


def _same_adult(one: Member, other: Member) -> bool:
    """Within one registration: same number, or a name in common and no other birth date."""
    if one.identifiers & other.identifiers:
        return True
    named_alike = one.shares_a_name(other) or bool(one.given & other.given)
    return named_alike and one.birth_fits(other)


def _both(a: Member, b: Member) -> Member:
    return Member(
        role=a.role,
        readings=a.readings | b.readings,
        clear_readings=a.clear_readings | b.clear_readings,
        names=a.names | b.names,
        given=a.given | b.given,
        surnames=a.surnames | b.surnames,
        births=a.births | b.births,
        identifiers=a.identifiers | b.identifiers,
    )
