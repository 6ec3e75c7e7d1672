"""Comparing new registrations with the households they may belong to, one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from visitsync.linking import Household, IndexTerm, Proposal, propose_profiled
from visitsync.linking.profile import Profile
from visitsync.schema.silent import silent
from visitsync.service.context import Context
from visitsync.service.folding import Folded, fold
from visitsync.service.ids import new_id
from visitsync.service.keyring import LOG, ProfilePlace
from visitsync.service.placed import Arrival, Placed, open_profile, seal_profile
from visitsync.store.households import Edition, Link, Registration, Review, Term

_ENCODER: Final = msgspec.json.Encoder()


@silent
class Newcomer(NamedTuple):
    """A registration that was not known before."""

    arrival: Arrival
    folded: Folded
    tokens: frozenset[str]
    """By which it may be found, under every epoch of the index."""
    terms: frozenset[Term]
    """As they are stored."""


class Desk:
    """Compares new registrations with the households they may belong to, one after the other."""

    def __init__(
        self,
        context: Context,
        placed: Placed,
        holders: Mapping[str, Collection[str]],
        *,
        members: Mapping[str, Sequence[Registration]],
        guarded: Collection[str],
    ) -> None:
        self._keyring = context.keyring
        self._folds = context.folded
        self._placed = placed
        self._holders: dict[str, set[str]] = defaultdict(set)
        for token, found in holders.items():
            self._holders[token] |= set(found)
        self._members = members
        self._guarded = guarded
        self._known: dict[str, tuple[list[Profile], set[IndexTerm]]] = {}

    def place(self, new: Newcomer, at: int) -> Proposal:
        """Put a registration where the rules say, beside those placed before it."""
        proposal = self._propose(new)
        home = proposal.household or self._new_household()
        self._placed.homes[new.arrival.id] = home
        sealed = seal_profile(
            self._placed,
            self._keyring,
            ProfilePlace(home, new.arrival.id, 1),
            new.arrival.persons,
        )
        self._remember(new, home, sealed.profile)
        self._write(new.arrival, home, sealed, proposal, at)
        return proposal

    def _propose(self, new: Newcomer) -> Proposal:
        near = sorted(set().union(*(self._holders.get(token, ()) for token in new.tokens)))
        # A token is shared by chance too, a term is not: the others need no comparing.
        return propose_profiled(
            new.folded.profile,
            [
                Household(
                    household=one,
                    registrations=tuple(self._profiles(one)),
                    only_a_person_may_link=one in self._guarded,
                )
                for one in near
                if not new.folded.terms.isdisjoint(self._terms(one))
            ],
        )

    def _new_household(self) -> str:
        home = new_id("h")
        self._placed.new_households.append(home)
        self._placed.key((home, "", LOG))
        self._known[home] = ([], set())
        return home

    def _remember(self, new: Newcomer, home: str, sealed: bytes) -> None:
        self._profiles(home).append(new.folded.profile)
        self._terms(home).update(new.folded.terms)
        for token in new.tokens:
            self._holders[token].add(home)
        self._placed.terms.update(new.terms)
        self._folds.put(sealed, new.folded)

    def _write(
        self, arrival: Arrival, home: str, sealed: Edition, proposal: Proposal, at: int
    ) -> None:
        self._placed.new_registrations.append(
            Registration(arrival.id, arrival.office, arrival.program, home, at, *sealed)
        )
        evidence = _told(proposal)
        self._placed.links.append(
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
            self._placed.reviews.append(
                Review(arrival.id, at, None, candidates, evidence, proposal.rules)
            )

    def _profiles(self, household: str) -> list[Profile]:
        return self._of(household)[0]

    def _terms(self, household: str) -> set[IndexTerm]:
        return self._of(household)[1]

    def _of(self, household: str) -> tuple[list[Profile], set[IndexTerm]]:
        found = self._known.get(household)
        if found is None:
            folded = [self._fold(one) for one in self._members.get(household, ())]
            found = self._known[household] = (
                [one.profile for one in folded],
                set().union(*(one.terms for one in folded)),
            )
        return found

    def _fold(self, one: Registration) -> Folded:
        known = self._folds.get(one.profile)
        if known is None:
            persons = open_profile(self._placed.keys, self._keyring, one)
            known = fold(one.id, one.office, one.program, persons)
            self._folds.put(one.profile, known)
        return known


def _told(proposal: Proposal) -> str:
    """The pieces that speak for and against the household it joins, or those it may belong to."""
    pieces = [one for one in proposal.evidence if proposal.household in (None, one.household)]
    told = (f"{one.kind}:{one.strength}:{one.code}" for one in pieces)
    return " ".join(sorted(set(told)))
