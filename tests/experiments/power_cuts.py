"""What a power cut could leave of what a process wrote: it takes anything that was not synced."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from experiments.traced import Step

_ALL_OF: Final = 4
"""Of so few unsynced steps every choice is tried; of more, some at random."""
_AT_RANDOM: Final = 16
_TORN: Final = (512, 4096)
_CHANGES: Final = frozenset({"write", "cut", "rename"})


class Cut(NamedTuple):
    """One state of the files after a power cut."""

    end: int
    """How many steps were done."""
    files: Mapping[str, bytes]


def cuts(before: Mapping[str, bytes], steps: Sequence[Step], seed: int) -> Iterator[Cut]:
    """States after each step, all different, in random order."""
    chance = random.Random(seed)  # noqa: S311 -- moments, not secrets
    seen: set[bytes] = set()
    ends = list(range(1, len(steps) + 1))
    chance.shuffle(ends)
    waiting = deque(_at(before, steps, end, chance) for end in ends)
    while waiting:
        states = waiting.popleft()
        if (one := next(states, None)) is None:
            continue
        waiting.append(states)
        # The same files after one answer more are another state.
        mark = sha256(str(sum(step.kind == "answer" for step in steps[: one.end])).encode())
        for name in sorted(one.files):
            mark.update(one.files[name])
        if mark.digest() not in seen:
            seen.add(mark.digest())
            yield one


def _at(
    before: Mapping[str, bytes], steps: Sequence[Step], end: int, chance: random.Random
) -> Iterator[Cut]:
    """The states after `end` steps: with nothing, some, any sectors or all of what is unsynced."""
    done = steps[:end]
    open_ones = unsynced(done)
    if len(open_ones) <= _ALL_OF:
        chosen = [
            frozenset(some)
            for many in range(len(open_ones) + 1)
            for some in itertools.combinations(open_ones, many)
        ]
    else:
        chosen = [frozenset[int](), frozenset(open_ones[:-1]), frozenset(open_ones)]
        for _ in range(_AT_RANDOM):
            kept = chance.choice((0.1, 0.5, 0.9))
            chosen.append(frozenset(one for one in open_ones if chance.random() < kept))
    tried: list[tuple[frozenset[int], int | None]] = [(one, None) for one in chosen]
    if open_ones:
        tried += [(frozenset(), sector) for sector in _TORN]
    chance.shuffle(tried)
    for kept_ones, sector in tried:
        yield Cut(end, _left(before, done, set(open_ones), kept_ones, sector, chance))


def unsynced(steps: Sequence[Step]) -> list[int]:
    """Which changes no sync covers that has returned."""
    surely: dict[str, int] = {}
    for one in steps:
        if one.kind == "sync":
            surely[one.file] = max(surely.get(one.file, 0), one.begun)
    return [
        number
        for number, one in enumerate(steps)
        if one.kind in _CHANGES
        # A new name is durable with its folder.
        and number
        >= surely.get(str(Path(one.file).parent) if one.kind == "rename" else one.file, 0)
    ]


def _left(  # noqa: PLR0913, PLR0917 -- all that a power cut is made of
    before: Mapping[str, bytes],
    steps: Sequence[Step],
    open_ones: set[int],
    kept: frozenset[int],
    sector: int | None,
    chance: random.Random,
) -> dict[str, bytes]:
    """The files with what was synced, and of the rest the `kept`, or any sectors of this size."""
    files = {name: bytearray(content) for name, content in before.items()}
    drafts: dict[str, bytearray] = {}
    for number, one in enumerate(steps):
        if one.kind not in _CHANGES:
            continue
        there = number not in open_ones or number in kept
        if one.kind == "rename":
            draft = drafts.pop(one.data.decode(), bytearray())
            if there or (sector is not None and chance.random() < 0.5):
                files[one.file] = draft
            continue
        content = (
            files[one.file] if one.file in before else drafts.setdefault(one.file, bytearray())
        )
        if one.kind == "cut":
            if there:
                del content[one.offset :]
            continue
        size = sector or max(len(one.data), 1)
        for start in range(0, len(one.data), size):
            if there or (sector is not None and chance.random() < 0.5):
                _put(content, one.offset + start, one.data[start : start + size])
    return {name: bytes(content) for name, content in files.items()}


def _put(content: bytearray, place: int, piece: bytes) -> None:
    if len(content) < place:
        content.extend(bytes(place - len(content)))
    content[place : place + len(piece)] = piece
