"""Which entries of a log fall into a period."""

from __future__ import annotations

import datetime as dt

import pytest
from audit.made_logs import entry, log

from visitsync.audit import Period, leaf

FIRST = dt.date(2026, 4, 1)
DAY = 24 * 60
"""Entries of a day in a made log, whose first is the year's."""


@pytest.mark.parametrize(
    ("days", "first", "end"),
    [((0, 1), 0, DAY), ((1, 2), DAY, 2 * DAY), ((-9, 9), 0, 2 * DAY + 1), ((5, 9), 0, 0)],
)
def test_days_in_japan_are_taken_from_their_first_instant_to_their_last(
    days: tuple[int, int], first: int, end: int
) -> None:
    leaves = log(2 * DAY + 1)
    period = Period(*(FIRST + dt.timedelta(days=one) for one in days))
    taken = [at for at, line in enumerate(leaves) if period.takes(line)]
    assert taken == list(range(first, end))


def test_what_is_taken_stands_together_whatever_was_changed() -> None:
    """Else a bundle could not be written; that something was changed is what its hashes say."""
    leaves = log(DAY + 9)
    late, early = entry(5, 2027), entry(DAY + 3, 2025)
    for at, spoilt in ((5, b"{}"), (5, b"\xff"), (5, leaf(early)), (DAY + 3, leaf(early))):
        changed = [*leaves[:at], spoilt, *leaves[at + 1 :]]
        period = Period(FIRST, FIRST + dt.timedelta(days=1))
        assert [period.takes(line) for line in changed] == [True] * DAY + [False] * 9
    period = Period(FIRST, FIRST + dt.timedelta(days=1))
    assert sum(map(period.takes, [*leaves[:5], leaf(late), *leaves[6:]])) == 5
