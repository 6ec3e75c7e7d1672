"""The scan for places, measured on notes that were written before its patterns (H28)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from visitsync.consent import landmarks, numbering, schools, surroundings, towns, writings
from visitsync.consent.locators import find_locators, tells_where
from visitsync.consent.own_places import OwnPlaces

NOTES = Path("tests/consent/notes")
AT_LEAST, AT_MOST = 0.95, 0.05


def notes(name: str) -> list[str]:
    found = (NOTES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert len(found) == len(set(found)) == 200
    return found


def test_at_least_95_of_100_notes_that_tell_where_a_family_is_are_found() -> None:
    found = [one for one in notes("locating") if tells_where(one)]
    assert len(found) >= AT_LEAST * 200


def test_at_most_5_of_100_ordinary_notes_are_taken_for_one() -> None:
    found = [one for one in notes("ordinary") if tells_where(one)]
    assert len(found) <= AT_MOST * 200


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("電話は090-1234-5678", "telephone"),
        ("電話は０９０１２３４５６７８です", "telephone"),
        ("〇九〇一二三四五六七八に変更", "telephone"),
        ("03(1234)5678", "telephone"),
        ("自宅 99-1234", "telephone"),
        ("〒９９９－０１２３", "postal_code"),
        ("港二丁目", "address"),
        ("12番地", "address"),
        ("桜ヶ丘", "address"),
        ("夕凪4-21", "address"),
        ("緑町三の五の二", "address"),
        ("201号室", "room"),
        ("夕凪市", "place"),
        ("夕凪小学校", "place"),
        ("今日夕凪保育園に行った", "place"),
        ("なぎさ保育園", "place"),
        ("夕凪駅", "place"),
        ("ｼｵﾐｼｮｳｶﾞｯｺｳ", "place_in_kana"),
        ("しおみえきの前", "place_in_kana"),
        ("ヒマワリエン", "place_in_kana"),
        ("認定こども園なぎさ", "place_after_its_kind"),
        ("夕凪小に転校", "school_in_short"),
        ("港南中へ進学", "school_in_short"),
        ("夕凪に引っ越す", "place_by_context"),
        ("バス停「入口」", "place_by_context"),
        ("イオンで会う", "brand"),
        ("haha@example.jpへ", "account"),
        ("LINE(ID: haha_0123)", "account"),
        ("かかりつけは「たかはし小児科」", "place_by_context"),
        ("市立たちばな病院", "place_by_context"),
        ("場所は鷺沼の中ほど", "place_by_context"),
        ("千代川の河川敷", "place_by_context"),
        ("城南女子の2年生", "school_in_short"),
        ("大浜通り", "place"),
        ("柿の木坂下交差点", "place"),
        ("隣室(302)", "room"),
        ("居室:B棟705", "room"),
        ("ｺｳｼﾂ 203ｺﾞｳｼﾂ", "room"),
        ("０９０．００００．１２３４", "telephone"),
        ("ゼロ九ゼロ、ゼロキューゼロ", "telephone"),
        ("下四桁は1234", "telephone"),
        ("郵便番号 1750083", "postal_code"),
        ("字中原45", "address"),
        ("ナビに入れる", "account"),
        ("hana アットマーク", "account"),
        ("多摩 500 さ 12-34", "account"),
        ("今は熊谷で暮らす", "town"),
        ("いまは かわごえで くらす", "town"),
        ("near Kawagoe", "town"),
        ("石川へ転居", "town"),
        ("母宅(秋田)", "town"),
        ("勤務先は夕凪", "place_by_context"),
        ("鷺沼で暮らす", "place_by_context"),
        ("スーパー→オオゼキ", "place_by_context"),
        ("学童「なかよし」", "place_by_context"),
        ("鳴海の店", "place_by_context"),
        ("隣の市に引っ越した", "place_by_context"),
        ("若葉小2年", "school_in_short"),
        ("ひばり保 18時", "school_in_short"),
        ("第五中へ転校", "school_in_short"),
        ("ﾜｶﾊﾞｼｮｳ2ﾈﾝ", "school_in_short"),
        ("ﾐﾅﾄｸ ｶﾗ ﾃﾝﾆｭｳ", "lives_in_kana"),
        ("Midori elementary", "place_in_latin"),
        ("Shin-Koiwa", "place_in_latin"),
        ("近くのサンリブで買う", "unknown_in_katakana"),
        ("踏切の隣に住む", "landmark"),
        ("青い屋根の二階建", "landmark"),
        ("東口から徒歩3分", "landmark"),
        ("信号を右に曲がる", "landmark"),
    ],
)
def test_each_kind_is_found_by_itself(text: str, kind: str) -> None:
    assert kind in find_locators(text)


@pytest.mark.parametrize(
    "text",
    [
        "駅伝",
        "学校の話をした",
        "公園で遊んだ",
        "先生は10時に3回来た",
        "2026-09-01から2026-09-30まで",
        "昨日保育園を休んだ",
        "次男の小学校",
        "いつもの公園",
        "今日は総合病院の日",
        "授乳は2-3時間おき",
        "市役所の窓口",
        "中村さんと町田さん",
        "世の中、妊娠中に通う人は多い",
        "視線が合う",
        "予定通りに終えた",
        "「いつもの公園」がよいと言う",
        "「上の子の小学校」の話",
        "市立の保育園と私立の幼稚園",
        "住む場所が決まれば",
        "住む家を探す",
        "不登校のきょうだい、下校は15時",
        "女子の制服",
        "交差点の信号が長い",
        "訪問看護ステーションも利用",
        "LINEの使い方",
        "石川に交代、10時から",
        "福島さんから電話",
        "盛岡さんから電話",
        "川崎病の既往",
        "長崎ちゃんぽんを温めた",
        "家族五人で暮らす",
        "無事に引っ越しを終えた",
        "通園先：未定",
        "実家：協力なし",
        "職場復帰は来年",
        "生保申請を検討中",
        "青い屋根の家の絵を描いた",
        "駅の階段で転んだ",
        "公園の前で友達と別れた",
        "「もういい」と母",
        "三種混合2回目",
        "大分よくなった",
        "高知能の疑い",
        "上の子は転校した",
        "ｵｶｱｻﾝ ﾊ ﾂｶﾚﾃ ﾈﾃｲﾙ",
        "EPDS 9点、BCG済み",
        "",
    ],
)
def test_what_names_no_place_is_passed_over(text: str) -> None:
    assert find_locators(text) == frozenset()


PARTS = [
    "汐", "0", "0-", "か\u3099", "三の", "小学校", "「", "市立あ", "A", "Aa", "Shin", "ア", "ー",
    "バス", "ひ", " ", "\n", "あか ", "の家", "踏切の", "センター", "ばすてい ", "終点", "東口",
    "中の", "しょう", "1", "(", "「汐", "は", "えん", "市川", "今は", "窓から", "石川", "熊谷",
    "0 ", "ひばりさん", "4-21円", "1の",
]  # fmt: skip
LENGTH = 8_000
LIVING = OwnPlaces([
    '{"persons":[{"address":"汐見市ひばり4-21-503","phone":"090-0000-1357"}]}'.encode()
])  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_no_text_takes_long(part: str) -> None:
    _takes_twice_as_long_for_twice_as_much(find_locators, part)
    _takes_twice_as_long_for_twice_as_much(LIVING.are_in, part)


@pytest.mark.parametrize("room", [numbering, surroundings, landmarks, schools, writings, towns])
def test_no_pattern_takes_long(room: ModuleType) -> None:
    """What is only looked for in a few signs before or after a place stands in ``naming``."""
    patterns = [one for one in vars(room).values() if isinstance(one, re.Pattern)]
    assert patterns
    for pattern in patterns:
        for part in ["汐", "ア", "ひ", "0", "Aa", "0-", "踏切と"]:
            _takes_twice_as_long_for_twice_as_much(pattern.search, part)


def _takes_twice_as_long_for_twice_as_much(look: Callable[[str], object], part: str) -> None:
    """What backtracks takes four times as long, however fast the machine; it may try again."""
    text = (part * 2 * LENGTH)[: 2 * LENGTH]
    once = min(_seconds(look, text[:LENGTH]) for _ in range(2))
    assert any(_seconds(look, text) < 3 * once + 0.05 for _ in range(3))


def _seconds(look: Callable[[str], object], text: str) -> float:
    before = time.process_time()
    look(text)
    return time.process_time() - before
