"""CSV and TSV: one damaged row never costs another."""

from __future__ import annotations

import time

import pytest
from an_office import LABELS, ROW, a_file, a_layout, codes, read, the_visit, with_cells
from hypothesis import given
from hypothesis import strategies as st

NOTES = a_layout(more='[notes]\nnotes = "備考"')
SEVEN = (*LABELS, "備考")


def test_a_line_break_inside_quotes_is_part_of_the_cell_and_no_row() -> None:
    data = a_file((*ROW, '"一行目\n二行目, ""括弧"""'), (*with_cells(番号="A-2"), ""), labels=SEVEN)
    reading = read(NOTES, data)

    assert [v.source.row for v in reading.visits] == [2, 3]
    assert reading.visits[0].notes == {"notes": '一行目\n二行目, "括弧"'}


def test_tsv_rows_are_counted_by_line() -> None:
    layout = a_layout(kind="tsv", more='[notes]\nnotes = "備考"')
    data = a_file(
        (*ROW, '"一行目\n二行目"'), (*with_cells(番号="A-2"), ""), labels=SEVEN, delimiter="\t"
    )
    assert [v.source.row for v in read(layout, data).visits] == [2, 4]


def test_an_open_quote_swallows_no_row() -> None:
    data = a_file(
        (*ROW, '"開いたまま'),
        (*with_cells(番号="A-2"), "ふつう"),
        (*with_cells(番号="A-3"), '"二行の\n備考"'),
        (*with_cells(番号="A-4"), ""),
        labels=SEVEN,
    )
    reading = read(NOTES, data)

    assert [v.source.record_id for v in reading.visits] == ["A-2", "A-3", "A-4"]
    assert codes(reading) == [(2, "unclosed_quote")]


def test_a_file_cut_off_inside_a_quote_loses_its_last_row_only() -> None:
    whole = a_file((*ROW, ""), (*with_cells(番号="A-2"), '"一行目\n二行目"'), labels=SEVEN)
    for end in range(whole.index(b'"') + 1, whole.rindex(b'"')):
        reading = read(NOTES, whole[:end])
        assert [v.source.record_id for v in reading.visits] == ["A-1"]
        # Just behind the line break nothing tells a cut from a quote that was not closed.
        assert codes(reading) in ([(3, "truncated")], [(3, "unclosed_quote")])


def test_two_damaged_quotes_do_not_hide_the_rows_between_them() -> None:
    data = a_file(
        (*ROW, '"開いたまま'),
        (*with_cells(番号="A-2"), ""),
        (*with_cells(番号="A-3"), '閉じるだけ"'),
        (*with_cells(番号="A-4"), '"一, 二\n三, 四"'),
        labels=SEVEN,
    )
    reading = read(NOTES, data)

    assert [(v.source.record_id, v.source.row) for v in reading.visits] == [
        ("A-2", 3),
        ("A-3", 4),
        ("A-4", 5),
    ]
    assert codes(reading) == [(2, "unclosed_quote")]


@pytest.mark.parametrize("end", [b"\x1a", b"\x1a\r\n", b"\r\n\x1a\x1a\r\n"])
def test_an_end_of_file_mark_is_no_row(end: bytes) -> None:
    assert codes(read(a_layout(more="[rows]\nlast_line_ended = true"), a_file(ROW) + end)) == []


def test_a_quote_inside_a_cell_is_a_character() -> None:
    assert the_visit(read(NOTES, a_file((*ROW, '5" の釘'), labels=SEVEN))).notes == {
        "notes": '5" の釘'
    }


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_every_line_end_ends_a_line(line_end: str) -> None:
    data = a_file(ROW, with_cells(番号="A-2")).replace(b"\r\n", line_end.encode())

    assert [v.source.row for v in read(a_layout(), data).visits] == [2, 3]


def test_mixed_line_ends_and_blank_lines_keep_the_count() -> None:
    lines = [",".join(LABELS), ",".join(ROW), "", ",".join(with_cells(番号="A-2"))]
    data = f"{lines[0]}\r\n{lines[1]}\n\r\n{lines[3]}\r".encode()

    assert [v.source.row for v in read(a_layout(), data).visits] == [2, 4]


@pytest.mark.parametrize("cells", [ROW[:-1], (*ROW, "x"), ROW[:1]])
def test_a_row_of_another_width_is_rejected_and_the_next_is_not(cells: tuple[str, ...]) -> None:
    reading = read(a_layout(), a_file(cells, with_cells(番号="A-2")))

    assert [v.source.row for v in reading.visits] == [3]
    assert codes(reading) == [(2, "column_count")]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("cp932", "cp932"),
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
    ],
)
def test_a_declared_encoding_is_read(encoding: str, declared: str) -> None:
    data = a_file(ROW).decode().encode(encoding)

    assert (
        the_visit(read(a_layout(file=f'encoding = "{declared}"'), data)).persons[0].name == ROW[5]
    )


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "cp932"),
        ("utf-8-sig", "cp932"),
        ("utf-16", "cp932"),
        ("cp932", "utf-8"),
        ("utf-16", "utf-8"),
        ("utf-8", "utf-16"),
        ("euc-jp", "utf-8"),
    ],
)
def test_another_encoding_is_never_guessed(encoding: str, declared: str) -> None:
    data = a_file(ROW).decode().encode(encoding)
    reading = read(a_layout(file=f'encoding = "{declared}"'), data)

    assert not reading.visits
    assert [(p.level, p.code) for p in reading.problems] == [("file", "wrong_encoding")]


