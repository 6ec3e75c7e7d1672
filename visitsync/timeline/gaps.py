"""Stretches in which a program stayed away clearly longer than it usually does.

The rule: for each program, take the days on which a visit took place. The usual interval is the
median of the days between one and the next (the lower one of two). An interval is a gap when it is
more than `TIMES_USUAL` times the usual one and longer than it by more than `GRACE_DAYS` days, so
that a holiday in a daily rhythm is none. With fewer than `FEWEST_INTERVALS` intervals there is no
rhythm to speak of, and no gap. What lies before the first visit and after the last is never one:
that would need a clock, or knowledge of when the support was to begin and end.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from visitsync.timeline.entries import Gap

TIMES_USUAL: Final = 2
GRACE_DAYS: Final = 14
FEWEST_INTERVALS: Final = 3


def gaps(visits: Iterable[tuple[str, dt.date]]) -> tuple[Gap, ...]:
    """The gaps between visits that took place, given as program and day; ordered by day.

    >>> weekly = [("multiples", dt.date(2026, 4, day)) for day in (1, 8, 15, 22)]
    >>> [str(gap.before) for gap in gaps([*weekly, ("multiples", dt.date(2026, 5, 20))])]
    ['2026-05-20']
    """
    days: dict[str, set[dt.date]] = defaultdict(set)
    for program, day in visits:
        days[program].add(day)
    found = [gap for program in days for gap in _gaps_of(program, sorted(days[program]))]
    return tuple(sorted(found, key=lambda gap: (gap.after, gap.before, gap.program)))


def _gaps_of(program: str, days: list[dt.date]) -> list[Gap]:
    intervals = sorted((later - earlier).days for earlier, later in pairwise(days))
    if len(intervals) < FEWEST_INTERVALS:
        return []
    usual = intervals[(len(intervals) - 1) // 2]
    longest = max(TIMES_USUAL * usual, usual + GRACE_DAYS)
    return [
        Gap(program=program, after=earlier, before=later)
        for earlier, later in pairwise(days)
        if (later - earlier).days > longest
    ]
