"""Which protections of one household count for another one as well (pure).

Protection does not wait for certainty. A household in doubt — with a registration that waits for
review — is under every shield and block of the households it may belong to, and each half of a
split household under every shield, block and refusal of the whole. Both are copies, made here and
nowhere else, word for word: whether one has ended, or can be read at all, is for the rules to say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from visitsync.consent.facts import Directive
from visitsync.consent.statements import read
from visitsync.schema.silent import silent
from visitsync.service import authority

PROTECTING: Final = ("shield", "block")
_DIRECTIVE: Final = "directive"


@silent
class Said(NamedTuple):
    """A protection apart from where it stands."""

    kind: str
    body: str
    """JSON without id, version, household and when it was recorded."""


@silent
class Waiting(NamedTuple):
    """A registration that waits for review."""

    home: str
    """The household in which it stands meanwhile."""
    candidates: Collection[str]
    """Those that it may belong to."""


@silent
class Move(NamedTuple):
    """A registration was taken out of one household into another one."""

    whole: str
    half: str


@silent
class Doubts(NamedTuple):
    """All that is undecided, and which registrations were ever moved."""

    waiting: Sequence[Waiting]
    moves: Sequence[Move]

    def may_belong_to(self, household: str) -> set[str]:
        """The households whose shields and blocks count for this one, be it through others."""
        return _spread([household], self._near()) - {household}

    def reached(self, household: str) -> set[str]:
        """The households that a shield or block begun for this one protects as well."""
        return _spread([household], _turned_round(self._near())) - {household}

    def _near(self) -> dict[str, set[str]]:
        """By household in doubt, those that it may belong to without going through others.

        A half is in doubt like the whole that it was taken from, and so is what is left of that;
        and whoever may belong to a household may belong to each half of it.
        """
        halves: dict[str, set[str]] = defaultdict(set)
        together: dict[str, set[str]] = defaultdict(set)
        for one in self.moves:
            halves[one.whole].add(one.half)
            together[one.whole].add(one.half)
            together[one.half].add(one.whole)
        near: dict[str, set[str]] = defaultdict(set)
        for waits in self.waiting:
            wanted = _spread(waits.candidates, halves)
            for home in _spread([waits.home], together):
                near[home] |= wanted
        return near


def _spread(start: Iterable[str], leads: Mapping[str, Collection[str]]) -> set[str]:
    """`start`, and all that is led to from there."""
    found: set[str] = set()
    new = set(start)
    while new:
        found |= new
        new = {other for one in new for other in leads.get(one, ())} - found
    return found


def _turned_round(leads: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for one, others in leads.items():
        for other in others:
            found[other].add(one)
    return found


def for_household_in_doubt(own: Iterable[Said], others: Iterable[Said]) -> list[Said]:
    """What a household in doubt takes over: each shield and block that it does not have yet."""
    wanted = dict.fromkeys(one for one in others if one.kind in PROTECTING)
    return [one for one in wanted if one not in set(own)]


def for_half(whole: Iterable[Said]) -> list[Said]:
    """What goes with a registration that is moved: every shield, block and refusal.

    And what is known of guardians and of courts: who lost authority over the children lost it for
    each half.

    A refusal counts for each half as for the whole; so does a directive that cannot be read, which
    counts as a refusal of everything.
    """
    found = []
    for one in whole:
        if one.kind in PROTECTING or one.kind in authority.KINDS:
            found.append(one)
        elif one.kind == _DIRECTIVE:
            said = msgspec.json.decode(one.body)
            directive = _directive(said)
            if directive is None:
                found.append(one)
            elif directive.effect == "deny":
                said["registrations"] = "household"
                found.append(Said(one.kind, msgspec.json.encode(said, order="sorted").decode()))
    return found


def _directive(said: Any) -> Directive | None:  # noqa: ANN401 -- stored JSON
    """As the rules read it, in whatever household and version."""
    if not isinstance(said, dict):
        return None
    stands = {"id": "d", "version": 1, "household": "h", "recorded_at": "2020-01-01T00:00:00Z"}
    return read(Directive, said | stands)
