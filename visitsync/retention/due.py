"""From which day on a household's records, and what the log says of it, may go.

What is not known is never guessed: a program without a rule or with an unknown period, or a child
without a full birth date where a rule counts by it, keeps the whole household.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final, NamedTuple

from visitsync.retention.rules import LogRule, RecordRule, Rules
from visitsync.schema.silent import silent

_APRIL: Final = 4
_DAY: Final = dt.timedelta(days=1)


@silent
class Kept(NamedTuple):
    """What rules need to know of one household."""

    last_visits: Mapping[str, dt.date]
    """By program."""
    youngest: dt.date | None
    """When the youngest child was born; None where that is not known of every child."""


def due_from(rules: Rules, kept: Kept, on: dt.date) -> dt.date | None:
    """The first day on which its records may go, by the rules in force on a day; None: unknown."""
    days = [
        _of_program(rules.of(program, on), last, kept.youngest)
        for program, last in kept.last_visits.items()
    ]
    known = [one for one in days if one is not None]
    return max(known) if known and len(known) == len(days) else None


def log_due_from(rule: LogRule, last: dt.date) -> dt.date:
    """The first day on which what the log says of a household may go, of its newest entry."""
    return _years_after(last, rule.years) + _DAY


def _of_program(rule: RecordRule | None, last: dt.date, youngest: dt.date | None) -> dt.date | None:
    if rule is None or rule.years == "unknown":
        return None
    whole = rule.counted_from == "fiscal_year_of_last_visit"
    ends = _years_after(_end_of_fiscal_year(last) if whole else last, rule.years)
    if rule.until_child_is is not None:
        if youngest is None:
            return None
        ends = max(ends, _years_after(youngest, rule.until_child_is))
    return ends + _DAY


def _end_of_fiscal_year(day: dt.date) -> dt.date:
    return dt.date(day.year + (day.month >= _APRIL), _APRIL, 1) - _DAY


def _years_after(day: dt.date, years: int) -> dt.date:
    """The same day; of 29 February the day after, since rather a day too late.

    >>> _years_after(dt.date(2024, 2, 29), 7).isoformat()
    '2031-03-01'
    """
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return dt.date(day.year + years, 3, 1)
