"""Households in memory, whose protections are carried by the service's own pure rules."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from reference.protection_reference import Flag, Reference

from visitsync.service import carrying
from visitsync.service.carrying import Doubts, Move, Said, Waiting

STEPS: Final = 20
FAMILIES: Final = 2
KINDS: Final = ("shield", "block", "directive")
_LASTING: Final = {"from": "2026-01-01T00:00:00Z", "until": None}
_EVERYTHING: Final = dict.fromkeys(("sources", "recipients", "purposes", "categories"), "*")


def a_flag(flag: Flag) -> Said:
    """The protection as it would be stored, with its name in a place that the rules pass on."""
    bodies: dict[str, dict[str, Any]] = {
        "shield": {**_LASTING, "closed_at": None, "allowed": [flag.name], "withhold_notes": True},
        "block": {**_LASTING, "closed_at": None, "who": [flag.name]},
        "directive": {
            **_EVERYTHING,
            "grantor": flag.name,
            "effect": "deny",
            "valid": _LASTING,
            "data": {"from": "2020-01-01", "until": None},
            "registrations": ["r"],
            "withdrawn_at": None,
            "notice_version": "2026-04",
        },
    }
    return Said(flag.kind, _written(bodies[flag.kind]))


def _written(body: dict[str, Any]) -> str:
    return msgspec.json.encode(body, order="sorted").decode()


@lru_cache(maxsize=65536)
def standing(said: Said) -> Flag | None:
    """Which protection it is; None where two people ended it or its grantor withdrew it."""
    body = msgspec.json.decode(said.body, type=dict[str, Any])
    if body.get("closed_at") or body.get("withdrawn_at"):
        return None
    name = {"shield": "allowed", "block": "who", "directive": "grantor"}[said.kind]
    return Flag(said.kind, "".join(body[name]))


def _ended(said: Said) -> Said:
    body = msgspec.json.decode(said.body, type=dict[str, Any])
    name = "withdrawn_at" if said.kind == "directive" else "closed_at"
    return Said(said.kind, _written({**body, name: "2026-06-01T00:00:00Z"}))


class Rules(NamedTuple):
    """How protections are carried; a control takes one away."""

    in_doubt: Callable[[Iterable[Said], Iterable[Said]], list[Said]]
    for_half: Callable[[Iterable[Said]], list[Said]]
    may_belong_to: Callable[[Doubts, str], set[str]]
    reached: Callable[[Doubts, str], set[str]]


IN_FORCE: Final = Rules(
    carrying.for_household_in_doubt, carrying.for_half, Doubts.may_belong_to, Doubts.reached
)


class _Stored(msgspec.Struct):
    homes: dict[str, str]
    facts: dict[str, list[Said]]
    waiting: dict[str, list[str]]
    moves: list[Move]


class World:
    """What would stand in the database."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.stored = _Stored({}, {}, {}, [])

    def arrives(self, one: str, home: str | None, candidates: Iterable[str]) -> None:
        stored = self.stored
        stored.homes[one] = self._new() if home is None else home
        wanted = sorted(candidates)
        if wanted:
            stored.waiting[one] = wanted
            self._sheltered(stored.homes[one])

    def leaves(self, one: str) -> None:
        whole = self.stored.homes[one]
        self.stored.homes[one] = half = self._new()
        self.stored.moves.append(Move(whole, half))
        self.stored.facts[half] += self._rules.for_half(self.stored.facts[whole])

    def joins(self, one: str, home: str) -> None:
        whole = self.stored.homes[one]
        self.stored.waiting.pop(one)
        self.stored.moves.append(Move(whole, home))
        self.stored.homes[one] = home
        self.stored.facts[home] += self._rules.for_half(self.stored.facts[whole])
        # Who may belong to what was joined may now belong to all of it.
        for other in self._rules.reached(self._doubts(), home):
            self._sheltered(other)

    def stays(self, one: str) -> None:
        self.stored.waiting.pop(one)

    def begins(self, one: str, said: Said) -> None:
        home = self.stored.homes[one]
        self.stored.facts[home].append(said)
        if said.kind != "directive":
            for other in self._rules.reached(self._doubts(), home):
                self.stored.facts[other].append(said)

    def ends(self, one: str, flag: Flag) -> None:
        home = self.stored.homes[one]
        self.stored.facts[home] = [
            _ended(said) if standing(said) == flag else said for said in self.stored.facts[home]
        ]

    def restored(self) -> None:
        """Backed up and put back."""
        self.stored = msgspec.json.decode(msgspec.json.encode(self.stored), type=_Stored)

    def protecting(self, one: str) -> set[Flag]:
        facts = self.stored.facts[self.stored.homes[one]]
        return {flag for said in facts if (flag := standing(said)) is not None}

    def _sheltered(self, home: str) -> None:
        facts = self.stored.facts
        near = sorted(self._rules.may_belong_to(self._doubts(), home))
        others = [said for one in near for said in facts[one]]
        facts[home] += self._rules.in_doubt(facts[home], others)

    def _doubts(self) -> Doubts:
        stored = self.stored
        waiting = [Waiting(stored.homes[one], near) for one, near in stored.waiting.items()]
        return Doubts(waiting, stored.moves)

    def _new(self) -> str:
        home = f"h{len(self.stored.facts)}"
        self.stored.facts[home] = []
        return home


