"""Towns of Japan by name: ``towns.txt``.

Many are family names too. Those count only before what is done with a place ("moved to", "is
from"); none counts before what is said of a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from typing import Final

from visitsync.consent.naming import ONLY_FROM_THERE, ends_in_reading, hiragana

_LINES: Final = (
    resources.files(__package__).joinpath("towns.txt").read_text(encoding="utf-8").splitlines()
)
_MARK: Final = _LINES.index("?")


def _read(lines: list[str]) -> dict[str, str]:
    return dict(one.split() for one in lines if not one.startswith("#"))


_SURE: Final = _read(_LINES[:_MARK])
_FAMILY_NAMES: Final = _read(_LINES[_MARK + 1 :])
_LENGTHS: Final = range(1, 1 + max(map(len, (*_SURE, *_FAMILY_NAMES))))
_FIRST: Final = frozenset(name[0] for name in (*_SURE, *_FAMILY_NAMES))
_SHORT: Final = 2

_LONG_VOWEL: Final = re.compile(
    "(?<=[おこそとのほもよろごぞどぼぽょ])[うおー]|(?<=[うくすつぬふむゆるぐずぶぷゅ])[うー]"
)


def _short(kana: str) -> str:
    """`kana` without the length of vowels, which Latin letters leave out."""
    return _LONG_VOWEL.sub("", kana)


_EVERY_READING: Final = frozenset(
    kana for kana in (*_SURE.values(), *_FAMILY_NAMES.values()) if len(kana) > _SHORT
)
_READINGS: Final = frozenset(kana for kana in _SURE.values() if len(kana) > 3)  # noqa: PLR2004 -- shorter ones are other words
_SPOKEN: Final = frozenset(
    _short(kana)
    for kana in (*_SURE.values(), *_FAMILY_NAMES.values())
    if len(_short(kana)) > _SHORT
)

_KANJI: Final = re.compile("[一-龥々]")
_KANA: Final = re.compile("[ぁ-んァ-ヺー]")
_FROM_THERE: Final = re.compile(ONLY_FROM_THERE)
_MAY_STAND_BEFORE: Final = frozenset("在現元前新東西南北旧於先県府都道市")
_MAY_STAND_AFTER: Final = frozenset(
    "市区町村県駅線店内外在方着発行側出経転帰校産東西南北周辺民住育生宛"
)
_PERSON: Final = re.compile(
    "さん|ちゃん|くん|君|様|氏|先生|医師|保健師|支援員|相談員|弁護士|看護師|ヘルパー|助産師|CW|Ns"
    "|課長|係長|主任|\ue000"
)
_OF_A_PLACE: Final = re.compile(
    r"(?:市|区|町|村|県)?(?:方面|の方|のほう|あたり|辺り|周辺|近辺|駅)?(?:に|へ|で|から|まで|より"
    r"|を|の|は)?\s{0,2}"
    "(?:引っ?越|転居|転入|転出|移[りっるす転]|住[んみむまもめ]|暮[らし]|在住|居住|帰省|避難"
    "|里帰り|滞在|通勤|通学|身を寄せ|着い|着く|到着|出身|生まれ|育ち|経由"
    "|泊|行[くきっ]|帰[りっる]|戻[りっる]|越し|落ち着|下車|降り|乗り?換え|待ち?合わ?せ|集合|勤務"
    "|働|"
    "(?:実家|自宅|アパート|マンション|新居|家(?![族事])|叔母|伯母|おば|親戚|親元|姉宅|妹宅|祖父母"
    "|義実家|職場|会社|店|学校|保育園|幼稚園|病院|方[でにへらだ]|ほう[でにへらだ]))"
    "|にある|にい[るたま]|での(?:生活|暮らし)|を(?:出[てたる]|離れ|経)|(?:から|より)(?:月|週|年に"
    "|車|電車|バス|新幹線|歩|徒歩|通|来[てたるま]|[0-9一二三]+時間)"
)
_LEADS_TO_PLACE: Final = re.compile(
    "(?:今|いま|現在|元々|もともと|以前|昔|出身|地元|実家|生まれ|育ち|住所地?|居所|[先宅])(?:は"
    "|も|も今は)?[:\\s]{0,2}\\(?$|[→(]\\s?$|(?:バス|新幹線|飛行機|電車|車|船|フェリー)で\\s?$"
)
_ENDS: Final = re.compile("[。、\\s)」にでへ]|在|だ|です|$")
_AFTER_READING: Final = re.compile(
    "えき(?=[のにでまへ、。\\s]|$)|しょうがっこう|ちゅうがっこう|ほいくえん|ようちえん"
    "|の\\s?(?:あぱーと|まんしょん|だんち|じっか)|しない(?=[にで])|しやくしょ|くやくしょ"
)
_TOKEN: Final = re.compile("(?<![ぁ-んー])[ぁ-んー]{4,12}(?![ぁ-んー])")
_PARTICLE: Final = re.compile("(?:から|まで|より|[にへでのはがしくを])$")
_FIRST_OF_PARTICLES: Final = frozenset("にへでのはがしくをかまよ")
_LATIN: Final = re.compile("[A-Za-z]{4,16}")
_SYLLABLE: Final = re.compile(
    "(sh|ch|ts|ky|gy|ny|hy|my|ry|by|py|ty|sy|zy|jy|[kgsztdnhbpmyrwjf])?([aiueo])|n|m(?=[bpm])"
)
_ROWS: Final = {
    "": "あいうえお", "k": "かきくけこ", "g": "がぎぐげご", "s": "さしすせそ", "z": "ざじずぜぞ",
    "t": "たちつてと", "d": "だぢづでど", "n": "なにぬねの", "h": "はひふへほ", "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ", "m": "まみむめも", "r": "らりるれろ", "w": "わ___を",
}  # fmt: skip
_SINGLE: Final = {
    "shi": "し", "chi": "ち", "tsu": "つ", "fu": "ふ", "ji": "じ",
    "ya": "や", "yu": "ゆ", "yo": "よ",
}  # fmt: skip
_SMALL: Final = {"a": "ゃ", "u": "ゅ", "o": "ょ"}
_PALATAL: Final = {
    "sh": "し",
    "sy": "し",
    "ch": "ち",
    "ty": "ち",
    "j": "じ",
    "zy": "じ",
    "jy": "じ",
}


def names_a_town(text: str) -> bool:
    """Whether the name of a town stands in `text`, which is folded (`naming.folded`).

    >>> names_a_town("今は熊谷で暮らす"), names_a_town("石川に交代"), names_a_town("石川へ転居")
    (True, False, True)
    >>> names_a_town("いまは かわごえで"), names_a_town("near Kawagoe")
    (True, True)
    """
    return any(_names(text)) or _spelt_in_kana(text) or _spelt_in_latin(text)


def _names(text: str) -> Iterator[bool]:
    for start, sign in enumerate(text):
        if sign not in _FIRST:
            continue
        for length in _LENGTHS:
            name = text[start : start + length]
            if name in _SURE:
                yield _stands_alone(text, start, start + length, family=False)
            elif name in _FAMILY_NAMES:
                yield _stands_alone(
                    text, start, start + length, family=True
                ) and _is_meant_as_place(text, start, start + length)


def _is_meant_as_place(text: str, start: int, end: int) -> bool:
    """Whether what stands around a family name makes it a place."""
    if _OF_A_PLACE.match(text, end):
        return True
    return (
        _LEADS_TO_PLACE.search(text, max(0, start - 6), start) is not None
        and _ENDS.match(text, end) is not None
    )


def _stands_alone(text: str, start: int, end: int, *, family: bool) -> bool:
    """Whether a name at this place is no part of a longer word, nor that of a person."""
    if _PERSON.match(text, end) or _FROM_THERE.match(text, end):
        return False
    previous, following = text[start - 1 : start], text[end : end + 1]
    if _KANA.match(text, start):
        return not _KANA.match(previous) and (
            not _KANA.match(following) or following in _FIRST_OF_PARTICLES
        )
    if end - start > _SHORT:
        return True
    if _KANJI.match(previous) and previous not in _MAY_STAND_BEFORE:
        return False
    return not family or not _KANJI.match(following) or following in _MAY_STAND_AFTER


def _spelt_in_kana(text: str) -> bool:
    kana = hiragana(text)
    if any(
        ends_in_reading(kana[max(0, found.start() - 8) : found.start()], _EVERY_READING)
        for found in _AFTER_READING.finditer(kana)
    ):
        return True
    for found in _TOKEN.finditer(kana):
        word = found[0]
        if word in _READINGS or _PARTICLE.sub("", word) in _READINGS:
            return True
    return False


def _spelt_in_latin(text: str) -> bool:
    return any(_short(_kana_of(found[0].lower())) in _SPOKEN for found in _LATIN.finditer(text))


def _kana_of(word: str) -> str:
    """A Latin spelling in kana, or nothing where it is none of Japanese."""
    kana, place = "", 0
    while place < len(word):
        if word[place : place + 2] in {"kk", "ss", "tt", "pp"} or word.startswith("tch", place):
            kana, place = kana + "っ", place + 1
        found = _SYLLABLE.match(word, place)
        if found is None:
            return ""
        kana += _syllable(found)
        place = found.end()
    return kana


def _syllable(found: re.Match[str]) -> str:
    if found[2] is None:
        return "ん"
    first, vowel = found[1] or "", found[2]
    if found[0] in _SINGLE:
        return _SINGLE[found[0]]
    if first in _PALATAL:
        return _PALATAL[first] + _SMALL.get(vowel, "ぇ")
    if first.endswith("y") and first != "y":
        return _ROWS[first[0]][1] + _SMALL.get(vowel, "ぇ")
    if first in _ROWS:
        return _ROWS[first]["aiueo".index(vowel)]
    return "_"
