"""Readings of names, folded so that two ways of typing one reading become equal.

Two keys: `clear` keeps voicing (ガ/カ), `unvoiced` (清音化) drops it. Both write long vowels one
way.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

KANA_VERSION: Final = "kana-1"
"""Changes whenever a reading may fold otherwise; blind indexes must then be built again."""

_VOICE: Final = "\u3099"
_HALF_VOICE: Final = "\u309a"

_KATAKANA: Final = {
    code: code + 0x60 for code in (*range(ord("ぁ"), ord("ゖ") + 1), ord("ゝ"), ord("ゞ"))
}
_LARGE: Final = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")
_SAME_SOUND: Final = str.maketrans("ヂヅヰヱヲヴ", "ジズイエオブ")
_VU: Final = {"ヴァ": "バ", "ヴィ": "ビ", "ヴェ": "ベ", "ヴォ": "ボ"}
_KANA: Final = re.compile("[ァ-ヺーヽヾ]+")
_DROPPED: Final = re.compile("[\\s\u3000・･·.,，．、'’\\-‐‑–]+")

_ROW: Final = {
    kana: row
    for row, kanas in {
        "ア": "アカガサザタダナハバパマヤラワ",
        "イ": "イキギシジチニヒビピミリ",
        "ウ": "ウクグスズツヌフブプムユル",
        "エ": "エケゲセゼテデネヘベペメレ",
        "オ": "オコゴソゾトドノホボポモヨロ",
    }.items()
    for kana in kanas
}
_LENGTHENED_BY: Final = {"ア": "ア", "イ": "イ", "ウ": "ウ", "エ": "エイ", "オ": "オウ"}
"""Which vowel after which row is only the long form of it: オウ and オオ are both オー."""


def clear(kana: str | None) -> str | None:
    """The reading as large full-width katakana without gaps, long vowels as ー.

    None where the text is no reading: empty, or with any character that is no kana, such as a
    private-use one. Nothing is ever guessed for it.

    >>> clear("ﾊﾂﾄﾘ ｷﾖｳｺ"), clear("はっとり　きょうこ"), clear("服部")
    ('ハツトリキヨーコ', 'ハツトリキヨーコ', None)
    """
    if kana is None:
        return None
    wide = _DROPPED.sub("", unicodedata.normalize("NFKC", kana))
    text = _without_repeats(wide.translate(_KATAKANA))
    if _KANA.fullmatch(text) is None:
        return None
    for written, heard in _VU.items():
        text = text.replace(written, heard)
    return _long_vowels(text.translate(_LARGE).translate(_SAME_SOUND))


def unvoiced(key: str) -> str:
    """A `clear` key without its voiced and half-voiced marks.

    >>> unvoiced("イイズカチズル") == unvoiced("イイツカチツル")
    True
    """
    parts = unicodedata.normalize("NFD", key)
    # ジ and ズ may stand for ヂ and ヅ, which unvoice to チ and ツ: so シ and ス go there as well.
    bare = parts.replace(_VOICE, "").replace(_HALF_VOICE, "")
    return bare.replace("シ", "チ").replace("ス", "ツ")


def _without_repeats(text: str) -> str:
    """ヽ and ヾ written out: ミスヾ is ミスズ."""
    out: list[str] = []
    for character in text:
        if character in "ヽヾ" and out:
            bare = unicodedata.normalize("NFD", out[-1])[0]
            voiced = unicodedata.normalize("NFC", bare + _VOICE)
            out.append(voiced if character == "ヾ" and len(voiced) == 1 else bare)
        else:
            out.append(character)
    return "".join(out)


def _long_vowels(text: str) -> str:
    out: list[str] = []
    row = ""
    for character in text:
        if row and (character == "ー" or character in _LENGTHENED_BY[row]):
            if out[-1] != "ー":
                out.append("ー")
            continue
        out.append(character)
        row = _ROW.get(character, "")
    return "".join(out)
