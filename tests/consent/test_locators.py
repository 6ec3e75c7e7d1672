"""The scan for places, measured on notes that were written before its patterns (H28)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from visitsync.consent.locators import find_locators, tells_where

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
        ("夕凪小に転校", "place_by_context"),
        ("港南中へ進学", "place_by_context"),
        ("夕凪に引っ越す", "place_by_context"),
        ("バス停「入口」", "place_by_context"),
        ("イオンで会う", "brand"),
        ("haha@example.jpへ", "account"),
        ("LINE(ID: haha_0123)", "account"),
        ("かかりつけは「たかはし小児科」", "place_by_context"),
        ("市立たちばな病院", "place_by_context"),
        ("場所は鷺沼の中ほど", "place_by_context"),
        ("千代川の河川敷", "place_by_context"),
        ("城南女子の2年生", "place_by_context"),
        ("大浜通り", "place"),
        ("柿の木坂下交差点", "place"),
        ("隣室(302)", "room"),
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
        "",
    ],
)
def test_what_names_no_place_is_passed_over(text: str) -> None:
    assert find_locators(text) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "汐" * 9999,
        "0" * 9999,
        "0-" * 9999,
        "か" + "\u3099" * 9999,
        "三の" * 9999,
        "小学校" * 9999,
        "「" * 9999,
        "市立あ" * 9999,
    ],
    ids=["signs", "digits", "dashes", "marks", "figures", "endings", "quotes", "founded"],
)
def test_no_text_takes_long(text: str) -> None:
    before = time.perf_counter()
    find_locators(text)
    assert time.perf_counter() - before < 2
