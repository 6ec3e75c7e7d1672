"""Choosing the layout a file is written in, and refusing what is another office's or month's."""

from __future__ import annotations

import msgspec
import pytest
from an_office import LABELS, ROW, a_directory, a_file, a_layout, codes, with_cells

from visitsync.errors import LayoutError, UnknownOffice
from visitsync.schema.problems import PROBLEMS, sentence
from visitsync.schema.reading import Problem
from visitsync.service.reading import (
    read_files,
    shipped_directory,
    shipped_files,
    shipped_layouts,
)

DIRECTORY = a_directory("household_support")


def test_an_unknown_office_is_named() -> None:
    with pytest.raises(UnknownOffice) as caught:
        read_files(DIRECTORY, "nobody", [a_layout()], [])
    assert caught.value.where == "nobody"


def test_layouts_of_other_offices_and_programs_are_not_used() -> None:
    other = msgspec.structs.replace(a_layout(), office="o-2")
    with pytest.raises(LayoutError):
        read_files(DIRECTORY, "o-1", [other], [("f.csv", a_file(ROW))])
    with pytest.raises(LayoutError):
        read_files(DIRECTORY, "o-1", [a_layout(program="multiples")], [("f.csv", a_file(ROW))])
    with pytest.raises(LayoutError):
        read_files(a_directory("unheard_of"), "o-1", [a_layout(program="unheard_of")], [])


def test_a_file_is_told_by_its_content_whatever_its_name() -> None:
    layouts = [a_layout(kind="ndjson"), a_layout(kind="xlsx"), a_layout(file="header_rows = 1")]
    for name in ("f.csv", "f.ndjson", "f.xlsx", "f", "../../f.CSV", "フォルダ/一覧.txt"):
        reading = read_files(DIRECTORY, "o-1", layouts, [(name, a_file(ROW))])
        assert [v.source.file for v in reading.visits] == [name.rpartition("/")[2]]


def test_a_file_that_fits_no_layout_is_refused_as_the_nearest() -> None:
    layouts = [a_layout(kind="ndjson"), a_layout()]
    data = a_file(ROW, labels=tuple("x" if one == "終了" else one for one in LABELS))
    reading = read_files(DIRECTORY, "o-1", layouts, [("f.ndjson", data)])

    assert [(p.code, p.column) for p in reading.problems] == [("missing_column", "終了")]


OLD = a_layout(
    top='months = { last = "2026-05" }\ndates = ["western"]', more='[title_says]\nmonth = "月"'
)
NEW = a_layout(
    top='months = { first = "2026-06", last = "2026-08" }\ndates = ["era"]',
    more='[title_says]\nmonth = "月"',
)


@pytest.mark.parametrize(
    ("month", "day", "expected"),
    [
        ("令和8年4月分", "2026/4/3", []),
        ("2026年5月", "2026/5/3", []),
        ("令和8年6月分", "R8.6.3", []),
        ("令和8年6月分", "2026/6/3", [(3, "bad_date")]),
        ("令和8年5月分", "R8.5.3", [(3, "bad_date")]),
        ("令和8年9月分", "R8.9.3", [(None, "no_layout")]),
        ("いつか", "R8.6.3", [(None, "no_month")]),
    ],
)
def test_the_month_that_a_file_states_decides_its_layout(
    month: str, day: str, expected: list[tuple[int | None, str]]
) -> None:
    data = f"月,{month},,,,\r\n".encode() + a_file(with_cells(日=day))
    reading = read_files(DIRECTORY, "o-1", [OLD, NEW], [("f.csv", data)])

    assert codes(reading) == expected


def test_the_office_and_the_local_program_come_from_the_directory() -> None:
    visit = read_files(DIRECTORY, "o-1", [a_layout()], [("f.csv", a_file(ROW))]).visits[0]

    assert (visit.source.office, visit.source.local_program) == ("o-1", "港の訪問")


def test_the_shipped_city_has_a_layout_for_every_office_that_sent_files() -> None:
    offices = {layout.office for layout in shipped_layouts()}

    assert offices == {one.id for one in shipped_directory().office} - {"shiomi-ph-00"}
    for office in offices:
        reading = read_files(
            shipped_directory(), office, shipped_layouts(), list(shipped_files(office))
        )
        assert len(reading.visits) > 80
        assert reading.problems == ()
    assert list(shipped_files("shiomi-ph-00")) == []


def test_every_problem_has_one_sentence_in_each_language() -> None:
    for code, words in PROBLEMS.items():
        assert words.ja.endswith("。"), code
        assert words.ja.count("。") == 1
        assert words.en.endswith(".")
        assert words.en.count(". ") == 0
        assert any(who in words.en for who in ("office", "municipality", "system")), code
        assert any(who in words.ja for who in ("事業所", "市が", "システム")), code
        problem = Problem(file="f", row=1, level="reject", code=code, column=None)
        assert sentence(problem, "ja") == words.ja
