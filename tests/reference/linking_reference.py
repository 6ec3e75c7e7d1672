"""Same household, slowly: all pairs, no index, the rules sentence by sentence.

The twin of ``visitsync.linking.propose``. It shares the folding of readings, names and numbers, and
nothing else: every household is looked at, every form of every person is compared with every other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, product
from typing import NamedTuple

from visitsync.linking.kana import clear, unvoiced
from visitsync.linking.names import fold, split
from visitsync.linking.phones import phone_keys
from visitsync.linking.registration import Registration
from visitsync.schema.visit import Person


class Answer(NamedTuple):
    verdict: str
    household: str | None
    candidates: frozenset[str]


class Human(NamedTuple):
    """One adult: all forms that one registration gave of them."""

    forms: tuple[Person, ...]

    def full(self) -> set[str]:
        return {key for form in self.forms for key in (spoken(form.kana), fold(form.name)) if key}

    def given(self) -> set[str]:
        return {parts[1] for form in self.forms for parts in both_parts(form)}

    def days(self) -> set[str]:
        return {day for form in self.forms if len(day := form.birth_date or "") == 10}

    def numbers(self) -> set[tuple[str, str]]:
        return {number for form in self.forms for number in numbers(form)}


def spoken(kana: str | None) -> str | None:
    key = clear(kana)
    return None if key is None else unvoiced(key)


def spoken_parts(kana: str | None) -> tuple[str, str] | None:
    parts = [spoken(part) for part in (kana or "").split()]
    if len(parts) < 2 or None in parts:
        return None
    return parts[0] or "", "".join(part or "" for part in parts[1:])


def both_parts(person: Person) -> list[tuple[str, str]]:
    return [parts for parts in (spoken_parts(person.kana), split(person.name)) if parts]


def numbers(person: Person) -> set[tuple[str, str]]:
    return {
        (kind, folded)
        for kind, value in person.identifiers.items()
        if kind in ("atena_no", "mch_handbook_no")
        and (folded := fold(value))
        and len(set(folded)) > 2
    }


def births_fit(one: Human, other: Human) -> bool:
    mine = {form.birth_date for form in one.forms if form.birth_date}
    theirs = {form.birth_date for form in other.forms if form.birth_date}
    if not mine or not theirs:
        return True
    return any(a.startswith(b) or b.startswith(a) for a, b in product(mine, theirs))


def humans(registration: Registration, roles: Iterable[str]) -> list[Human]:
    """Join any two that meet until no two do; the first form keeps its place."""
    found = [Human((form,)) for form in registration.persons if form.role in roles]
    while meeting := [(a, b) for a, b in combinations(found, 2) if meet(a, b)]:
        a, b = meeting[0]
        found[found.index(a)] = Human((*a.forms, *b.forms))
        found.remove(b)
    return found


def meet(one: Human, other: Human) -> bool:
    for a, b in product(one.forms, other.forms):
        mine, theirs = Human((a,)), Human((b,))
        alike = mine.full() & theirs.full() or mine.given() & theirs.given()
        if mine.numbers() & theirs.numbers() or (alike and births_fit(mine, theirs)):
            return True
    return False


def one_human(a: Human, b: Human) -> bool:
    if a.numbers() & b.numbers():
        return True
    if a.full() & b.full():
        return births_fit(a, b)
    return bool(a.given() & b.given() and a.days() & b.days())


def perhaps_one(a: Human, b: Human) -> bool:
    if a.full() & b.full() or a.days() & b.days():
        return True
    readings = [any(spoken(form.kana) for form in human.forms) for human in (a, b)]
    written = [any(fold(form.name) for form in human.forms) for human in (a, b)]
    named = all(readings) or all(written) or bool(a.given() and b.given())
    return not named and births_fit(a, b)


class Voices(NamedTuple):
    """What one pair of registrations says."""

    strong: list[set[str]]
    against: bool
    slips: list[set[str]]
    agree: bool
    phone: bool


def listen(new: Registration, known: Registration) -> Voices:
    roles = ("guardian", "widow")
    ours, theirs = humans(new, roles), humans(known, roles)
    strong: list[set[str]] = []
    slips: list[set[str]] = []
    against = False
    pairs = [
        *product(ours, theirs),
        *product(ours, humans(known, ("other",))),
        *product(humans(new, ("other",)), [*theirs, *humans(known, ("other",))]),
    ]
    for place, (a, b) in enumerate(pairs):
        about = {f"full {x}" for x in a.full() | b.full()} | {
            f"on {x}" for x in a.days() | b.days()
        }
        if a.numbers() & b.numbers():
            strong.append({"numbers"})
        if a.full() & b.full() and a.days() & b.days():
            strong.append(about)
            for kind in ("atena_no", "mch_handbook_no"):
                mine = {value for k, value in a.numbers() if k == kind}
                other = {value for k, value in b.numbers() if k == kind}
                guardians = place < len(ours) * len(theirs)
                against = against or bool(guardians and mine and other and not mine & other)
        elif a.full() & b.full() and not births_fit(a, b) and place < len(ours) * len(theirs):
            slips.append(about)
    if children_shared(new, known):
        strong.append({"children"})
    phone = bool(phones(new) & phones(known))
    if phone:
        strong.append({"phone"})
    matches = [(one_human(a, b)) for a, b in product(ours, theirs)]
    if (
        ours
        and theirs
        and not any(perhaps_one(a, b) or one_human(a, b) for a, b in product(ours, theirs))
    ):
        against = True
    agree = bool(ours and theirs) and (
        one_human(ours[0], theirs[0])
        or (
            any(matches)
            and all(any(one_human(a, b) for b in theirs) for a in ours)
            and all(any(one_human(a, b) for a in ours) for b in theirs)
        )
    )
    return Voices(strong, against, slips, agree, phone)


def phones(registration: Registration) -> set[str]:
    return {
        key
        for person in registration.persons
        if person.role != "expected_child"
        for key in phone_keys(person.phone)
    }


def children_shared(new: Registration, known: Registration) -> bool:
    mine, theirs = (
        [person for person in one.persons if person.role == "child"] for one in (new, known)
    )
    if any(numbers(a) & numbers(b) for a, b in product(mine, theirs)):
        return True
    surnames = [
        {
            parts[0]
            for person in one.persons
            if person.role != "expected_child"
            for parts in both_parts(person)
        }
        for one in (new, known)
    ]
    return bool(surnames[0] & surnames[1]) and any(
        given(a) & given(b) and a.birth_date == b.birth_date and len(a.birth_date or "") == 10
        for a, b in product(mine, theirs)
    )


def given(child: Person) -> set[str]:
    heard, written = spoken_parts(child.kana), split(child.name)
    return {
        key
        for key in (
            heard[1] if heard else spoken(child.kana),
            written[1] if written else fold(child.name),
        )
        if key
    }


def propose_slowly(
    new: Registration,
    households: Mapping[str, Sequence[Registration]],
    never: Iterable[tuple[str, str]] = (),
) -> Answer:
    refused = {frozenset(pair) for pair in never}
    allowed = {
        home: [listen(new, known) for known in members]
        for home, members in households.items()
        if not any(frozenset((new.id, known.id)) in refused for known in members)
    }
    institution = sum(any(v.phone for v in voices) for voices in allowed.values()) > 3
    fitting, free, near = [], [], []
    for home, voices in allowed.items():
        strong = [s for v in voices for s in v.strong if not (institution and s == {"phone"})]
        if not strong:
            continue
        near.append(home)
        settled = set().union(*strong)
        if islands(strong) >= 2 and any(v.agree for v in voices):
            fitting.append(home)
            slip = any(not s & settled for v in voices for s in v.slips)
            if not slip and not any(v.against for v in voices) and len(households[home]) < 30:
                free.append(home)
    if len(fitting) == 1 and free:
        return Answer("same", free[0], frozenset(near))
    return Answer("review" if near else "new", None, frozenset(near))


def islands(sets: Sequence[set[str]]) -> int:
    """How many groups of sets have nothing in common with each other."""
    left = list(sets)
    count = 0
    while left:
        island = left.pop()
        while meeting := [one for one in left if one & island]:
            for one in meeting:
                island = island | one
                left.remove(one)
        count += 1
    return count
