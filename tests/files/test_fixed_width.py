"""Fixed width: bytes, not characters; a record of another length shifts nothing but itself."""

from __future__ import annotations

from an_office import a_directory, codes

from visitsync.fields.layout import Layout
from visitsync.fields.layout_file import parse
from visitsync.schema.reading import Reading
from visitsync.service.reading import read_files

LAYOUT = """
office = "o-1"
program = "perinatal_helper"
title = "固定長"
dates = ["yyyymmdd"]

[file]
kind = "fixed_width"
encoding = "cp932"
record_length = 40
record_type = [1, 1]
header_type = "H"
row_type = "D"
trailer_type = "T"
count = "件数"
cut_off = ["氏名"]
[file.header_fields]
"事業所" = [2, 10]
"形式" = [12, 1]
[file.fields]
"番号" = [2, 4]
"日" = [6, 8]
"氏名" = [14, 13]
"結果" = [27, 1]
[file.trailer_fields]
"件数" = [2, 6]

[title_says]
office_number = "事業所"

[visit]
id = "番号"
date = { column = "日", style_from = "形式", style_by = { "1" = ["yyyymmdd"], "2" = ["yymmdd_R"] } }
outcome = { column = "結果", codes = { "1" = "done" } }

[[person]]
role = "guardian"
name = "氏名"
"""
ONE = parse(LAYOUT)


def record(text: str) -> bytes:
    return text.encode("cp932").ljust(40)


def row(number: str = "0001", day: str = "20260403", name: str = "架空　花子") -> bytes:
    return (
        f"D{number}".encode()
        + day.encode().ljust(8)
        + name.encode("cp932").ljust(13)[:13]
        + b"1".ljust(14)
    )


def header(style: str = "1", office: str = "9990200018") -> bytes:
    return record(f"H{office}{style}")


def read(*records: bytes, layout: Layout = ONE, end: bytes = b"\r\n\x1a") -> Reading:
    data = b"\r\n".join(records) + end
    return read_files(a_directory("perinatal_helper"), "o-1", [layout], [("f.txt", data)])


def test_rows_are_lines_and_the_trailer_counts_them() -> None:
    reading = read(header(), row(), row("0002"), record("T000002"))

    assert [v.source.row for v in reading.visits] == [2, 3]
    assert codes(reading) == []


def test_the_header_record_decides_how_dates_are_written() -> None:
    old = read(header("2"), row(day="080403"), record("T000001"))
    new = read(header("1"), row(day="20260403"), record("T000001"))

    assert [v.date for v in old.visits] == [v.date for v in new.visits]
    assert codes(read(header("1"), row(day="080403"), record("T000001"))) == [
        (2, "impossible_date")
    ]
    assert codes(read(header("2"), row(), record("T000001"))) == [(2, "bad_date")]
    assert codes(read(header("3"), row(), record("T000001"))) == [(None, "unknown_code")]


def test_a_record_of_another_length_costs_itself_only() -> None:
    reading = read(header(), row()[:-1], row("0002"), row("0003") + b" ", record("T000003"))

    assert [v.source.row for v in reading.visits] == [3]
    assert codes(reading) == [(2, "wrong_length"), (4, "wrong_length")]


def test_a_cut_file_tells_the_row_and_the_missing_trailer() -> None:
    reading = read(header(), row(), row("0002")[:20], end=b"")

    assert codes(reading) == [(3, "truncated"), (None, "no_trailer")]


def test_another_count_than_stated_is_told() -> None:
    for said in ("000005", "      ", "x"):
        reading = read(header(), row(), record(f"T{said}"))
        assert len(reading.visits) == 1
        assert codes(reading) == [(None, "count_mismatch")]


def test_a_record_of_an_unknown_type_and_one_behind_the_trailer_are_not_lost() -> None:
    reading = read(header(), row(), record("X"), record("T000001"), row("0002"))

    assert codes(reading) == [(3, "unknown_code"), (5, "after_end")]


def test_without_its_header_record_a_file_is_refused() -> None:
    assert codes(read(row(), record("T000001"))) == [(None, "no_header")]
    assert codes(read(header()[:-1], row(), record("T000001"))) == [(None, "wrong_length")]
    assert codes(read(header(office="9990100011"), row())) == [(None, "wrong_office")]
    assert codes(read(header(office=" " * 10), row())) == [(None, "no_office_number")]


def test_half_a_character_is_dropped_only_where_the_system_cuts_off() -> None:
    long_name = "架空花子花子花子"
    cut = read(header(), row(name=long_name), record("T000001"))
    strict = parse(LAYOUT.replace('cut_off = ["氏名"]', ""))

    assert cut.visits[0].persons[0].name == long_name[:6]
    assert codes(read(header(), row(name=long_name), record("T000001"), layout=strict)) == [
        (2, "wrong_encoding")
    ]


def test_utf8_is_not_taken_for_fixed_width_cp932() -> None:
    data = (header() + b"\r\n" + row() + b"\r\n").decode("cp932").encode()
    reading = read_files(a_directory("perinatal_helper"), "o-1", [ONE], [("f.txt", data)])

    assert codes(reading) == [(None, "wrong_encoding")]


def test_records_without_line_ends_are_counted_by_record() -> None:
    layout = parse(LAYOUT.replace('count = "件数"', 'count = "件数"\nline_ends = false'))
    data = header() + row() + row("0002") + record("T000002")
    reading = read_files(a_directory("perinatal_helper"), "o-1", [layout], [("f.txt", data)])

    assert [v.source.row for v in reading.visits] == [2, 3]
    assert codes(reading) == []


def test_what_stands_where_no_field_is_declared_is_reported() -> None:
    stray = row()[:30] + "あ".encode("cp932") + row()[32:]
    reading = read(header(), row(), stray, record("T000002"))

    assert reading.unread_columns == {"#28-40"}
    assert read(header(), row(), record("T000001")).unread_columns == frozenset()
