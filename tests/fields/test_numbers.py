"""Numbers: yen, hours and counts as they are typed, never negative, never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.fields.dates import BadCell
from visitsync.fields.numbers import count, quantity, yen

BAD = BadCell("bad_number")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1200", 1200),
        ("1,200", 1200),
        ("1,200円", 1200),
        ("１，２００円", 1200),
        ("¥1,200", 1200),
        ("￥１２００", 1200),
        ("1200.0", 1200),
        ("0円", 0),
        ("", 0),
    ],
)
def test_yen_as_typed(text: str, amount: int) -> None:
    assert yen(text) == amount


@pytest.mark.parametrize(
    "text", ["▲500", "△500", "-500", "別紙", "12,00", "1200.5", "千円", "1 200万", "1e3", "9" * 20]
)
def test_what_is_no_amount_is_a_problem(text: str) -> None:
    assert yen(text) == BAD


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2", "2"),
        ("2.0", "2"),
        ("1.5", "1.5"),
        ("２時間", "2"),
        ("１．５時間", "1.5"),
        ("1.5h", "1.5"),
        ("2H", "2"),
        ("0", "0"),
        ("00", "0"),
        ("10", "10"),
        ("", None),
    ],
)
def test_hours_as_typed(text: str, hours: str | None) -> None:
    assert quantity(text, ["時間", "h"]) == hours


@pytest.mark.parametrize("text", ["二時間半", "2時間30分", "-1", "1.", ".5", "1,5", "時間", "２枚"])
def test_what_is_no_quantity_is_a_problem(text: str) -> None:
    assert quantity(text, ["時間", "h"]) == BAD


def test_minutes_become_hours_only_where_nothing_is_rounded() -> None:
    assert quantity("90分", ["分"], 60) == "1.5"
    assert quantity("50分", ["分"], 60) == BAD


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("02", 2), ("２", 2), ("", None)])
def test_counts_as_typed(text: str, number: int | None) -> None:
    assert count(text) == number


@pytest.mark.parametrize("text", ["二", "-1", "1.5", "①", "1回"])
def test_what_is_no_count_is_a_problem(text: str) -> None:
    assert count(text) == BAD


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_a_problem(text: str) -> None:
    assert isinstance(yen(text), int | BadCell)
    assert isinstance(quantity(text, ["時間"]), str | BadCell | None)
