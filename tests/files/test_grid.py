"""Finding the table in a sheet or file: header, title block, sums, notes, ditto marks."""

from __future__ import annotations

from an_office import LABELS, ROW, a_file, a_layout, codes, read, the_visit, with_cells


def test_the_header_is_found_by_its_labels_wherever_it_starts() -> None:
    above = "表題,,,,,\r\n,,,,,\r\n作成者,だれか,,,,\r\n".encode()

    assert the_visit(read(a_layout(), above + a_file(ROW))).source.row == 5


def test_labels_are_compared_without_blanks_and_width() -> None:
    labels = ("番 号", "日", " 開始", "終　了", "結果", "氏\u3000名")

    the_visit(read(a_layout(), a_file(ROW, labels=labels)))


def test_a_synonym_finds_the_column() -> None:
    layout = a_layout(more='[synonyms]\n"日" = ["利用日", "訪問日"]')
    labels = tuple("訪問日" if label == "日" else label for label in LABELS)

    the_visit(read(layout, a_file(ROW, labels=labels)))


def test_a_missing_column_is_named_by_its_label() -> None:
    labels = tuple("備考" if label == "終了" else label for label in LABELS)
    reading = read(a_layout(), a_file(ROW, labels=labels))

    assert [(p.level, p.code, p.column) for p in reading.problems] == [
        ("file", "missing_column", "終了")
    ]


def test_an_optional_column_may_be_missing() -> None:
    layout = a_layout(visit='case_no = { column = "世帯", optional = true }')

    assert the_visit(read(layout, a_file(ROW))).case_no is None


def test_a_file_without_any_of_the_labels_has_no_header() -> None:
    assert codes(read(a_layout(), b"a,b,c\r\n1,2,3\r\n")) == [(None, "no_header")]


def test_a_file_without_labels_is_read_by_position() -> None:
    layout = a_layout(file=f"header_rows = 0\nlabels = {list(LABELS)}")

    assert the_visit(read(layout, a_file(ROW).split(b"\r\n", 1)[1])).source.row == 1


def test_two_columns_of_one_label_are_told_apart() -> None:
    layout = a_layout(person='kana = "氏名#2"')
    reading = read(layout, a_file((*ROW, "かくう"), labels=(*LABELS, "氏名")))

    assert the_visit(reading).persons[0].kana == "かくう"


def test_sums_and_blank_rows_are_no_visits_and_notes_end_the_table() -> None:
    layout = a_layout(more='[rows]\ntotal = ["合計", "小計"]\nnotes = ["（注）"]')
    blank = ("",) * 6
    data = a_file(
        ROW,
        ("小計", *[""] * 5),
        with_cells(番号="A-2"),
        blank,
        ("合計", "", "", "", "2件", ""),
        ("（注）一", *[""] * 5),
        ("　二", *[""] * 5),
    )
    reading = read(layout, data)

    assert [v.source.row for v in reading.visits] == [2, 4]
    assert codes(reading) == []


def test_a_sum_is_known_however_it_is_spaced_and_a_dated_row_is_none() -> None:
    layout = a_layout(more='[rows]\ntotal = ["計"]\nnotes = ["（注）"]')
    data = a_file(
        with_cells(番号="計-1"), ("計 ", *[""] * 5), ("　(注) 一", *[""] * 5), ("二", *[""] * 5)
    )
    reading = read(layout, data)

    assert [v.source.record_id for v in reading.visits] == ["計-1"]
    assert codes(reading) == []


def test_a_visit_below_the_notes_is_not_lost_silently() -> None:
    layout = a_layout(more='[rows]\nnotes = ["（注）"]')
    reading = read(layout, a_file(ROW, ("（注）", *[""] * 5), with_cells(番号="A-2")))

    assert codes(reading) == [(4, "after_end")]


def test_a_sum_that_should_be_there_and_is_not_tells_of_an_incomplete_file() -> None:
    layout = a_layout(more='[rows]\ntotal = ["合計"]\ntotal_expected = true')

    assert codes(read(layout, a_file(ROW))) == [(None, "no_trailer")]
    assert codes(read(layout, a_file(ROW, ("合計", *[""] * 5)))) == []


def test_a_header_without_rows_is_a_month_without_visits() -> None:
    reading = read(a_layout(), a_file())

    assert [(p.level, p.code) for p in reading.problems] == [("warn", "no_rows")]


def test_a_ditto_repeats_the_row_above_even_a_rejected_one() -> None:
    layout = a_layout(more='[rows]\nditto = ["〃", "同上"]')
    reading = read(
        layout,
        a_file(
            with_cells(日="2026/2/30"),
            ("",) * 6,
            with_cells(番号="A-2", 氏名="〃"),
            with_cells(番号="A-3", 氏名="同上"),
        ),
    )

    assert [v.persons[0].name for v in reading.visits] == [ROW[5], ROW[5]]
    assert codes(reading) == [(2, "impossible_date")]


def test_a_ditto_below_nothing_or_below_a_damaged_row_is_not_guessed() -> None:
    layout = a_layout(more='[rows]\nditto = ["〃"]')
    reading = read(layout, a_file(with_cells(氏名="〃"), ROW, ROW[:3], with_cells(氏名="〃")))

    assert codes(reading) == [(2, "nothing_above"), (4, "column_count"), (5, "nothing_above")]


def test_a_ditto_below_nothing_spoils_no_other_cell_for_the_rows_below() -> None:
    layout = a_layout(more='[rows]\nditto = ["〃"]')
    data = a_file(
        with_cells(日="〃"),
        with_cells(番号="A-2", 氏名="〃"),
        with_cells(番号="A-3", 氏名="〃", 開始="〃"),
        with_cells(番号="A-4", 日="〃"),
    )
    reading = read(layout, data)

    assert [v.source.record_id for v in reading.visits] == ["A-2", "A-3", "A-4"]
    assert {v.persons[0].name for v in reading.visits} == {ROW[5]}
    assert [(p.row, p.code, p.column) for p in reading.problems] == [(2, "nothing_above", "日")]


def test_a_mark_that_is_no_declared_ditto_is_text() -> None:
    assert the_visit(read(a_layout(), a_file(with_cells(氏名="〃")))).persons[0].name == "〃"


def test_a_new_column_is_reported_and_a_known_one_is_not() -> None:
    layout = a_layout(more='[rows]\nignore = ["天気"]')
    data = a_file((*ROW, "晴", "x", ""), labels=(*LABELS, "天気", "体温", ""))
    reading = read(layout, data)

    assert reading.unread_columns == {"体温"}
    the_visit(reading)


def test_a_column_without_label_is_reported_where_it_is_filled() -> None:
    reading = read(a_layout(), a_file((*ROW, "x"), labels=(*LABELS, "")))

    assert reading.unread_columns == {"#7"}


TITLE = '[title_says]\noffice_number = "事業所番号"'


def test_the_number_in_the_title_is_compared_and_never_trusted() -> None:
    def titled(text: str) -> bytes:
        return f"{text},,,,\r\n".encode() + a_file(ROW)

    layout = a_layout(more=TITLE)

    the_visit(read(layout, titled("事業所番号,9990200018")))
    the_visit(read(layout, titled("事業所番号,９９９０２０００１８")))
    assert codes(read(layout, titled("事業所番号,9990100011"))) == [(None, "wrong_office")]
    assert codes(read(layout, titled("題名,"))) == [(None, "no_office_number")]
