"""Who must be named: an applicant in four programs, nobody in one; a widow has no child."""

from __future__ import annotations

import pytest
from an_office import LABELS, ROW, a_file, a_layout, codes, read, with_cells

NOBODY = """
[[person]]
role = "child"
name = "子"
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("household_support", [(2, "missing_name")]),
        ("single_parent", [(2, "missing_name")]),
        ("multiples", [(2, "missing_name")]),
        ("perinatal_helper", [(2, "missing_name")]),
        ("nurturing_support", []),
    ],
)
def test_a_visit_without_guardian(program: str, expected: list[tuple[int, str]]) -> None:
    layout = a_layout(program=program, more=NOBODY)
    data = a_file((*with_cells(氏名=""), "波"), labels=(*LABELS, "子"))

    assert codes(read(layout, data)) == expected


def test_a_guardian_who_is_there_has_a_name_in_every_program() -> None:
    layout = a_layout(program="nurturing_support", person='kana = "かな"')
    data = a_file((*with_cells(氏名=""), "かくう"), labels=(*LABELS, "かな"))

    assert codes(read(layout, data)) == [(2, "missing_name")]


def test_a_widow_with_a_child_is_kept_and_told() -> None:
    layout = a_layout(program="single_parent", more=NOBODY, role="widow")

    for child, expected in (("", []), ("波", [(2, "widow_with_child")])):
        reading = read(layout, a_file((*ROW, child), labels=(*LABELS, "子")))
        assert len(reading.visits) == 1
        assert codes(reading) == expected
