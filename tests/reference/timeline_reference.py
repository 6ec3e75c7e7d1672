"""One timeline, slowly: every revision compared with every other, every pair of visits looked at.

The twin of ``visitsync.timeline.merge``, of which it uses only the types it answers with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from visitsync.schema.attendance import Attendance
from visitsync.timeline import Gap, Reported

Marks = dict[str, dict[str, set[str]]]
QUARTER = dt.timedelta(minutes=15)


def current_slowly(reported: Sequence[Reported]) -> dict[str, Reported]:
    """By record the revision that no other one outranks."""

    def rank(one: Reported) -> tuple[Any, ...]:
        return one.revision, one.recorded_at, one.line

    return {
        one.record: one
        for one in reported
        if all(rank(other) <= rank(one) for other in reported if other.record == one.record)
    }


def marks_slowly(reported: Sequence[Reported]) -> Marks:
    """By record and kind, the records it meets."""
    current = current_slowly(reported)
    found: Marks = {record: {} for record in current}
    for a, one in current.items():
        for b, other in current.items():
            x, y = one.visit, other.visit
            if a == b or "voided" in (x.source.state, y.source.state):
                continue
            if in_the_house_at_once(x, y):
                found[a].setdefault("overlap", set()).add(b)
            if looks_like_one(x, y):
                found[a].setdefault("reported_twice", set()).add(b)
        numbers = {r.revision for r in reported if r.record == a}
        if not all(n in numbers for n in range(1, max(numbers))):
            found[a]["revision_gap"] = set()
    return found


def in_the_house_at_once(x: Attendance, y: Attendance) -> bool:
    if x.program == y.program or x.start is None or y.start is None:
        return False
    if x.start == y.start:
        return True
    first, second = (x, y) if x.start < y.start else (y, x)
    if first.end is None or second.start is None:
        return False
    # The later one begins before the earlier one has ended. Should it be only a moment long, that
    # moment lies within.
    return second.start < first.end


def looks_like_one(x: Attendance, y: Attendance) -> bool:
    if x.source.office == y.source.office or x.date != y.date or x.outcome != y.outcome:
        return False
    times = [(x.start, y.start), (x.end, y.end)]
    if x.start is None and y.start is None:
        return x.program == y.program
    for mine, theirs in times:
        if (mine is None) != (theirs is None):
            return False
        if mine is not None and theirs is not None and abs(mine - theirs) > QUARTER:
            return False
    return True


def gaps_slowly(reported: Sequence[Reported]) -> set[Gap]:
    """Twice the usual interval and two weeks longer; usual: half the intervals are no longer."""
    came: dict[str, list[dt.date]] = {}
    for one in current_slowly(reported).values():
        visit = one.visit
        took_place = visit.outcome in ("done", "absent", "refused")
        if took_place and visit.source.state != "voided":
            came.setdefault(visit.program, []).append(visit.date)
    found: set[Gap] = set()
    for program, dates in came.items():
        steps = [
            (day, min(later for later in dates if later > day))
            for day in set(dates)
            if any(later > day for later in dates)
        ]
        lengths = [(later - day).days for day, later in steps]
        if len(lengths) < 3:
            continue
        usual = min(n for n in lengths if 2 * sum(other <= n for other in lengths) >= len(lengths))
        found |= {
            Gap(program=program, after=day, before=later)
            for day, later in steps
            if (later - day).days > 2 * usual and (later - day).days > usual + 14
        }
    return found
