"""Workbooks: merged headings, typed cells, and everything that pretends to be a workbook."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from an_office import LABELS, ROW, a_directory, a_layout, codes, the_visit, with_cells

from visitsync.fields.layout import Layout
from visitsync.files.zip_guard import look_into
from visitsync.schema.reading import Reading
from visitsync.schema.visit import Units
from visitsync.service.reading import read_files

BOOK = a_layout(kind="xlsx", top='dates = ["western", "era"]')
SAMPLE = Path("visitsync/shiomi/household_support/HS_2026-04.xlsx")


def book(*rows: tuple[object, ...], merged: tuple[str, ...] = (), sheets: int = 1) -> bytes:
    made = openpyxl.Workbook()
    for number in range(sheets):
        sheet = made.active if number == 0 else made.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        for cells in merged:
            sheet.merge_cells(cells)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def read(data: bytes, layout: Layout = BOOK) -> Reading:
    return read_files(a_directory(layout.program), "o-1", [layout], [("f.xlsx", data)])


def repacked(change: Callable[[str, bytes], bytes], data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def with_sheet(old: str, new: str, data: bytes | None = None) -> bytes:
    """A workbook of which the sheet's XML is changed."""

    def change(name: str, content: bytes) -> bytes:
        if not name.startswith("xl/worksheets/"):
            return content
        changed = re.sub(old, new, content.decode(), count=1)
        assert changed != content.decode()
        return changed.encode()

    return repacked(change, data or book(LABELS, ROW))


def test_numbers_dates_and_times_are_read_as_a_person_sees_them() -> None:
    row = (120, dt.date(2026, 4, 3), dt.time(10, 0), dt.time(11, 30), "済", "架空 花子")
    visit = the_visit(read(book(LABELS, row)))

    assert visit.source.record_id == "120"
    assert visit.date == dt.date(2026, 4, 3)
    assert visit.start is not None
    assert visit.end is not None
    assert (visit.start.hour, visit.end.hour, visit.end.minute) == (10, 11, 30)


def test_a_moment_is_no_date() -> None:
    row = with_cells(日="x")
    moment = tuple(dt.datetime(2026, 4, 3, 9, 15) if cell == "x" else cell for cell in row)  # noqa: DTZ001 -- a cell has no zone

    assert codes(read(book(LABELS, moment))) == [(2, "bad_date")]


def test_headings_over_merged_cells_are_part_of_a_label() -> None:
    layout = a_layout(
        kind="xlsx", file="header_rows = 2", more='[[person]]\nrole = "child"\nname = "子 / 名"'
    )
    above = ("番号", "日", "開始", "終了", "結果", "母", "", "子", "")
    below = ("", "", "", "", "", "氏名", "電話", "名", "学年")
    merged = ("A1:A2", "B1:B2", "C1:C2", "D1:D2", "E1:E2", "F1:G1", "H1:I1")
    reading = read(book(above, below, (*ROW, "0", "波", "1"), merged=merged), layout)

    assert [person.name for person in the_visit(reading).persons] == ["架空 花子", "波"]
    assert reading.unread_columns == {"母 / 電話", "子 / 学年"}


def test_headings_without_merged_cells_reach_to_the_right() -> None:
    above = ("番号", "日", "開始", "終了", "結果", "母", "", "子", "")
    below = ("", "", "", "", "", "氏名", "電話", "学年", "氏名")
    layout = a_layout(
        kind="xlsx",
        file="header_rows = 2",
        more='[synonyms]\n"氏名" = ["母 / 氏名"]\n[[person]]\nrole = "child"\nname = "子 / 氏名"',
    )
    reading = read(book(above, below, (*ROW, "0", "1", "波")), layout)

    assert [person.name for person in the_visit(reading).persons] == ["架空 花子", "波"]


def test_rows_keep_the_numbers_that_the_sheet_shows() -> None:
    assert the_visit(read(book((), (), LABELS, (), ROW))).source.row == 5


def test_a_formula_gives_its_value_and_text_that_looks_like_one_is_kept() -> None:
    sheet = r'<c r="A2" t="str"><f>1+1</f><v>F-1</v></c>'
    data = with_sheet(r'<c r="A2".*?</c>', sheet)
    note = a_layout(kind="xlsx", more='[notes]\nnotes = "備考"')
    text = with_sheet(
        r'<c r="G2".*?</c>',
        '<c r="G2" t="inlineStr"><is><t>=1+1</t></is></c>',
        book((*LABELS, "備考"), (*ROW, "x")),
    )

    assert the_visit(read(data)).source.record_id == "F-1"
    assert the_visit(read(text, note)).notes == {"notes": "=1+1"}
    assert codes(read(text, note)) == [(2, "formula_text")]


