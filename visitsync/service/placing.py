"""Placing registrations: known ones where they are, new ones where strong evidence puts them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.linking import Household, IndexTerm, Proposal, profile, propose_profiled
from visitsync.linking import Registration as Known
from visitsync.linking.index import terms_of
from visitsync.linking.profile import Profile
from visitsync.schema.visit import Person
from visitsync.service.ids import new_id
from visitsync.service.keyring import LOG, PERSONS, Keyring, Place, ProfilePlace, held
from visitsync.service.reports import Linked
from visitsync.store import data_keys, facts, households
from visitsync.store.data_keys import Key
from visitsync.store.households import Link, Registration, Review

_PERSONS: Final = msgspec.json.Decoder(tuple[Person, ...])
_ENCODER: Final = msgspec.json.Encoder()


class Arrival(NamedTuple):
    """What one submission says about one registration."""

    id: str
    office: str
    program: str
    persons: tuple[Person, ...]
    """Every form, those of the newest report first."""


class Placed(NamedTuple):
    """Where the registrations of a submission belong, and what there is to store."""

    homes: dict[str, str]
    """By registration, its household."""
    keys: dict[Place, bytes]
    """All keys of these households."""
    new_keys: list[Key]
    new_households: list[str]
    new_registrations: list[Registration]
    links: list[Link]
    reviews: list[Review]
    terms: set[tuple[str, str]]
    profiles: dict[str, tuple[int, bytes]]
    linked: Linked

    def key(self, keyring: Keyring, place: Place) -> bytes:
        """The key of a place, made where there is none yet."""
        key = self.keys.get(place)
        if key is None:
            key, row = keyring.made(place)
            self.keys[place] = key
            self.new_keys.append(row)
        return key


async def place(
    connection: AsyncConnection, keyring: Keyring, arrivals: Sequence[Arrival], at: int
) -> Placed:
    """Work out where each registration belongs; stores nothing.

    Args:
        connection: in the transaction that holds the intake.
        keyring: of the installation.
        arrivals: each registration once.
        at: the present instant.
    """
    known = await households.registrations(connection, [one.id for one in arrivals])
    new = {one.id: _folded(one) for one in arrivals if one.id not in known}
    tokens = {one: _tokens(keyring, found) for one, found in new.items()}
    wanted = {token for found in tokens.values() for token in found}
    holders = await households.holders(connection, wanted) if wanted else {}
    near = set().union(*holders.values()) if holders else set()
    homes = {one.id: one.household for one in known.values()}
    rows = await data_keys.of_households(connection, near | set(homes.values()))
    placed = Placed(
        homes, keyring.opened(rows), [], [], [], [], [], set(), {}, Linked()
    )  # fmt: skip
    await _refresh(connection, keyring, placed, [one for one in arrivals if one.id in known], known)
    if not new:
        return placed
    desk = _Desk(
        keyring,
        placed,
        holders,
        members=await households.members(connection, near),
        guarded=await facts.with_facts(connection, "shield", near),
    )
    counts = dict.fromkeys(Linked.__struct_fields__, 0)
    for number, arrival in enumerate(one for one in arrivals if one.id in new):
        if number % 16 == 15:  # noqa: PLR2004 -- a few milliseconds of comparing
            await asyncio.sleep(0)
        proposal = desk.propose(new[arrival.id], tokens[arrival.id])
        desk.settle(arrival, new[arrival.id], proposal, tokens[arrival.id], at)
        counts[_COUNTED[proposal.verdict]] += 1
    return placed._replace(linked=Linked(**counts))


_COUNTED: Final = {"same": "linked", "new": "new", "review": "review"}


async def store(connection: AsyncConnection, placed: Placed, at: int) -> None:
    """Store what `place` worked out, and the keys made since."""
    await households.add(connection, placed.new_households, at)
    await households.add_registrations(connection, placed.new_registrations, placed.links)
    await households.open_reviews(connection, placed.reviews)
    await households.set_profiles(connection, placed.profiles)
    await households.add_terms(connection, placed.terms)
    await data_keys.add(connection, placed.new_keys)


class _Desk:
    """Compares new registrations with the households they may belong to, one after the other."""

    def __init__(
        self,
        keyring: Keyring,
        placed: Placed,
        holders: Mapping[str, Collection[str]],
        *,
        members: Mapping[str, Sequence[Registration]],
        guarded: Collection[str],
    ) -> None:
        self._keyring = keyring
        self._placed = placed
        self._holders: dict[str, set[str]] = defaultdict(set)
        for token, found in holders.items():
            self._holders[token] |= set(found)
        self._members = members
        self._guarded = guarded
        self._folded: dict[str, list[Profile]] = {}
        self._known_terms: dict[str, set[IndexTerm]] = {}

    def propose(self, new: Profile, tokens: Collection[str]) -> Proposal:
        """What the rules say, among the households that share a term."""
        near = sorted(set().union(*(self._holders.get(token, ()) for token in tokens)))
        terms = frozenset(terms_of(new))
        # A token is shared by chance too, a term is not: the others need no comparing.
        return propose_profiled(
            new,
            [self._household(one) for one in near if not terms.isdisjoint(self._terms(one))],
        )

    def _household(self, one: str) -> Household:
        return Household(
            household=one,
            registrations=tuple(self._profiles(one)),
            only_a_person_may_link=one in self._guarded,
        )

    def _terms(self, household: str) -> set[IndexTerm]:
        if household not in self._known_terms:
            found = (terms_of(one) for one in self._profiles(household))
            self._known_terms[household] = set().union(*found)
        return self._known_terms[household]

    def settle(
        self, arrival: Arrival, folded: Profile, proposal: Proposal, tokens: Iterable[str], at: int
    ) -> None:
        """Put a new registration where the proposal says."""
        placed, keyring = self._placed, self._keyring
        home = proposal.household
        if home is None:
            home = new_id("h")
            placed.new_households.append(home)
            placed.key(keyring, (home, "", LOG))
            self._folded[home] = []
        self._terms(home).update(terms_of(folded))
        self._profiles(home).append(folded)
        for token in tokens:
            self._holders[token].add(home)
            placed.terms.add((token, arrival.id))
        placed.homes[arrival.id] = home
        sealed = seal_profile(placed, keyring, ProfilePlace(home, arrival.id, 1), arrival.persons)
        placed.new_registrations.append(
            Registration(arrival.id, arrival.office, arrival.program, home, at, 1, sealed)
        )
        evidence = _ENCODER.encode(proposal.evidence).decode()
        placed.links.append(
            Link(
                id=new_id("k"),
                registration=arrival.id,
                household=home,
                from_at=at,
                until_at=None,
                verdict=proposal.verdict,
                decided_by="visitsync",
                rules=proposal.rules,
                evidence=evidence,
            )
        )
        if proposal.verdict == "review":
            candidates = _ENCODER.encode(proposal.candidates).decode()
            placed.reviews.append(
                Review(arrival.id, at, None, candidates, evidence, proposal.rules)
            )

    def _profiles(self, household: str) -> list[Profile]:
        if household not in self._folded:
            self._folded[household] = [
                profile(_known(one, open_profile(self._placed.keys, self._keyring, one)))
                for one in self._members.get(household, ())
            ]
        return self._folded[household]


async def _refresh(
    connection: AsyncConnection,
    keyring: Keyring,
    placed: Placed,
    arrivals: Iterable[Arrival],
    known: Mapping[str, Registration],
) -> None:
    """Add new forms of persons to the profiles of known registrations; their links stay."""
    changed: dict[str, Profile] = {}
    for arrival in arrivals:
        row = known[arrival.id]
        persons = open_profile(placed.keys, keyring, row)
        together = distinct((*arrival.persons, *persons))
        if len(together) == len(persons):
            continue
        edition = row.edition + 1
        sealed = seal_profile(
            placed, keyring, ProfilePlace(row.household, row.id, edition), together
        )
        placed.profiles[row.id] = (edition, sealed)
        changed[row.id] = _folded(arrival._replace(persons=together))
    if changed:
        there = await households.terms_of(connection, changed)
        for one, folded in changed.items():
            found = {(token, one) for token in _tokens(keyring, folded)}
            placed.terms.update(found - there)


def distinct(persons: Iterable[Person]) -> tuple[Person, ...]:
    """Each form once, in order of first appearance."""
    return tuple({_ENCODER.encode(one): one for one in persons}.values())


def seal_profile(
    placed: Placed, keyring: Keyring, at: ProfilePlace, persons: Sequence[Person]
) -> bytes:
    """The persons of a registration, sealed for its household."""
    key = placed.key(keyring, (at.household, "", PERSONS))
    return keyring.seal_profile(key, at, _ENCODER.encode(persons))


def open_profile(
    keys: Mapping[Place, bytes], keyring: Keyring, row: Registration
) -> tuple[Person, ...]:
    """The persons of a stored registration.

    Raises:
        Tampered: it was altered or moved.
    """
    key = held(keys, (row.household, "", PERSONS))
    return _PERSONS.decode(
        keyring.open_profile(key, ProfilePlace(row.household, row.id, row.edition), row.profile)
    )


def _folded(arrival: Arrival) -> Profile:
    return profile(
        Known(
            id=arrival.id,
            office=arrival.office,
            program=arrival.program,
            persons=arrival.persons,
        )
    )


def _known(row: Registration, persons: tuple[Person, ...]) -> Known:
    return Known(id=row.id, office=row.office, program=row.program, persons=persons)


def _tokens(keyring: Keyring, folded: Profile) -> frozenset[str]:
    return frozenset(keyring.token(term.kind, term.value) for term in terms_of(folded))
