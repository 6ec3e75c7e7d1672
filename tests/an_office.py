"""An invented office whose file each test writes as it needs: a layout, and text in that layout."""

from __future__ import annotations

import datetime as dt
import re

import msgspec

from visitsync.fields.layout import Layout
from visitsync.fields.layout_file import parse
from visitsync.schema.directory import Agency, Directory, Municipality, Office
from visitsync.schema.reading import Reading
from visitsync.schema.visit import Visit
from visitsync.service.reading import read_files

LAYOUT = """
office = "o-1"
program = "{program}"
title = "一覧"
{top}

[file]
kind = "{kind}"
{file}

[visit]
{id_line}
date = "日"
start = "開始"
end = "終了"
outcome = {{ column = "結果", codes = {{ "済" = "done", "取消" = "cancelled" }} }}
{visit}

[[person]]
role = "{role}"
name = "氏名"
{person}

{more}
"""
LABELS = ("番号", "日", "開始", "終了", "結果", "氏名")
ROW = ("A-1", "2026/4/3", "10:00", "11:00", "済", "架空 花子")


def a_layout(  # noqa: PLR0913 -- one for each part of the text above
    *,
    program: str = "household_support",
    kind: str = "csv",
    top: str = "",
    file: str = "",
    visit: str = "",
    person: str = "",
    more: str = "",
    id_line: str = 'id = "番号"',
    without: str = "",
    role: str = "guardian",
) -> Layout:
    """A layout of six columns; each argument adds lines to a part of it."""
    text = LAYOUT if not without else re.sub(f"{without.rpartition('.')[2]} = .*", "", LAYOUT)
    return parse(
        text.format(
            program=program,
            kind=kind,
            top=top,
            file=file,
            id_line=id_line,
            visit=visit,
            person=person,
            more=more,
            role=role,
        )
    )


def a_directory(program: str) -> Directory:
    """A directory with the one office."""
    return Directory(
        municipality=Municipality(name="港市", kana="ミナトシ", code="999024"),
        agency=(Agency(id="a-1", name="港市", kind="public"),),
        office=(
            Office(
                id="o-1",
                agency="a-1",
                name="港の家",
                number_in_files="9990200018",
                program=program,
                local_program="港の訪問",
                contract_from=dt.date(2026, 4, 1),
            ),
        ),
    )


def a_file(*rows: tuple[str, ...], labels: tuple[str, ...] = LABELS, delimiter: str = ",") -> bytes:
    """A text file with these rows under the labels."""
    return "".join(delimiter.join(row) + "\r\n" for row in (labels, *rows)).encode()


def read(layout: Layout, *data: bytes) -> Reading:
    """What the office's files hold."""
    files = [(f"file-{number}.csv", content) for number, content in enumerate(data, 1)]
    return read_files(a_directory(layout.program), "o-1", [layout], files)


def codes(reading: Reading) -> list[tuple[int | None, str]]:
    """Row and code of each problem."""
    return [(problem.row, problem.code) for problem in reading.problems]


def with_cells(**cells: str) -> tuple[str, ...]:
    """The usual row with other cells, by label."""
    return tuple(cells.get(label, cell) for label, cell in zip(LABELS, ROW, strict=True))


def the_visit(reading: Reading) -> Visit:
    """The only visit of a reading without rejects."""
    assert not [problem for problem in reading.problems if problem.level != "warn"]
    (visit,) = reading.visits
    return visit


def as_plain(value: object) -> object:
    """A part of a visit as plain data."""
    return msgspec.json.decode(msgspec.json.encode(value))
