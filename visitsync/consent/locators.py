"""What in Japanese free text may tell where a family is: a place by its name, an address, a phone.

A place without a name ("the park", "the children's school") tells nothing and is passed over. What
counts as a name is what is left before the ending of a place ("…小学校", "…駅") once every word
has been taken away that only says who, when or which (`naming`). A place is also known by what is
said around it (`surroundings`, `landmarks`), a town by its name (`towns`).

The scan errs on the side of withholding; it cannot know every way to write a place, so it is the
last of several guards and never a reason to show more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from visitsync.consent import landmarks, numbering, schools, surroundings, towns, writings
from visitsync.consent.naming import (
    LONGEST_NAME,
    ONLY_FROM_THERE,
    WORDS,
    after,
    any_of,
    before,
    begins_with_known_name,
    ends_in_known_name,
    folded,
    hiragana,
    is_kana_name,
    is_name,
    is_no_everyday_word,
    listed,
    named_before,
)

_ENDING: Final = re.compile(any_of(listed("ending")))
_LIKE_NAMES_OF_PEOPLE: Final = frozenset({*WORDS["ending"]["town"], *WORDS["ending"]["hill"]})
_NEVER_AFTER_KANA: Final = frozenset({*_LIKE_NAMES_OF_PEOPLE, "店", "線", "教室", "学校", "大学"})
_KANA_ENDING: Final = re.compile(any_of([*listed("kana_ending"), "えん"]))
_GARDEN: Final = "えん"
"""Only after a name that is known: it stands in too many other words."""
_STATION: Final = "えき"
_AFTER_STATION: Final = re.compile("[のにでをはへ、。\\s]|から|まで|まえ|前|$")
_OPENING_OF_NAMES: Final = re.compile(
    f"(?:{any_of(WORDS['opening_of_names']['words'])})\\s?(?=[一-龥ァ-ヺ])"
)
_OPENING: Final = re.compile(any_of(WORDS["opening"]["words"]))
_BRAND: Final = re.compile(f"(?:{any_of(listed('brand'))}|セブン(?!ティ))(?!{ONLY_FROM_THERE})")
_OF_A_PERSON: Final = re.compile(
    "さん|ちゃん|くん|君|様|氏|先生|医師|保健師|支援員|相談員|弁護士|看護師|ヘルパー|\ue000"
)


def _place(text: str) -> bool:
    for found in _ENDING.finditer(text):
        ending = found[0]
        if ending in _LIKE_NAMES_OF_PEOPLE and _OF_A_PERSON.match(text, found.end()):
            continue
        run, kana = before(text, found.start())
        if is_name(run, ending):
            return True
        if ending not in _NEVER_AFTER_KANA and is_kana_name(kana):
            return True
        if ends_in_known_name(hiragana(kana + run)) and (run or ending != "線"):
            return True
    return False


def _place_in_kana(text: str) -> bool:
    kana = hiragana(text)
    for found in _KANA_ENDING.finditer(kana):
        if found[0] == _GARDEN:
            named = ends_in_known_name(kana[max(0, found.start() - LONGEST_NAME) : found.start()])
        else:
            named = named_before(kana, found.start(), found[0])
        if named and (found[0] != _STATION or _AFTER_STATION.match(kana, found.end())):
            return True
    return False


def _place_after_its_kind(text: str) -> bool:
    return any(
        is_name(after(text, found.end())) or begins_with_known_name(text, found.end())
        for found in _OPENING.finditer(text)
    ) or any(
        is_no_everyday_word(after(text, found.end())) for found in _OPENING_OF_NAMES.finditer(text)
    )


def _brand(text: str) -> bool:
    return _BRAND.search(text) is not None


_Finder: TypeAlias = Callable[[str], bool]
_FINDERS: Final[Mapping[str, _Finder]] = {
    "telephone": numbering.telephone,
    "postal_code": numbering.postal_code,
    "address": numbering.address,
    "room": numbering.room,
    "account": numbering.account,
    "brand": _brand,
    "town": towns.names_a_town,
    "place": _place,
    "place_in_kana": _place_in_kana,
    "place_after_its_kind": _place_after_its_kind,
    "place_by_context": surroundings.place_by_context,
    "place_in_latin": writings.place_in_latin,
    "unknown_in_katakana": writings.unknown_in_katakana,
    "school_in_short": schools.school_in_short,
    "lives_in_kana": writings.lives_in_kana,
    "landmark": landmarks.beside_a_landmark,
}


def find_locators(text: str) -> frozenset[str]:
    """The kinds of what may tell in `text` where a family is; never the words themselves.

    >>> sorted(find_locators("長女は汐見小学校に通う。電話は０９０－１２３４－５６７８"))
    ['place', 'telephone']
    >>> find_locators("学校の話をした。公園で3回すべり台をすべり、10時に帰宅。")
    frozenset()
    """
    plain = folded(text)
    return frozenset(kind for kind, finds in _FINDERS.items() if finds(plain))


def tells_where(text: str) -> bool:
    """Whether anything in `text` may tell where a family is.

    >>> tells_where("夕凪駅で待ち合わせ"), tells_where("駅伝をテレビで見た")
    (True, False)
    """
    plain = folded(text)
    return any(finds(plain) for finds in _FINDERS.values())
