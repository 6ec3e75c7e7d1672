"""Schools and nurseries by the one sign after their name: 若葉小, 東中, ひばり保."""

from __future__ import annotations

import re
from typing import Final

from visitsync.consent.naming import (
    LONGEST_NAME,
    before,
    ends_in_known_name,
    hiragana,
    is_kana_name,
    is_name,
    is_no_everyday_word,
    is_word_for_nothing,
)

_PAUSE: Final = "[\\s、。,.」』)・/→:]|$"
_CLASS: Final = "[一二三四五六1-6](?:年|[のー-][1-9])"
_ABBREVIATED: Final = re.compile(
    f"小(?={_PAUSE}|[のにへでをはがまと]|学区|校区|出身|前|{_CLASS}|在籍|転[校入]|入学|卒|通)"
    f"|中(?=学区|校区|{_CLASS}|[のにへ](?:[一二三1-3]年|入学|進学|転校|転入|通|上が)|[へに]転"
    "|在籍|/)"
    "|(?<![一-龥])第?[一二三四五六七八九]中(?![一-龥])|[市町村区都県]立[一-龥]{1,4}中"
    "|[女男]子(?=[高中]|の?[一二三四五六1-6]年)"
    "|中の(?:制服|生徒|校庭|体育館|部活|先生|担任|友達|[入卒][学業]式)"
    "|高(?=に[通合入進]|[1-3一二三]年|の[1-3一二三]年|中退|卒|受験|合格)"
    "|(?<=[一-龥]{2})[一二三四五六七八九]中(?![一-龥])|養護(?=[、。\\s]|$|[のにへ](?:[小中高]"
    "|通))|大(?=[にへ](?:通|進学|合格|入学))"
    "|(?:工業|商業|農業|実業|農林|女子)(?=高|[、。]|[にへ][通入進合]|の?[1-3一二三]年)"
    f"|[保幼](?={_PAUSE}|[のにへ]|年[長中少]|[0-9]+時|迎|転園|入園|まで|から)"
)
_NUMBERED: Final = "第一二三四五六七八九"
_KANA: Final = re.compile("[ぁ-んー]+$")
_JUNIOR_HIGH: Final = re.compile(f"中(?={_PAUSE})")
_OF_SCHOOLS: Final = re.compile("中学|制服|入学|進学|転校|部活|年生|学校|校区|学区|卒業|受験")
_NO_SCHOOL: Final = re.compile(
    "[生国社健担確留児老後障介医母乳家安療療]保$|[乳老長]幼$|保幼|[一-龥]{3}相[、・]保"
)
_ABBREVIATED_IN_KANA: Final = re.compile(
    "しょう(?=[1-6]ねん|[1-6]の|の?\\s?(?:がくどう|こうてい)|[にへ] ?(?:かよ|てん|にゅう"
    "|い[っく]))|しょう[1-6]\\b"
    "|(?<![でま])しょうの(?:ともだち|友達|せんせい|先生)"
)


def school_in_short(text: str) -> bool:
    """Whether a school or nursery is named by a sign after its name, as 若葉小 or ひばり保."""
    if any(_is_school(text, found) for found in _ABBREVIATED.finditer(text)):
        return True
    # 中 ends a hundred other words ("is looking for"); only a note about school makes it one.
    if _OF_SCHOOLS.search(text) and any(
        is_no_everyday_word(before(text, found.start())[0]) for found in _JUNIOR_HIGH.finditer(text)
    ):
        return True
    kana = hiragana(text)
    return any(
        not is_word_for_nothing(_last_kana(kana, found.start()))
        for found in _ABBREVIATED_IN_KANA.finditer(kana)
    )


def _is_school(text: str, found: re.Match[str]) -> bool:
    run, kana = before(text, found.start())
    if found[0][-1] in "保幼" and _NO_SCHOOL.search(run + found[0]):
        return False
    if found[0][0] in _NUMBERED or "立" in found[0]:
        return True
    if not run:
        return found[0][0] in "小保" and is_kana_name(kana)
    return is_name(run) or ends_in_known_name(hiragana(kana + run))


def _last_kana(text: str, place: int) -> str:
    found = _KANA.search(text[max(0, place - LONGEST_NAME) : place])
    return "" if found is None else found[0]
