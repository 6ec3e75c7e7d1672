"""Where a family lives by its own reports, looked for in their notes."""

from __future__ import annotations

import json

import pytest

from visitsync.consent.own_places import OwnPlaces


def own(address: str | None = None, phone: str | None = None, code: str | None = None) -> OwnPlaces:
    person = {"address": address, "phone": phone, "postal_code": code}
    return OwnPlaces([json.dumps({"persons": [person]}).encode()])


@pytest.mark.parametrize(
    "note",
    [
        "ことりの角で待つ",
        "コトリの角で待つ",
        "ことりさんの店からことりまで",
        "ｺﾄﾘﾏﾃﾞ",
        "小鳩コートの前で",
        "４ー２１まで",
        "4の21",
        "503に変更",
        "部屋：503",
        "503：母のみ",
        "503/母のみ",
        "末尾は1357",
        "0 9 0 - 0 0 0 0 - 1 3 5 7",
        "９９９０１２３",
    ],
)
def test_each_word_of_it_is_found_in_any_writing(note: str) -> None:
    address = "汐見市ことり四丁目 小鳩コート4-21-503"
    assert own(address, "090(0000)1357", "999-0123").are_in(note)
    assert not own().are_in(note)


@pytest.mark.parametrize(
    "note",
    [
        "今日は機嫌がよい",
        "503円の買い物",
        "4時21分",
        "13:57に到着",
        "503/120",
        "14-21まで",
        "ことりさんと話す",
        "12503歩",
        "3回",
    ],
)
def test_what_only_looks_like_it_is_passed_over(note: str) -> None:
    assert not own("汐見市ことり4-21-503", "090-0000-1357").are_in(note)


def test_a_word_that_every_other_note_holds_is_none_of_it() -> None:
    assert not own("汐見市第二支援施設3").are_in("施設の支援を受ける")


def test_last_digits_like_a_year_are_no_telephone() -> None:
    assert not own(phone="090-0000-2026").are_in("2026に更新")


def test_it_never_prints_what_it_knows() -> None:
    assert repr(own("汐見市ことり4-21")) == "<OwnPlaces>"