def test_a_byte_order_mark_before_cp932_is_another_encoding() -> None:
    data = b"\xef\xbb\xbf" + a_file(ROW).decode().encode("cp932")

    for declared in ("cp932", "utf-8"):
        reading = read(a_layout(file=f'encoding = "{declared}"'), data)
        assert codes(reading) == [(None, "wrong_encoding")]


def test_bytes_that_are_no_character_cost_their_row_only() -> None:
    data = a_file(ROW, with_cells(番号="A-2")).decode().encode("cp932")
    data = data.replace("花子".encode("cp932"), b"\xff\xa0", 1)
    reading = read(a_layout(file='encoding = "cp932"'), data)

    assert [v.source.row for v in reading.visits] == [3]
    assert codes(reading) == [(2, "wrong_encoding")]


def test_half_a_character_at_the_end_is_a_cut_file() -> None:
    data = a_file(ROW, with_cells(番号="A-2")).decode().encode("cp932")[: -len(b"\xff\r\n")]
    reading = read(a_layout(file='encoding = "cp932"'), data)

    assert [v.source.row for v in reading.visits] == [2]
    assert codes(reading) == [(3, "truncated")]


def test_a_whole_file_of_mojibake_is_named_so() -> None:
    whole = a_file(with_cells(氏名="久保　結衣"))
    garbled = whole.decode("cp932", "replace").replace("\ufffd", "・").encode("cp932")

    assert codes(read(a_layout(file='encoding = "cp932"'), garbled)) == [(None, "mojibake")]


def test_a_null_character_costs_its_row_only() -> None:
    reading = read(a_layout(), a_file(with_cells(氏名="架\x00空"), with_cells(番号="A-2")))

    assert [v.source.row for v in reading.visits] == [3]
    assert codes(reading) == [(2, "control_character")]


def test_a_huge_cell_costs_its_row_only() -> None:
    huge = with_cells(氏名='"' + "あ" * 200_000 + '"')
    reading = read(a_layout(), a_file(huge, with_cells(番号="A-2")))

    assert [v.source.row for v in reading.visits] == [3]
    assert [row for row, _ in codes(reading)] == [2]


def test_many_open_quotes_do_not_make_reading_slow() -> None:
    data = a_file(*[(*with_cells(番号=f"A-{n}"), '"x""y') for n in range(20_000)], labels=SEVEN)

    assert len(read(NOTES, data).problems) >= 10_000


BROKEN = {
    "open quotes before a whole row": ('"a\r\n' * 30_000, (3, "unclosed_quote")),
    "quoted cells": (",".join((*ROW, '"x"\r\n')) * 60_000, None),
    "a row of two million cells": ("," * 2_000_000 + "\r\n", (3, "column_count")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_costs_no_more_time_than_what_is_whole(name: str) -> None:
    broken, code = BROKEN[name]
    data = a_file((*ROW, ""), labels=SEVEN) + broken.encode()
    data += ",".join((*with_cells(番号="A-2"), "\r\n")).encode()
    began = time.process_time()

    reading = read(NOTES, data)

    assert time.process_time() - began < 10
    assert {"A-1", "A-2"} <= {one.source.record_id for one in reading.visits}
    assert code is None or code in codes(reading)


@given(st.lists(st.sampled_from([*'a,"\n\r\t漢', '""', ',"', '",']), max_size=40))
def test_any_body_accounts_for_rows_in_order(pieces: list[str]) -> None:
    reading = read(NOTES, a_file(labels=SEVEN) + "".join(pieces).encode())
    rows = [problem.row for problem in reading.problems if problem.row is not None]

    assert rows == sorted(rows)


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([(*ROW, '"開いたまま')] * 100_000, "unclosed_quote"),
        ([('"a"b',)] * 100_000, "unclosed_quote"),
        ([("x",) * 3_000] * 100, "column_count"),
        ([(*ROW, f'"{"長" * 200_000}"')], "too_long"),
        ([(*ROW, "e" + "\u0301\u0316" * 200_000)], "control_character"),
    ],
)
def test_no_damage_takes_longer_than_reading(rows: list[tuple[str, ...]], code: str) -> None:
    """Each of these once took minutes, or hid what it was."""
    reading = read(NOTES, a_file(*rows, (*with_cells(番号="A-2"), ""), labels=SEVEN))

    assert [v.source.row for v in reading.visits] == [len(rows) + 2]
    assert {problem.code for problem in reading.problems} == {code}
    assert len(reading.problems) == len(rows)


def test_a_line_of_a_million_cells_is_a_row_of_no_table() -> None:
    wide = ",".join(["x"] * 1_000_000).encode() + b"\n"

    assert codes(read(a_layout(), wide)) == [(None, "no_header")]
    assert codes(read(a_layout(), a_file(ROW) + wide)) == [(3, "column_count")]


def test_more_lines_than_any_month_has_are_refused() -> None:
    assert codes(read(a_layout(), a_file(ROW) + b"\n" * 4_100_000)) == [(None, "too_large")]