def test_a_second_sheet_with_the_same_header_is_told() -> None:
    assert codes(read(book(LABELS, ROW, sheets=2))) == [(None, "other_sheet")]


def test_the_sheet_is_found_by_its_header_or_its_name() -> None:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active.append(["記入のしかた"])
    sheet = made.create_sheet("実績")
    sheet.append(LABELS)
    sheet.append(ROW)
    out = io.BytesIO()
    made.save(out)

    the_visit(read(out.getvalue()))
    the_visit(read(out.getvalue(), a_layout(kind="xlsx", file='sheet = "実績"')))
    missing = read(out.getvalue(), a_layout(kind="xlsx", file='sheet = "ない"'))
    assert codes(missing) == [(None, "not_a_workbook")]


def test_a_claimed_size_is_told_and_costs_nothing() -> None:
    for claim in ("A1:XFD1048576", "A1:ZZZZ99999999"):
        reading = read(with_sheet(r'<dimension ref="[^"]*"', f'<dimension ref="{claim}"'))
        assert len(reading.visits) == 1
        assert codes(reading) == [(None, "dimension_claim")]


FAR = ["XFD1048576", "A1048576"]


@pytest.mark.parametrize("place", FAR)
def test_a_single_far_cell_does_not_fill_the_memory(place: str) -> None:
    row = re.sub(r"\D", "", place)
    wide = book(LABELS, ROW, tuple(["x"] * 40))
    far = f'<row r="{row}"><c r="{place}" t="str"><v>x</v></c></row></sheetData>'

    assert codes(read(with_sheet("</sheetData>", far, wide))) == [(None, "too_large")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('r="A2"', 'r="A12345678"'),
        ('r="A2"', 'r="AAAA2"'),
        ('r="A2"', 'r="a2"'),
        ('r="A2"', 'r=""'),
        ('<row r="2"', '<row r="999999999"'),
        ('<row r="2"', '<row r="-2"'),
        ("<worksheet", "<!DOCTYPE x [<!ENTITY a 'b'>]><worksheet"),
        ("</sheetData>", ""),
        ("<sheetData>", '<sheetData><row r="1"><c r="A1" t="s"><v>99</v></c></row>'),
    ],
)
def test_a_sheet_that_no_spreadsheet_writes_is_no_workbook(old: str, new: str) -> None:
    assert codes(read(with_sheet(old, new))) == [(None, "not_a_workbook")]


@pytest.mark.parametrize(("length", "code"), [(40_000, "too_large"), (100, None)])
def test_a_shared_string_longer_than_a_cell_is_refused(length: int, code: str | None) -> None:
    strings = f"<sst><si><t>{'x' * length}</t></si></sst>".encode()
    looked = look_into(packed(("xl/workbook.xml", b"<a/>"), ("xl/sharedStrings.xml", strings)))

    assert looked.refused == code


def test_shared_strings_are_counted_for_each_cell_that_refers_to_them() -> None:
    cells = '<c t="s"><v>0</v></c>' * 20_000
    sheet = f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>".encode()

    def looked(length: int) -> str | None:
        strings = f"<sst><si><t>{'x' * length}</t></si></sst>".encode()
        members = ("xl/workbook.xml", b"<a/>"), ("s.xml", strings), ("sheet.bin", sheet)
        return look_into(packed(*members)).refused

    assert looked(10) is None
    assert looked(30_000) == "too_large"


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (packed(("xl/workbook.xml", b"<a/>"), ("b", bytes(2_000_000))), "too_large"),
        (packed(*[(f"{n}.xml", b"<a/>") for n in range(1_001)]), "too_large"),
        (packed(("a.txt", b"x")), "not_a_workbook"),
        (packed(("xl/workbook.xml", b"<a/>")), "not_a_workbook"),
        (packed(("xl/workbook.xml", b"not xml")), "not_a_workbook"),
        (b"<html></html>", "not_a_workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "not_a_workbook"),
        (b"", "empty"),
    ],
)
def test_what_is_no_workbook_is_refused(data: bytes, code: str) -> None:
    assert codes(read(data)) == [(None, code)]


