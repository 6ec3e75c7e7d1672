"""Which protections must count for which registration, the slow and obvious way.

Nothing is copied here. A protection counts for a household from when it is begun there until it is
ended there. It comes along with a registration that is moved. And as long as it is in doubt whether
a registration belongs to others, what counts for one of those others, or for one they came to share
a household with, counts for it too, and for all that ever shared a household with it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Flag(NamedTuple):
    """A protection, by a name of its own."""

    kind: str
    name: str


class _Review:
    def __init__(self, doubtful: str, others: Iterable[str]) -> None:
        self.doubtful = {doubtful}
        self.others = set(others)


class Reference:
    """Told what happens; says what must count."""

    def __init__(self) -> None:
        self._house: dict[str, int] = {}
        """By registration."""
        self._flags: dict[int, set[Flag]] = {}
        self._ended: set[tuple[int, Flag]] = set()
        self._reviews: dict[str, _Review] = {}

    def arrives(self, one: str, beside: str | None = None, perhaps: Iterable[str] = ()) -> None:
        """A registration is new: beside another one, or alone and perhaps one of others."""
        self._house[one] = self._new() if beside is None else self._house[beside]
        others = set(perhaps)
        if others:
            self._reviews[one] = _Review(one, others)
        self._settle()

    def leaves(self, one: str) -> None:
        """It is taken out of its household."""
        before = self._house[one]
        self._house[one] = new = self._new()
        self._flags[new] = set(self._flags[before])
        self._ended |= {(new, flag) for house, flag in self._ended if house == before}
        self._settle()

    def joins(self, one: str, other: str) -> None:
        """A person says that it belongs to another one's household."""
        self._reviews.pop(one, None)
        before, new = self._house[one], self._house[other]
        self._house[one] = new
        self._flags[new] |= self._flags[before]
        self._ended -= {(new, flag) for flag in self._flags[before]}
        self._settle()

    def stays(self, one: str) -> None:
        """A person says that it belongs to none of them."""
        self._reviews.pop(one, None)

    def begins(self, one: str, flag: Flag) -> None:
        """Somebody protects the household in which it stands."""
        self._flags[self._house[one]].add(flag)
        self._settle()

    def ends(self, one: str, flag: Flag) -> None:
        """Two people end it there, and nowhere else."""
        self._flags[self._house[one]].discard(flag)
        self._ended.add((self._house[one], flag))

    def protecting(self, one: str) -> set[Flag]:
        """What must count for it now."""
        return set(self._flags[self._house[one]])

    def _new(self) -> int:
        self._flags[len(self._flags)] = set()
        return len(self._flags) - 1

    def _settle(self) -> None:
        before = None
        while before != (now := self._everything()):
            before = now
            for review in self._reviews.values():
                review.doubtful |= self._sharing(review.doubtful)
                review.others |= self._sharing(review.others)
                wanted = {
                    flag
                    for other in review.others
                    for flag in self._flags[self._house[other]]
                    if flag.kind != "directive"
                }
                for one in review.doubtful:
                    house = self._house[one]
                    ended = {flag for at, flag in self._ended if at == house}
                    self._flags[house] |= wanted - ended

    def _sharing(self, some: set[str]) -> set[str]:
        houses = {self._house[one] for one in some}
        return {one for one, house in self._house.items() if house in houses}

    def _everything(self) -> object:
        reviews = [(set(one.doubtful), set(one.others)) for one in self._reviews.values()]
        return reviews, {house: set(flags) for house, flags in self._flags.items()}
