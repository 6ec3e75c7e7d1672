"""Where each mark of the timeline's picture stands: a lane per program, months left to right.

Places are percentages of the width, so that the picture fits a screen, a telephone and a page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from visitsync.schema.silent import silent


@silent
class Point(NamedTuple):
    """One visit to be placed."""

    anchor: str
    """The id of its entry in the list below the picture."""
    program: str
    at: dt.datetime
    outcome: str
    overlaps: bool
    title: str


@silent
class Stretch(NamedTuple):
    """A time in a lane in which nothing is seen."""

    program: str
    after: dt.date
    before: dt.date
    title: str


@silent
class Placed(NamedTuple):
    """A visit at its place."""

    point: Point
    x: float


@silent
class Span(NamedTuple):
    """A stretch or a month at its place."""

    x: float
    width: float
    title: str


@silent
class Lane(NamedTuple):
    """All of one program."""

    program: str
    marks: tuple[Placed, ...]
    gaps: tuple[Span, ...]


@silent
class Picture(NamedTuple):
    """The whole; without lanes where there is nothing to show."""

    months: tuple[Span, ...]
    lanes: tuple[Lane, ...]


def draw(points: Sequence[Point], stretches: Iterable[Stretch], order: Sequence[str]) -> Picture:
    """Place visits and gaps.

    Args:
        points: the visits, in any order.
        stretches: the gaps.
        order: of the programs, from the top; those without a point get no lane.

    Months are named by their first day in ISO form; the page writes them as its reader does.
    """
    if not points:
        return Picture((), ())
    first = min(point.at for point in points).date().replace(day=1)
    end = _next_month(max(point.at for point in points).date())
    days = (end - first).days

    def place(day: float) -> float:
        return round(100 * day / days, 3)

    def since(at: dt.datetime) -> float:
        midnight = dt.datetime.combine(first, dt.time(), at.tzinfo)
        return (at - midnight) / dt.timedelta(days=1)

    months = []
    month = first
    while month < end:
        following = _next_month(month)
        left = place((month - first).days)
        months.append(Span(left, round(place((following - first).days) - left, 3), str(month)))
        month = following
    present = {point.program for point in points}
    gaps = [one for one in stretches if one.after >= first and one.before <= end]
    lanes = tuple(
        Lane(
            program,
            tuple(
                Placed(point, place(since(point.at)))
                for point in sorted(points, key=lambda one: (one.at, one.anchor))
                if point.program == program
            ),
            tuple(
                Span(
                    left := place((one.after - first).days + 1),
                    round(place((one.before - first).days) - left, 3),
                    one.title,
                )
                for one in gaps
                if one.program == program
            ),
        )
        for program in [*order, *sorted(present.difference(order))]
        if program in present
    )
    return Picture(tuple(months), lanes)


def _next_month(day: dt.date) -> dt.date:
    return (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