def test_a_member_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(packed(("xl/workbook.xml", b"<a/>"), ("big", bytes(3_000_000))))
    place = data.rindex(b"PK\x01\x02")
    data[place + 24 : place + 28] = (100).to_bytes(4, "little")

    assert codes(read(bytes(data))) == [(None, "not_a_workbook")]


def test_every_truncation_of_a_workbook_is_told_so() -> None:
    data = SAMPLE.read_bytes()
    for end in range(4, len(data), 97):
        assert codes(read(data[:end])) == [(None, "truncated")]


def test_a_stray_cell_far_to_the_right_of_the_labels_is_told_and_costs_nothing() -> None:
    reading = read(
        book(("一覧", *[None] * 16_000, "x"), LABELS, ROW, (*with_cells(番号="A-2"), "y"))
    )

    assert [v.source.record_id for v in reading.visits] == ["A-1", "A-2"]
    assert reading.unread_columns == {"#7"}


def test_more_columns_than_a_form_has_are_refused() -> None:
    labels = (*LABELS, *(f"x{column}" for column in range(2_000)))
    assert codes(read(book(labels, ROW))) == [(None, "too_large")]


UNITS = a_layout(
    kind="xlsx",
    visit='units = { column = "時間数", kind = "hours" }',
    more='[notes]\nnotes = "備考"',
)
WITH_UNITS = (*LABELS, "時間数", "備考")


def with_last_cell(cell: str) -> bytes:
    """A workbook whose second row ends with a cell of that XML."""
    rows = [WITH_UNITS, (*ROW, 1, "x"), (*with_cells(番号="A-2"), 2, "最後")]
    return with_sheet('<c r="H2"[^>]*>.*?</c>', cell, book(*rows))


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="H2" t="e"><v>#N/A</v></c>',
        '<c r="H2" t="e"><f>NA()</f><v>#N/A</v></c>',
        '<c r="H2"><f>1+1</f></c>',
        '<c r="H2"><f>1+1</f><v></v></c>',
        '<c r="H2"><f>1+1</f><v/></c>',
    ],
)
def test_an_error_or_a_formula_without_its_result_is_no_empty_cell(cell: str) -> None:
    reading = read(with_last_cell(cell), UNITS)

    assert [v.source.record_id for v in reading.visits] == ["A-2"]
    assert codes(reading) == [(2, "no_value")]
    assert reading.problems[0].column == "備考"


@pytest.mark.parametrize(
    ("cell", "notes"),
    [
        ('<c r="H2" t="str"><f>""</f><v></v></c>', {}),
        ('<c r="H2" t="str"><f>A1</f><v>あ</v></c>', {"notes": "あ"}),
        ('<c r="H2"><f>1+1</f><v>2</v></c>', {"notes": "2"}),
    ],
)
def test_the_result_of_a_formula_is_what_counts(cell: str, notes: dict[str, str]) -> None:
    reading = read(with_last_cell(cell), UNITS)

    assert reading.visits[0].notes == notes
    assert codes(reading) == []


def test_a_formula_without_its_result_is_found_in_the_sheet_that_is_read() -> None:
    made = openpyxl.Workbook()
    assert made.active is not None
    made.active["B2"] = "=1+1"
    for row in (WITH_UNITS, (*ROW, "=1+1", None), (*with_cells(番号="A-2"), 2, None), ("=1+1",)):
        (made["実績"] if "実績" in made.sheetnames else made.create_sheet("実績")).append(row)
    out = io.BytesIO()
    made.save(out)
    reading = read(out.getvalue(), UNITS)

    assert [v.source.record_id for v in reading.visits] == ["A-2"]
    assert (2, "no_value") in codes(reading)
    assert (4, "no_value") in codes(reading)


@pytest.mark.parametrize(
    ("hours", "quantity"), [("1.9999999999999998", "2"), ("0.30000000000000004", "0.3")]
)
def test_a_number_counts_as_the_spreadsheet_shows_it(hours: str, quantity: str) -> None:
    cell = f'<c r="G2"><f>(C2-B2)*24</f><v>{hours}</v></c>'
    reading = read(
        with_sheet('<c r="G2"[^>]*>.*?</c>', cell, book(WITH_UNITS, (*ROW, 1, None))), UNITS
    )

    assert the_visit(reading).units == Units(kind="hours", quantity=quantity)


def test_too_many_cells_without_a_value_are_refused() -> None:
    cells = "".join(f'<row r="{row}"><c r="A{row}" t="e"/></row>' for row in range(3, 100_010))
    data = with_sheet("</sheetData>", cells + "</sheetData>")
    assert look_into(data).refused == "too_large"
