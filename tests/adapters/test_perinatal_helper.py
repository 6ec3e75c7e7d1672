"""Fees join the visit of their id and revision, and no other."""

from __future__ import annotations

import msgspec
import pytest
from an_office import LABELS, ROW, a_directory, a_file, a_layout, as_plain, with_cells

from visitsync.errors import LayoutError
from visitsync.fields.layout_file import parse
from visitsync.schema.reading import Reading
from visitsync.service.reading import read_files

VISITS = a_layout(program="perinatal_helper", visit='revision = "版"\ncase_no = "世帯"')
FEES = parse("""
office = "o-1"
program = "perinatal_helper"
title = "料金"
holds = "fees"
[file]
kind = "csv"
[visit]
id = "番号"
revision = "版"
case_no = { column = "世帯", optional = true }
[fee]
class = { column = "区分", codes = { "0" = "standard", "1" = "welfare" } }
charged = "請求額"
waived = "減免額"
""")
FEE_LABELS = ("番号", "版", "区分", "請求額", "減免額")
ONE = a_file((*ROW, "1", "M-1"), labels=(*LABELS, "版", "世帯"))


def read(*fees: tuple[str, ...], labels: tuple[str, ...] = FEE_LABELS) -> Reading:
    files = [("fees.csv", a_file(*fees, labels=labels)), ("visits.csv", ONE)]
    return read_files(a_directory("perinatal_helper"), "o-1", [VISITS, FEES], files)


def told(reading: Reading) -> list[tuple[str, int | None, str, str]]:
    return [(p.file, p.row, p.level, p.code) for p in reading.problems]


def test_a_fee_joins_its_visit_whichever_file_comes_first() -> None:
    reading = read(("A-1", "01", "0", "1500", "0"))

    assert told(reading) == []
    assert as_plain(reading.visits[0].fee) == {
        "class": "standard",
        "charged": 1500,
        "waived": 0,
        "expenses": 0,
    }
    assert reading.visits[0].source.file == "visits.csv"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("A-2", "1", "0", "1500", "0"), "no_visit"),
        (("A-1", "2", "0", "1500", "0"), "no_visit"),
        (("A-1", "1", "0", "▲500", "0"), "bad_number"),
        (("A-1", "1", "7", "1500", "0"), "unknown_fee_class"),
        (("A-1", "x", "0", "1500", "0"), "bad_revision"),
        (("", "1", "0", "1500", "0"), "missing_id"),
    ],
)
def test_a_line_that_joins_nothing_is_rejected_alone(line: tuple[str, ...], code: str) -> None:
    reading = read(line)

    assert told(reading) == [("fees.csv", 2, "reject", code)]
    assert reading.visits[0].fee is None


def test_a_second_line_for_one_visit_is_not_added_up() -> None:
    line = ("A-1", "1", "0", "1500", "0")
    reading = read(line, line, ("A-1", "1", "1", "0", "1500"))

    assert told(reading) == [
        ("fees.csv", 3, "warn", "duplicate_identical"),
        ("fees.csv", 4, "reject", "duplicate_conflict"),
    ]
    fee = reading.visits[0].fee
    assert fee is not None
    assert fee.class_ == "standard"


def test_a_fee_of_another_household_is_not_joined() -> None:
    for case, expected in (("M-1", []), ("M-2", [("fees.csv", 2, "reject", "fee_of_another")])):
        reading = read(("A-1", "1", "0", "1500", "0", case), labels=(*FEE_LABELS, "世帯"))
        assert told(reading) == expected


def test_fees_alone_join_nothing() -> None:
    data = a_file(("A-1", "1", "0", "1500", "0"), labels=FEE_LABELS)
    directory = a_directory("perinatal_helper")
    reading = read_files(directory, "o-1", [VISITS, FEES], [("fees.csv", data)])

    assert told(reading) == [("fees.csv", 2, "reject", "no_visit")]


def test_other_programs_have_no_fee_files() -> None:
    layout = msgspec.structs.replace(FEES, program="multiples")
    with pytest.raises(LayoutError):
        read_files(a_directory("multiples"), "o-1", [layout], [("fees.csv", b"x")])


def test_a_fee_may_stand_in_the_visits_own_row() -> None:
    layout = a_layout(
        program="perinatal_helper",
        more='[fee]\nclass = { always = "standard" }\ncharged = "請求額"',
    )
    data = a_file((*with_cells(), "500"), labels=(*LABELS, "請求額"))
    reading = read_files(a_directory("perinatal_helper"), "o-1", [layout], [("v.csv", data)])

    fee = reading.visits[0].fee
    assert fee is not None
    assert fee.charged == 500
