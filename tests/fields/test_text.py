"""Text: kept as typed, and what a person must look at."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.fields.text import clean, is_mojibake, looks, suspicious
from visitsync.schema.visit import decode

NAMES = [
    "髙橋　早苗",
    "渡邉 麻里子",
    "邊見　莉愛",
    "莉子",
    "齋藤　彌生",
    "ｻｲﾄｳ ﾕｳｺ",
    "グエン・ティ・ラン",
]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("　 母 \t", "母"),
        ("か\u3099", "が"),
        ("\ufa19", "神"),
        ("ﾀｶﾊｼ ｻﾅｴ", "ﾀｶﾊｼ ｻﾅｴ"),
        ("髙　﨑", "髙　﨑"),
        ("一行目\n二行目", "一行目\n二行目"),
        ("\u00a0", ""),
    ],
)
def test_only_blanks_at_the_ends_and_composition_change(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@pytest.mark.parametrize("name", [*NAMES, "岡田　樹", "𠮷野　桃子", "久保　結衣", "中島", "葵"])
def test_utf8_read_as_cp932_is_noticed(name: str) -> None:
    garbled = name.encode().decode("cp932", "replace").replace("\ufffd", "・")

    assert is_mojibake(garbled)
    assert [code for _, code in looks(garbled)] == ["mojibake"]


def test_mojibake_with_real_characters_behind_it_is_noticed() -> None:
    assert is_mojibake("荵・菫昴\x80\x80邨占｡｣様")


@pytest.mark.parametrize("name", NAMES)
def test_a_real_name_is_no_mojibake(name: str) -> None:
    assert not is_mojibake(name)


def test_no_text_of_the_sample_city_is_suspected() -> None:
    records = [
        line
        for path in sorted(Path("tests/samples").glob("*/expected/*.ndjson"))
        for line in path.read_bytes().splitlines()
    ]
    assert len(records) > 900
    for record in records:
        visit = decode(record)
        texts = [visit.case_no or "", *visit.notes.values()]
        for person in visit.persons:
            texts += [person.name or "", person.kana or "", person.address or ""]
        for text in texts:
            assert not list(looks(text))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("=1+1", [("warn", "formula_text")]),
        ("+1", [("warn", "formula_text")]),
        ("-", [("warn", "formula_text")]),
        ("@SUM(A1)", [("warn", "formula_text")]),
        ("a=1", []),
        ("飯\ue043", [("warn", "private_use_character")]),
        ("=飯\ue043", [("warn", "private_use_character"), ("warn", "formula_text")]),
        ("花\u200b子", [("warn", "invisible_character")]),
        ("\u202e子花", [("warn", "invisible_character")]),
        ("\u200b=1", [("warn", "invisible_character"), ("warn", "formula_text")]),
        ("葛\U000e0100", []),
        ("母\x00", [("reject", "control_character")]),
        ("母\x1b[31m", [("reject", "control_character")]),
        ("母\ufffd", [("reject", "mojibake")]),
        ("母\udc88", [("reject", "wrong_encoding")]),
        ("母" * 40_000, [("reject", "too_long")]),
        ("", []),
    ],
)
def test_what_a_person_must_look_at(text: str, found: list[tuple[str, str]]) -> None:
    assert list(looks(text)) == found


@given(st.lists(st.text(max_size=8), max_size=5))
def test_a_row_that_is_not_suspicious_has_no_cell_to_look_at(cells: list[str]) -> None:
    if not suspicious("\n".join(cells)):
        assert not any(list(looks(cell)) for cell in cells)


@given(st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x9FFF), max_size=6))
def test_text_that_cp932_cannot_hold_does_not_disturb(text: str) -> None:
    assert isinstance(is_mojibake(unicodedata.normalize("NFC", text)), bool)
