"""JSON and NDJSON: strict, and a broken line costs itself only."""

from __future__ import annotations

import json

import pytest
from an_office import LABELS, ROW, a_layout, codes, read, the_visit

LAYOUT = a_layout(kind="ndjson")
RECORD = dict(zip(LABELS, ROW, strict=True))


def line(**members: object) -> bytes:
    return json.dumps(RECORD | members, ensure_ascii=False).encode() + b"\n"


def test_lines_are_counted_with_the_blank_ones() -> None:
    reading = read(LAYOUT, line() + b"\n" + line(番号="A-2"))

    assert [v.source.row for v in reading.visits] == [1, 3]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (b'{"a": 1\n', "not_json"),
        (b'{"a": "\\ud83d"}\n', "not_unicode"),
        (b'{"a": "\xff"}\n', "not_unicode"),
        (b'{"a": 1, "a": 2}\n', "repeated_name"),
        (b'{"a": NaN}\n', "not_a_number"),
        (b"[" * 100_000 + b"\n", "too_deep"),
        (b"[1, 2]\n", "wrong_shape"),
        (b'"text"\n', "wrong_shape"),
    ],
)
def test_a_broken_line_costs_itself_only(broken: bytes, code: str) -> None:
    reading = read(LAYOUT, line() + broken + line(番号="A-2"))

    assert [v.source.row for v in reading.visits] == [1, 3]
    assert codes(reading) == [(2, code)]


def test_a_last_line_that_is_cut_off_is_told_so() -> None:
    whole = line(番号="A-2")
    for end in range(1, len(whole) - 2):
        assert codes(read(LAYOUT, line() + whole[:end])) == [(2, "truncated")]


@pytest.mark.parametrize("value", [["x"], {"x": 1}])
def test_a_list_or_object_in_place_of_a_value_is_a_problem_of_its_column(value: object) -> None:
    (problem,) = read(LAYOUT, line(氏名=value)).problems

    assert (problem.code, problem.column) == ("wrong_shape", "氏名")


def test_members_nobody_reads_are_reported_by_their_path() -> None:
    reading = read(LAYOUT, line(天気={"朝": "晴"}, 記録=[{"値": 1}], 表=[]))

    assert reading.unread_columns == {"天気.朝", "記録[].値", "表[]"}


def test_an_empty_container_is_read_where_its_members_are() -> None:
    layout = a_layout(
        kind="ndjson",
        more="""
[rows]
ignore = ["天気"]
[notes]
notes = "所見.本文"
[[visitor]]
id = "担当[].番号"
""",
    )
    reading = read(layout, line(所見=None, 担当=[], 天気={"朝": {"空": "晴"}}))

    assert len(reading.visits) == 1
    assert reading.unread_columns == frozenset()


def test_numbers_and_booleans_are_text() -> None:
    layout = a_layout(kind="ndjson", visit='case_no = "世帯"', more='[notes]\nnotes = "備考"')
    visit = the_visit(read(layout, line(世帯=12.0, 備考=True)))

    assert (visit.case_no, visit.notes) == ("12", {"notes": "true"})


def test_items_cannot_be_smuggled_into_a_list() -> None:
    layout = a_layout(kind="ndjson", more='[[visitor]]\nid = "担当[].番号"')
    reading = read(layout, line(担当=[{"番号": "1\u001e2"}]))

    assert codes(reading) == [(1, "control_character")]


def test_a_document_holds_its_records_at_a_path_and_says_its_office() -> None:
    layout = a_layout(
        kind="json",
        file='rows_at = "data.visits"',
        more='[title_says]\noffice_number = "事業所"',
    )

    def document(office: str) -> bytes:
        return json.dumps({"事業所": office, "data": {"visits": [RECORD]}}).encode()

    assert the_visit(read(layout, document("9990200018"))).source.row == 1
    inner = a_layout(kind="json", file='rows_at = "v"', more='[title_says]\noffice_number = "h.no"')
    nested = json.dumps({"h": {"no": 9990200018}, "v": [RECORD]}).encode()
    assert the_visit(read(inner, nested)).source.row == 1
    assert codes(read(layout, document("9990100011"))) == [(None, "wrong_office")]


def test_json_in_utf16_is_refused_as_a_whole() -> None:
    data = line().decode().encode("utf-16") * 2
    assert codes(read(LAYOUT, data)) == [(None, "wrong_encoding")]


def test_a_document_without_its_list_is_refused() -> None:
    layout = a_layout(kind="json", file='rows_at = "data"')

    assert codes(read(layout, b'{"data": {}}')) == [(None, "wrong_shape")]
    assert codes(read(layout, b'{"data": [')) == [(None, "truncated")]
    assert codes(read(layout, b'{"a" 1}')) == [(None, "not_json")]


@pytest.mark.parametrize("data", [b"a,b\n1,2\n", b"<html></html>", b"PK\x03\x04 ..", b"%PDF-1.7"])
def test_another_kind_of_file_is_refused_as_a_whole(data: bytes) -> None:
    assert codes(read(LAYOUT, data)) == [(None, "wrong_kind")]
