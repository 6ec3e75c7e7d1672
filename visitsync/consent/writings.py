"""Places in notes that are written in kana or Latin letters only, or whose name is katakana."""

from __future__ import annotations

import re
from typing import Final

from visitsync.consent.naming import (
    LONGEST_NAME,
    WORDS,
    any_of,
    hiragana,
    is_word_for_nothing,
    parts_unlike_everyday,
)

_LABELLED_IN_KANA: Final = re.compile(
    f"(?:{any_of(map(hiragana, WORDS['label']['kana']))})(?:は|が|:|=|\\s)+([ぁ-んー]{{2,10}})"
)
_LIVES_IN_KANA: Final = re.compile(
    f"(?:^|[\\s、。:]|(?<=[はが]))([ぁ-んー]{{2,{LONGEST_NAME}}}?)\\s?(?:に|で|へ|から"
    "|の\\s?(?:いえ|ほうに|ほうへ|ほうで|しんせき))\\s?"
    "(?:すん|すむ|すみ|くらし|くらす|ひっこ|ひっこし|てんきょ|てんにゅう|てんしゅつ|うつ[っり]"
    "|ひなん|きせい|さとがえ|おり(?:て|る)|まちあわせ|きて|いどう)"
)
_KIND_THEN_NAME_IN_KANA: Final = re.compile(
    "(?:じどうかん|ほいくえん|ようちえん|こども園|こどもえん|がくどう|すーぱー|さぎょうしょ"
    "|こうみんかん|ぱーと|ばいと)\\s+([ぁ-んー]{3,8}?)(?=(?:に|で|へ|の)?(?:[\\s。、]|$))"
)
_STOP_IN_KANA: Final = re.compile(
    "(?:こうばん|えき|こうえん|すーぱー|じんじゃ|びょういん|がっこう|ふみきり|ゆうびんきょく"
    "|ばすてい|ほいくえん|ようちえん|としょかん|こんびに|かわ)の\\s?"
    "(?:すぐ\\s?)?(?:うら|となり|むかい|まえ|よこ|ちかく|そば)\\s?(?:に|の|で|が)\\s?(?:すん|すむ"
    "|いえ|あぱーと|まんしょん|おうち|ひっこ)"
    "|ばすてい\\s?「|ていりゅうじょ\\s?「|えんせん"
)
_LATIN: Final = re.compile(
    "\\b[A-Z][a-z]{2,15}[- ]?(?:eki|cho|machi|shi|ku|dori|dai|gaoka|mura|ken|son|koen|hoikuen"
    "|yochien|sho)\\b"
    "|\\b(?:Shin|Kita|Minami|Higashi|Nishi)[- ]?[A-Za-z]{3}"
    "|\\b[A-Z][A-Za-z]{2,15} (?:[Ss]tation|[Ss]ta\\.|[Hh]ospital|[Cc]linic|[Ss]chool|[Ee]lementary"
    "|[Pp]ark|[Nn]ursery|[Cc]ity|[Tt]own|[Ww]ard|[Aa]partments?|[Hh]eights|[Mm]ansion|[Ll]ine)"
)
_UNKNOWN_KATAKANA: Final = re.compile("[ァ-ヺー]{4,24}")
_WRITTEN_IN_KANJI: Final = re.compile("[一-龥]|[ぁ-ん]{4}")
_LONGEST_SOUND: Final = 2
"""Signs of katakana that may be left of a longer word of every day."""


def lives_in_kana(text: str) -> bool:
    """Whether a word in kana stands where only the name of a place does."""
    kana = hiragana(text)
    if _STOP_IN_KANA.search(kana):
        return True
    return any(
        not is_word_for_nothing(found[1])
        for pattern in (_LIVES_IN_KANA, _LABELLED_IN_KANA, _KIND_THEN_NAME_IN_KANA)
        for found in pattern.finditer(kana)
    )


def place_in_latin(text: str) -> bool:
    """Whether a place is named in Latin letters by its ending or kind."""
    return _LATIN.search(text) is not None


def unknown_in_katakana(text: str) -> bool:
    """Whether a long word in katakana is none of every day: shops and houses are called so."""
    if _WRITTEN_IN_KANJI.search(text) is None:
        return False
    return any(map(_is_unknown, _UNKNOWN_KATAKANA.findall(text)))


def _is_unknown(word: str) -> bool:
    return any(len(left) > _LONGEST_SOUND for left in parts_unlike_everyday(word))
