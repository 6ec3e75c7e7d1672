"""Times: the offices' notations, and what must not be guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.fields.dates import BadCell
from visitsync.fields.times import clock, time_of_day, time_range

BAD = BadCell("bad_time")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("9:00", 540),
        ("09:00", 540),
        ("０９：００", 540),
        ("0900", 540),
        ("9時", 540),
        ("9時30分", 570),
        ("9時半", 570),
        ("午前9:00", 540),
        ("午後0:00", 720),
        ("午後 1時30分", 810),
        ("24:00", 1440),
        ("0:00", 0),
        ("", None),
    ],
)
def test_a_time_is_read(text: str, minutes: int | None) -> None:
    assert time_of_day(text) == minutes


@pytest.mark.parametrize(
    "text",
    [
        "12:75",
        "25:00",
        "翌6:00",
        "午後12:00",
        "午前12:30",
        "9",
        "9:0",
        "朝",
        "9：",
        "-9:00",
        "24:01",
        "930",
    ],
)
def test_what_is_no_time_of_this_day_is_a_problem(text: str) -> None:
    assert time_of_day(text) == BAD


@pytest.mark.parametrize("text", ["30:00", "翌6:00", "翌日6:00", "翌朝６時", "翌6時00分", "3000"])
def test_overnight_is_read_only_where_the_layout_allows_it(text: str) -> None:
    assert time_of_day(text, overnight=True) == 1800
    assert time_of_day(text) == BAD


@pytest.mark.parametrize("text", ["48:00", "翌24:00", "翌30:00", "翌午後13:00"])
def test_no_visit_ends_on_the_day_after_next(text: str) -> None:
    assert time_of_day(text, overnight=True) == BAD


@pytest.mark.parametrize(
    "text",
    [
        "10:00～12:00",
        "10:00〜12:00",
        "10:00-12:00",
        "10:00－12:00",
        "10:00ー12:00",
        "10：00～12：00",
        "１０：００～１２：００",
        "10時～12時",
        "10時から12時まで",
        "午前10:00～午後0:00",
        "10:00 ～ 12:00",
    ],
)
def test_a_range_stands_in_one_cell(text: str) -> None:
    assert time_range(text) == (600, 720)


@pytest.mark.parametrize(
    "text", ["10:00", "10:00～", "～12:00", "10:00～12:00～13:00", "午前～午後"]
)
def test_half_a_range_is_a_problem(text: str) -> None:
    assert time_range(text) == BAD


def test_a_start_is_never_on_the_next_day() -> None:
    assert time_range("25:00～26:00", overnight=True) == BAD


@given(st.integers(0, 1439))
def test_every_minute_is_read_back(minutes: int) -> None:
    assert time_of_day(clock(minutes)) == minutes
    assert time_of_day(clock(minutes).replace(":", "")) == minutes


@given(st.text(max_size=12))
def test_any_text_is_a_time_or_a_problem(text: str) -> None:
    assert isinstance(time_of_day(text, overnight=True), int | BadCell | None)
