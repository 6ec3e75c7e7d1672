"""Where the marks of the picture stand."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from visitsync.schema.visit import JST
from visitsync.web.pages.lanes import Point, Stretch, draw

ORDER = ("multiples", "single_parent")


def day(month: int, date: int) -> dt.datetime:
    return dt.datetime(2026, month, date, 9, tzinfo=JST)


def point(at: dt.datetime, program: str = "multiples", anchor: str = "v1") -> Point:
    return Point(anchor, program, at, "done", overlaps=False, title="")


def test_nothing_to_show_is_an_empty_picture() -> None:
    assert draw([], [], ORDER) == ((), ())


def test_months_share_the_width_and_name_their_first_day() -> None:
    picture = draw([point(day(4, 10)), point(day(6, 1))], [], ORDER)

    assert [one.title for one in picture.months] == ["2026-04-01", "2026-05-01", "2026-06-01"]
    assert picture.months[0].x == 0
    assert round(sum(one.width for one in picture.months), 1) == 100


def test_lanes_stand_in_the_given_order_and_unknown_programs_come_last() -> None:
    programs = ("sixth", "single_parent", "multiples")
    points = [point(day(4, 10), program) for program in programs]

    lanes = draw(points, [], ORDER).lanes

    assert [one.program for one in lanes] == ["multiples", "single_parent", "sixth"]


def test_a_gap_stands_between_its_days() -> None:
    points = [point(day(4, 1)), point(day(4, 30))]
    gap = Stretch("multiples", dt.date(2026, 4, 1), dt.date(2026, 4, 30), "")

    (lane,) = draw(points, [gap], ORDER).lanes

    assert lane.marks[0].x < lane.gaps[0].x
    assert lane.gaps[0].x + lane.gaps[0].width <= lane.marks[1].x


@given(
    days=st.lists(
        st.integers(0, 20 * 365 * 24 * 60).map(
            lambda minutes: day(4, 1) + dt.timedelta(minutes=minutes)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_marks_keep_within_the_picture_and_in_the_order_of_time(
    days: list[dt.datetime],
) -> None:
    (lane,) = draw([point(one) for one in days], [], ORDER).lanes

    places = [one.x for one in lane.marks]
    assert all(0 <= one <= 100 for one in places)
    assert places == sorted(places)
