"""Breaking a scenario in one of the ways in which its parts can be malformed."""

from __future__ import annotations

import copy
import random
from typing import Any, Final, TypeAlias

from visitsync.schema.strict_json import Mark, RepeatedNames

Json: TypeAlias = dict[str, Any]
Part: TypeAlias = Any  # a JSON value, of whatever form

KINDS: Final = (
    "viewers",
    "records",
    "directives",
    "council_cases",
    "invocations",
    "break_glass",
    "shields",
    "blocks",
)
ODD_VALUES: Final[tuple[Part, ...]] = (
    None,
    "",
    "*",
    "x",
    0,
    1,
    1.0,
    10**70,
    Mark.REFUSED,
    True,
    [],
    [""],
    {},
    ["*"],
    "2026-10-01t09:00:00+09:00",
    "2026-10-01T09:00:00z",
    "2026-06-30T23:59:60Z",
    "2026-10-01T09:00:00",
    "2026-10-01T09:00:00+24:00",
    "2026-02-29",
    "2026-10-01",
    "9999-12-31T23:59:59.999999999-23:59",
    "0001-01-01T00:00:00+23:59",
)


def odd(rng: random.Random) -> Part:
    """A value that is rarely right."""
    return copy.deepcopy(rng.choice(ODD_VALUES))


def damaged(part: Part, rng: random.Random) -> Part:
    """The object with one thing wrong in it, perhaps one level down."""
    if type(part) is not dict or not part or rng.random() < 0.05:
        return odd(rng)
    key = rng.choice(sorted(part))
    inner = part[key]
    if isinstance(inner, dict) and rng.random() < 0.5:
        return part | {key: damaged(inner, rng)}
    if isinstance(inner, list) and rng.random() < 0.4:
        return part | {key: [*inner, odd(rng)]}
    return _with_a_wrong_member(part, key, rng)


def _with_a_wrong_member(part: Json, key: str, rng: random.Random) -> Json:
    how = rng.random()
    if how < 0.55:
        return part | {key: odd(rng)}
    if how < 0.7:
        return {name: value for name, value in part.items() if name != key}
    if how < 0.85:
        return part | {"extra": None}
    again = odd(rng) if rng.random() < 0.5 else copy.deepcopy(part[key])
    return RepeatedNames([*part.items(), (key, again)])


def damage(scenario: Json, rng: random.Random) -> Json:
    """The scenario with one thing wrong in it, mostly in one fact."""
    where = rng.random()
    if where < 0.8:
        kind = rng.choice(KINDS)
        facts = scenario.get(kind)
        if isinstance(facts, list) and facts:
            index = rng.randrange(len(facts))
            facts[index] = damaged(facts[index], rng)
        return scenario
    if where < 0.87:
        return scenario | {"question": damaged(scenario.get("question"), rng)}
    key = rng.choice((*KINDS, "policies", "catalogue", "question", "vocabulary", "extra"))
    if where < 0.94:
        return scenario | {key: odd(rng)}
    if where < 0.99:
        return {name: value for name, value in scenario.items() if name != key}
    return RepeatedNames([*scenario.items(), (key, scenario.get(key))])
