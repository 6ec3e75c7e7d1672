"""Visits that meet in time: two programs in the house at once, and one visit reported twice.

Found by a sweep over the starts: a visit is compared only with those still going on, so a household
costs about as much as it has visits. Only attendance is looked at: program, date, start, end,
outcome and the office.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, TypeAlias

from visitsync.schema.silent import Struct
from visitsync.timeline.entries import MarkKind

SLACK: Final = dt.timedelta(minutes=15)
"""How far two offices' clocks and roundings may lie apart for one and the same visit."""

Pair: TypeAlias = tuple[MarkKind, str, str]
"""A kind of mark and the two records that get it."""


class Presence(Struct, frozen=True, kw_only=True):
    """When somebody of one program was, or was said to be, in the house."""

    record: str
    program: str
    office: str
    date: dt.date
    outcome: str
    start: dt.datetime | None
    end: dt.datetime | None
    """None where the office does not say; the visit is then taken for a moment."""


def overlaps(a: Presence, b: Presence) -> bool:
    """Whether two programs were in the house at one time.

    Half-open ranges: a visit that begins as another ends does not overlap it. Two visits of one
    program at a time are that program's own affair (a second helper), and no mark.
    """
    if a.program == b.program or a.start is None or b.start is None:
        return False
    if a.start == b.start:
        return True
    return a.start < (b.end or b.start) and b.start < (a.end or a.start)


def is_one_visit(a: Presence, b: Presence) -> bool:
    """Whether two offices seem to report one and the same visit.

    Another office, the same day and outcome, and start and end each within `SLACK`; or, where
    neither office gives a time, the same program on that day.
    """
    if a.office == b.office or a.date != b.date or a.outcome != b.outcome:
        return False
    if a.start is None or b.start is None:
        return a.start is b.start and a.program == b.program
    return abs(a.start - b.start) <= SLACK and _ends_alike(a, b)


def _ends_alike(a: Presence, b: Presence) -> bool:
    if a.end is None or b.end is None:
        return a.end is b.end
    return abs(a.end - b.end) <= SLACK


def clashes(presences: Iterable[Presence]) -> Mapping[str, Mapping[MarkKind, frozenset[str]]]:
    """For every record that meets another one: by kind, the records it meets."""
    found: dict[str, dict[MarkKind, set[str]]] = defaultdict(lambda: defaultdict(set))
    for kind, one, other in pairs(list(presences)):
        found[one][kind].add(other)
        found[other][kind].add(one)
    return {
        record: {kind: frozenset(others) for kind, others in kinds.items()}
        for record, kinds in found.items()
    }


def pairs(presences: Sequence[Presence]) -> Iterator[Pair]:
    """Every pair that `overlaps` or `is_one_visit` holds of, each once."""
    yield from _timed(presences)
    yield from _untimed(presences)


def _timed(presences: Sequence[Presence]) -> Iterator[Pair]:
    timed = [(p.start, p.record, p) for p in presences if p.start is not None]
    timed.sort(key=lambda item: item[:2])
    # Visits of one office in one program never meet in either sense, so they wait together.
    waiting: dict[tuple[str, str], list[Presence]] = defaultdict(list)
    for start, _, new in timed:
        for key, others in waiting.items():
            if key == (new.program, new.office):
                continue
            others[:] = [other for other in others if _still_meets(other, start)]
            for other in others:
                if overlaps(other, new):
                    yield "overlap", other.record, new.record
                if is_one_visit(other, new):
                    yield "reported_twice", other.record, new.record
        waiting[new.program, new.office].append(new)


def _still_meets(earlier: Presence, start: dt.datetime) -> bool:
    """Whether a visit that begins at `start` or later can still meet `earlier`."""
    if earlier.start is None:
        return False
    return start <= earlier.start + SLACK or (earlier.end is not None and start < earlier.end)


def _untimed(presences: Sequence[Presence]) -> Iterator[Pair]:
    alike: dict[tuple[dt.date, str, str], list[Presence]] = defaultdict(list)
    for presence in presences:
        if presence.start is None:
            alike[presence.date, presence.program, presence.outcome].append(presence)
    for group in alike.values():
        for a, b in combinations(group, 2):
            if is_one_visit(a, b):
                yield "reported_twice", a.record, b.record
