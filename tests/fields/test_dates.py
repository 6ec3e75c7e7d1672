"""Dates: every notation of the offices' hand-over note, and nothing guessed."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.fields.dates import (
    ERAS,
    BadCell,
    Month,
    Style,
    day_reader,
    month_of,
    partial_reader,
)

APRIL = dt.date(2026, 4, 3)
ALL: tuple[Style, ...] = ("era", "western", "yyyymmdd")


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("era", "R8.4.3"),
        ("era", "R08.04.03"),
        ("era", "R8/4/3"),
        ("era", "R8.4.3(金)"),
        ("era", "R8.4.3（金）"),
        ("era", "R8.4.3(金・祝)"),
        ("era", "令和8年4月3日"),
        ("era", "令和 8年 4月 3日"),
        ("era", "令8.4.3"),
        ("era", "Ｒ８．４．３"),
        ("era", "㋿8年4月3日"),
        ("era", "r8.4.3"),
        ("western", "2026/4/3"),
        ("western", "2026/04/03"),
        ("western", "2026年4月3日"),
        ("western", "２０２６年４月３日"),
        ("western", "2026.4.3"),
        ("western", "2026-4-3"),
        ("yyyymmdd", "20260403"),
        ("yymmdd_R", "080403"),
        ("gyymmdd", "5080403"),
        ("month_day", "4/3"),
        ("month_day", "4月3日"),
        ("day", "3日"),
        ("day", "3"),
        ("era", "2026-04-03"),
    ],
)
def test_a_date_is_read_in_its_style(style: Style, text: str) -> None:
    assert day_reader([style], Month(2026, 4))(text) == APRIL


@pytest.mark.parametrize(
    ("style", "text", "code"),
    [
        ("era", "R8.2.30", "impossible_date"),
        ("era", "R8.13.1", "impossible_date"),
        ("era", "R8.4.31", "impossible_date"),
        ("era", "R0.4.3", "impossible_date"),
        ("era", "H31.5.1", "impossible_date"),
        ("era", "R1.4.30", "impossible_date"),
        ("era", "S64.1.8", "impossible_date"),
        ("era", "R8.4", "bad_date"),
        ("era", "8.4.3", "bad_date"),
        ("era", "2026/4/3", "bad_date"),
        ("era", "X8.4.3", "bad_date"),
        ("era", "R⑧.4.3", "bad_date"),
        ("western", "9999/12/31", "impossible_date"),
        ("western", "2026/2/29", "impossible_date"),
        ("western", "26/4/3", "bad_date"),
        ("western", "4/3", "bad_date"),
        ("western", "R8.4.3", "bad_date"),
        ("western", "20260403", "bad_date"),
        ("yyyymmdd", "20260230", "impossible_date"),
        ("yyyymmdd", "00000000", "impossible_date"),
        ("yyyymmdd", "080403", "impossible_date"),
        ("yymmdd_R", "20260403", "bad_date"),
        ("month_day", "5/3", "bad_date"),
        ("western", "", "missing_date"),
        ("western", "きのう", "bad_date"),
        ("western", "2026/4/3 10:00", "bad_date"),
        ("yyyymmdd", "٢٠٢٦٠٤٠٣", "bad_date"),
    ],
)
def test_what_is_no_such_date_is_a_problem(style: Style, text: str, code: str) -> None:
    assert day_reader([style], Month(2026, 4))(text) == BadCell(code)


def test_without_the_files_month_a_day_alone_says_nothing() -> None:
    assert day_reader(["day"])("3日") == BadCell("bad_date")


@pytest.mark.parametrize(
    ("text", "partial"),
    [
        ("R1.5", "2019-05"),
        ("令和元年", "2019"),
        ("H31.4", "2019-04"),
        ("平成31年", "2019"),
        ("S64", "1989"),
        ("H30.7.1", "2018-07-01"),
        ("1992年", "1992"),
        ("1992", "1992"),
        ("2024/5", "2024-05"),
        ("2024年5月", "2024-05"),
        ("202405", "2024-05"),
        ("不詳", None),
        ("", None),
    ],
)
def test_a_birth_date_may_lack_its_day_or_month(text: str, partial: str | None) -> None:
    assert partial_reader(ALL, ["不詳"])(text) == partial


@pytest.mark.parametrize("text", ["R1.4", "H31.5", "S64.2", "H32"])
def test_a_month_outside_its_era_is_impossible(text: str) -> None:
    assert partial_reader(ALL)(text) == BadCell("impossible_date")


@pytest.mark.parametrize(
    "text", ["令和8年4月分", "令和８年４月", "R8.4", "2026年4月分", "2026-04", "202604", "2026/4"]
)
def test_a_title_names_its_month(text: str) -> None:
    assert month_of(text) == Month(2026, 4)


@pytest.mark.parametrize("text", ["第1版", "令和8年", "", "2026年13月"])
def test_a_title_without_a_month_names_none(text: str) -> None:
    assert month_of(text) is None


@given(st.dates(dt.date(1868, 1, 25), dt.date(2100, 12, 31)))
def test_every_day_since_meiji_is_read_back_from_its_era(day: dt.date) -> None:
    letter, era = next((k, e) for k, e in ERAS.items() if e.first <= day <= e.last)
    year = day.year - era.first.year + 1
    written = f"{letter}{year}.{day.month}.{day.day}"

    assert day_reader(["era"])(written) == day


def test_the_eras_follow_one_another_without_gap() -> None:
    eras = list(ERAS.values())
    for earlier, later in pairwise(eras):
        assert later.first - earlier.last == dt.timedelta(days=1)


@given(st.text(max_size=20))
def test_any_text_is_a_date_or_a_problem(text: str) -> None:
    found = day_reader([*ALL, "yymmdd_S", "gyymmdd", "month_day", "day"], Month(2026, 2))(text)

    assert isinstance(found, dt.date | BadCell)
