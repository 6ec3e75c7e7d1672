"""Policies and catalogues that a scenario may give, by chance."""

from __future__ import annotations

import copy
import random
from typing import Final

from consent.damage import Json, Part, damaged, odd

from visitsync.schema.vocabulary import VOCABULARY

_CODES: Final = ("council_25_2", "council_25_3", "child_abuse_13_4", "city_1", "unheard_of")


def policies(programs: tuple[str, ...], rng: random.Random) -> Part:
    """For some of the programs, sometimes unreadable."""
    given: Json = {
        program: {"withheld": rng.choice(("mask", "hide")), "break_glass": rng.random() < 0.6}
        for program in (*programs, "unheard_of")
        if rng.random() < 0.5
    }
    if given and rng.random() < 0.2:
        program = rng.choice(sorted(given))
        given[program] = damaged(given[program], rng)
    return odd(rng) if rng.random() < 0.05 else given


def catalogue(rng: random.Random) -> Part:
    """Some entries, sometimes two of one code, sometimes unreadable."""
    entries: list[Part] = [_entry(rng) for _ in range(rng.choice((0, 1, 2, 3, 4)))]
    if entries and rng.random() < 0.2:
        entries.append(copy.deepcopy(rng.choice(entries)))
    if entries and rng.random() < 0.2:
        entries[0] = damaged(entries[0], rng)
    return odd(rng) if rng.random() < 0.05 else entries


def _entry(rng: random.Random) -> Json:
    share = rng.choice((0.3, 0.6, 1))
    return {
        "code": rng.choice(_CODES),
        "article": rng.choice(("条例1条", "条例2条")),
        "standing": rng.random() < 0.5,
        "categories": [one for one in VOCABULARY.categories if rng.random() < share],
    }
