"""Many registrations linked from scratch in memory, one by one as they would arrive.

What the service does with its blind index and its database, without either: for measuring, and for
linking a file offline.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from visitsync.linking.index import IndexTerm, terms_of
from visitsync.linking.profile import Profile, profile
from visitsync.linking.propose import Household, propose_profiled
from visitsync.linking.registration import Proposal, Registration


class Linker:
    """Households as they grow, found by their index terms.

    A household bears the id of its first registration. One that waits for review stands alone.

    Args:
        never: pairs of registration ids of which a person said "not the same".
    """

    def __init__(self, never: Collection[tuple[str, str]] = ()) -> None:
        self._never = frozenset(never)
        self._holders: dict[IndexTerm, set[str]] = defaultdict(set)
        self._households: dict[str, list[Profile]] = {}

    def place(self, registration: Registration) -> Proposal:
        """Propose a household for one that was not placed before, and put it there."""
        known = profile(registration)
        terms = terms_of(known)
        found = sorted({holder for term in terms for holder in self._holders.get(term, ())})
        proposal = propose_profiled(known, self._candidates(found), never=self._never)
        home = proposal.household or registration.id
        self._households.setdefault(home, []).append(known)
        for term in terms:
            self._holders[term].add(home)
        return proposal

    def settle(self, household: str, same_as: Collection[str]) -> None:
        """What a person decided: these households are one; it bears the first id in sorting."""
        homes = sorted({household, *same_as})
        for gone in homes[1:]:
            for known in self._households.pop(gone):
                self._households[homes[0]].append(known)
                for term in terms_of(known):
                    self._holders[term] -= {gone}
                    self._holders[term].add(homes[0])

    def households(self) -> dict[str, tuple[str, ...]]:
        """The registrations of every household, in the order in which they came."""
        return {
            home: tuple(known.registration for known in members)
            for home, members in self._households.items()
        }

    def _candidates(self, found: Collection[str]) -> Iterator[Household]:
        for home in found:
            yield Household(household=home, registrations=tuple(self._households[home]))