class Sequence:
    """One sequence of what can happen to a few families, told to the world and to the model."""

    def __init__(self, chance: random.Random, rules: Rules) -> None:
        self.chance = chance
        self.world = World(rules)
        self.model = Reference()
        self.known: list[list[str]] = [[] for _ in range(FAMILIES)]
        self.count = 0
        self.done: Counter[str] = Counter()

    def run(self) -> int:
        """How many protections are lost after some step; what none of the family had counts too."""
        for _ in range(STEPS):
            family = self.chance.randrange(FAMILIES)
            step = self.chance.choice(_STEPS)
            if step(self, family):
                self.done[step.__name__] += 1
            if lost := self._lost():
                return lost
        return 0

    def _lost(self) -> int:
        lost = 0
        for family, registrations in enumerate(self.known):
            for one in registrations:
                found = self.world.protecting(one)
                lost += len(self.model.protecting(one) - found)
                lost += sum(not flag.name.startswith(f"{family}:") for flag in found)
        return lost

    # ── what can happen ───────────────────────────────────────────────────────────────────────────
    def handed_in(self, family: int) -> bool:
        one = self._new(family)
        self.world.arrives(one, None, ())
        self.model.arrives(one)
        return True

    def linked(self, family: int) -> bool:
        """Joined by evidence, or by an office of another program: a program change."""
        if not self.known[family]:
            return False
        other = self._any(family)
        one = self._new(family)
        self.world.arrives(one, self.world.stored.homes[other], ())
        self.model.arrives(one, beside=other)
        return True

    def proposed(self, family: int) -> bool:
        """Waits for a person, beside one household or several."""
        homes = self.world.stored.homes
        there = sorted({homes[one] for one in self.known[family]})
        if not there:
            return False
        wanted = set(self.chance.sample(there, self.chance.randint(1, min(3, len(there)))))
        perhaps = [one for one in self.known[family] if homes[one] in wanted]
        one = self._new(family)
        self.world.arrives(one, None, wanted)
        self.model.arrives(one, perhaps=perhaps)
        return True

    def confirmed(self, family: int) -> bool:
        waits = self._waiting(family)
        homes = self.world.stored.homes
        if waits is None:
            return False
        others = [one for one in self.known[family] if homes[one] != homes[waits]]
        if not others:
            return False
        other = self.chance.choice(others)
        self.world.joins(waits, homes[other])
        self.model.joins(waits, other)
        return True

    def rejected(self, family: int) -> bool:
        waits = self._waiting(family)
        if waits is None:
            return False
        self.world.stays(waits)
        self.model.stays(waits)
        return True

    def undone(self, family: int) -> bool:
        if not self.known[family]:
            return False
        one = self._any(family)
        homes = self.world.stored.homes
        if sum(home == homes[one] for home in homes.values()) < 2:
            return False
        self.world.leaves(one)
        self.model.leaves(one)
        return True

    def begun(self, family: int) -> bool:
        if not self.known[family]:
            return False
        one = self._any(family)
        self.count += 1
        flag = Flag(self.chance.choice(KINDS), f"{family}:{self.count}")
        self.world.begins(one, a_flag(flag))
        self.model.begins(one, flag)
        return True

    def ended(self, family: int) -> bool:
        if not self.known[family]:
            return False
        one = self._any(family)
        there = sorted(self.model.protecting(one))
        if not there:
            return False
        flag = self.chance.choice(there)
        self.world.ends(one, flag)
        self.model.ends(one, flag)
        return True

    def restored(self, _: int) -> bool:
        self.world.restored()
        return True

    def _new(self, family: int) -> str:
        one = f"r{family}-{len(self.known[family])}"
        self.known[family].append(one)
        return one

    def _any(self, family: int) -> str:
        return self.chance.choice(self.known[family])

    def _waiting(self, family: int) -> str | None:
        waits = [one for one in self.known[family] if one in self.world.stored.waiting]
        return self.chance.choice(waits) if waits else None


_STEPS: Final[tuple[Callable[[Sequence, int], bool], ...]] = (
    *(Sequence.handed_in, Sequence.linked, Sequence.linked, Sequence.proposed, Sequence.proposed),
    *(Sequence.confirmed, Sequence.rejected, Sequence.undone, Sequence.undone),
    *(Sequence.begun, Sequence.begun, Sequence.begun, Sequence.ended, Sequence.restored),
)
EVERY_STEP: Final = frozenset(one.__name__ for one in _STEPS)


def lost(seed: int, count: int, rules: Rules = IN_FORCE) -> tuple[list[int], Counter[str]]:
    """The seeds of sequences that lose a protection, and how often each step was taken."""
    found, done = [], Counter[str]()
    for number in range(seed, seed + count):
        sequence = Sequence(random.Random(number), rules)  # noqa: S311 -- a test's own choice
        if sequence.run():
            found.append(number)
        done += sequence.done
    return found, done
