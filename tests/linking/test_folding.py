"""Readings, names and numbers: what becomes equal, what stays apart, and what is never compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.linking.kana import clear, unvoiced
from visitsync.linking.names import fold, is_comparable, split
from visitsync.linking.phones import phone_keys

ONE_READING = [
    ("ｷﾖｳｺ", "キョウコ"),  # large kana for small ones
    ("ﾊﾂﾄﾘ ｼﾕﾝ", "ハットリ　シュン"),
    ("イイヅカ　チヅル", "イイズカ　チズル"),
    ("オオノ　ユウコ", "おーの　ゆーこ"),
    ("オオノ　ユウコ", "オウノ　ユウコ"),
    ("グエン・ティ・ラン", "グエン　テイラン"),
    ("ﾐｽﾞﾀﾆ ｻｵﾘ", "みずたに　さおり"),
    ("ヴァネッサ", "バネツサ"),
    ("ミスヾ", "ミスズ"),
]


@pytest.mark.parametrize(("one", "other"), ONE_READING)
def test_one_reading_has_one_key(one: str, other: str) -> None:
    assert clear(one) is not None
    assert clear(one) == clear(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ミユ", "ミユウ"),  # near-identical twins
        ("キヨコ", "キョウコ"),
        ("ユキ", "ユウキ"),
        ("オノ", "オオノ"),
        ("サトウ フミカ", "サトウ フユカ"),
    ],
)
def test_two_readings_stay_two(one: str, other: str) -> None:
    assert unvoiced(clear(one) or "") != unvoiced(clear(other) or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [("ヤマザキ", "ヤマサキ"), ("イイツカ チツル", "イイヅカ チヅル"), ("ナガシマ", "ナカジマ")],
)
def test_only_the_second_key_drops_voicing(one: str, other: str) -> None:
    first, second = clear(one) or "", clear(other) or ""
    assert first != second
    assert unvoiced(first) == unvoiced(second)


@pytest.mark.parametrize("text", [None, "", "　", "服部", "KIM", "カ\ue000コ", "キム MINJI", "123"])
def test_what_is_no_reading_has_no_key(text: str | None) -> None:
    assert clear(text) is None


@given(
    st.text(
        alphabet="アイウエオカガサザタダナハバパマヤユヨラリルレロワンーァッャヅヂヴ", min_size=1
    )
)
def test_folding_a_reading_twice_is_folding_it_once(kana: str) -> None:
    key = clear(kana)
    assert key is not None
    assert clear(key) == key
    assert unvoiced(unvoiced(key)) == unvoiced(key)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("齋藤　裕子", "斉藤 裕子"),
        ("髙橋早苗", "高橋　早苗"),
        ("山﨑", "山嵜"),
        ("渡邉", "渡邊"),
        ("𠮷野桃子", "吉野　桃子"),
        ("辻󠄀　文香", "辻　文香"),  # a variation selector
        ("神\ufa11", "神崎"),
        ("大石　里美様", "大石里美"),
        ("グエン・ティラン", "グエン・ティ・ラン"),
        ("ＫＩＭ　MinJi", "KIM MINJI"),
        ("王　丽华", "王麗華"),
    ],
)
def test_variants_of_a_name_have_one_key(one: str, other: str) -> None:
    assert fold(one) is not None
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"), [("文香", "史佳"), ("太田", "大田"), ("伊東", "伊藤"), ("書", "昼")]
)
def test_other_names_stay_other_names(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize(
    "text", [None, "", "　", "様"[:0], "佐\ue000", "佐\U000f0000", "佐〓", "佐�"]
)
def test_what_cannot_be_compared_has_no_key(text: str | None) -> None:
    assert fold(text) is None
    assert split(text) is None


def test_private_use_is_told_from_rare() -> None:
    assert not is_comparable("\ue757")
    assert is_comparable("𠮷")


def test_an_honorific_alone_is_kept() -> None:
    assert fold("殿") == "殿"
    assert split("鵜殿　薫") == ("鵜殿", "薫")


@pytest.mark.parametrize(
    "written",
    [
        "000-9368-3579",
        "000(9368)3579",
        "(000)9368-3579",
        "０００－９３６８－３５７９",
        "000 9368 3579",
        "00093683579",
        "000-9368-3579 内線12",
    ],
)
def test_one_number_has_one_key(written: str) -> None:
    assert phone_keys(written) == {"00093683579"}


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("090-1234-5678／0123-45-6789", {"09012345678", "0123456789"}),
        ("+81 90-1234-5678", {"09012345678"}),
        ("+81 (0)90 1234 5678", {"09012345678"}),
        ("9012345678", {"09012345678"}),  # a spreadsheet dropped the zero
        ("0120-123-456", set()),
        ("0570-012-345", set()),
        ("000-0000-0000", set()),
        ("999-9999-9999", set()),
        ("12345", set()),
        ("なし", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_numbers_that_tell_nothing_have_no_key(written: str | None, keys: set[str]) -> None:
    assert phone_keys(written) == keys
