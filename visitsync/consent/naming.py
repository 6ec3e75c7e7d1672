"""What counts as a name in Japanese text: what is left without the words that only say which.

The words stand in ``locators.toml``. Text is looked through in one writing: see `folded`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from typing import Any, Final

from visitsync.fields.text import composed

WORDS: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("locators.toml").read_text(encoding="utf-8")
)
LONGEST_NAME: Final = 16
"""Characters before an ending that are looked at."""

_FIGURE: Final = "〇○零一二三四五六七八九"
_FIGURES: Final = str.maketrans(_FIGURE, "000123456789")
_NUMBER: Final = re.compile(f"[{_FIGURE}]{{3,}}")
ONLY_FROM_THERE: Final = (
    "弁|病|風|みそ|味噌|らーめん|ラーメン|うどん|そば|産|銘菓|ばな奈|ちゃんぽん|お好み焼|名物"
    "|料理|土産|みやげ|牛|米"
    "|の(?:歌|番組|じゃがいも|野菜|お?土産|みかん|りんご|お米|お菓子|名産|ニュース|地図|話|天気"
    "|絵本|写真)"
)
"""After the name of a place: dishes, speech and songs have it, and nobody lives there."""

_DASHES: Final = re.compile(f"(?<=[0-9{_FIGURE}])[‐‑‒–—―−ー─~](?=[0-9{_FIGURE}])")
_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_PASSED: Final = "\ue000"
"""Stands for an ordinary word that was passed over."""


def any_of(words: Iterable[str]) -> str:
    """A pattern for one of these words, the longest that fits."""
    return "|".join(map(re.escape, sorted(words, key=lambda one: (-len(one), one))))


def listed(table: str) -> list[str]:
    """Every word of a table of ``locators.toml``, whatever its kind."""
    return [word for words in WORDS[table].values() for word in words]


_ORDINARY: Final = re.compile(
    f"{any_of(WORDS['ordinary'])}|(?<![一-龥々])(?:{any_of(WORDS['surnames'])})"
    # Before the ending of a place it is part of the name: a doctor's practice, a police station.
    f"(?!{any_of(listed('ending'))}|駅|線|在住|[にへ][引転住移越]|で暮|から[転引通越]"
    "|の(?:家|実家|アパート|マンション|ほう|方))"
)
_GENERAL: Final = re.compile(any_of([*WORDS["general"], _PASSED]))
_SEVERAL: Final = re.compile(any_of([one for one in WORDS["general"] if len(one) > 1]))
_SINGLE: Final = frozenset(one for one in WORDS["general"] if len(one) == 1)
_EVERYDAY: Final = re.compile(
    any_of(
        one for one in [*WORDS["everyday"], *WORDS["general"], *listed("ending")] if len(one) > 1
    )
)
_COUNTED: Final = re.compile(
    "[0-9〇一二三四五六七八九十数何]{1,5}"
    "[人階軒枚回日月年歳時分個本度件名戸台室組週点泊晩食杯冊着足袋箱品種部]"
)
_NAMED: Final = re.compile(any_of(WORDS["named"]))
_SIGN: Final = "[一-龥々〆ヶヵァ-ヺー]"
_WITH_KANA: Final = [one for one in WORDS["general"] if re.search("[ぁ-ん]", one) and len(one) > 1]
_BEFORE: Final = re.compile(f"(?:{any_of(_WITH_KANA)}|{_SIGN}|{_PASSED})+$")
_AFTER: Final = re.compile(f"(?:{_SIGN}|{_PASSED})+")
_SAYS: Final = re.compile("[一-龥ァ-ヺ]")
_KANA_NAME: Final = any_of(WORDS["kana_name"]["words"])
_ENDS_IN_KANA_NAME: Final = re.compile(f"(?:{_KANA_NAME})$")
_ENDS_IN_FAMILY_NAME: Final = re.compile(f"(?:{any_of(WORDS['kana_name']['family'])})$")
_BEGINS_WITH_KANA_NAME: Final = re.compile(_KANA_NAME)
_KANA: Final = re.compile("[ぁ-んー]{2,}$")
_NO_KANA_NAME: Final = any_of(WORDS["kana_name"]["no_name"])
_NO_NAME: Final = re.compile(
    f"(?:{_NO_KANA_NAME}|[のなはがをにでともへやいたてるくずうつしすぬかえれせろねよ]|から"
    "|まで|より|けど|たら|なら|ながら|たり|ばかり|だけ|さん|ちゃん|くん|さま|まま|ほど|ごろ|さえ"
    "|[えけげせてねべめれ]ば)$"
)
_IS_NO_NAME: Final = re.compile(
    f"(?:{_NO_KANA_NAME}|[ぁ-ん]{{0,14}}(?:さん|ちゃん|くん|さま|おうち|いえ|とこ|ところ|ほう"
    "|なか))[はがをにでとも]?"
)


def folded(text: str) -> str:
    """`text` in one writing, with ordinary words passed over."""
    return _ORDINARY.sub(_PASSED, in_one_writing(text))


def in_one_writing(text: str) -> str:
    """`text` in NFKC, with one kind of dash and figures as digits."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", composed(text)))
    return _NUMBER.sub(lambda found: found[0].translate(_FIGURES), plain)


def hiragana(text: str) -> str:
    """`text` with its katakana as hiragana."""
    return text.translate(_HIRAGANA)


def is_name(run: str, ending: str = "") -> bool:
    """Whether something is left of `run` without the words that name nothing."""
    if _NAMED.search(run + ending):
        return True
    return any(map(_is_part_of_name, _SEVERAL.sub(_PASSED, run).split(_PASSED)))


def _is_part_of_name(left: str) -> bool:
    """Whether `left` is more than one sign that says which: 春 and 日 name nothing, 春日 does."""
    if _SAYS.search(left) is None:
        return False
    return len(left) > 1 or left not in _SINGLE


def is_no_everyday_word(run: str) -> bool:
    """Whether two signs are left of `run` even without numbers and what is said every day."""
    if len(run) < 2:  # noqa: PLR2004 -- one sign names nothing
        return False
    return any(
        len(left) > 1 and _SAYS.search(left) is not None for left in parts_unlike_everyday(run)
    )


def without_general(run: str) -> str:
    """`run` without the words that only say who, when or which."""
    return _GENERAL.sub("", run)


def parts_unlike_everyday(run: str) -> list[str]:
    """What is left of `run` between the words of every day."""
    return _COUNTED.sub(_PASSED, _EVERYDAY.sub(_PASSED, run)).split(_PASSED)


def is_kana_name(before: str) -> bool:
    """Whether what stands before an ending ends in a name written in hiragana."""
    kana = hiragana(before)
    if _ENDS_IN_KANA_NAME.search(kana) or _ENDS_IN_FAMILY_NAME.search(kana):
        return True
    found = _KANA.search(kana)
    return found is not None and _NO_NAME.search(found[0]) is None


def ends_in_reading(kana: str, readings: Collection[str]) -> bool:
    """Whether `kana` ends in one of these readings."""
    return any(kana[-length:] in readings for length in range(3, min(len(kana), 8) + 1))


def is_word_for_nothing(kana: str) -> bool:
    """Whether a word in hiragana is one that says who, when, which or how."""
    return _IS_NO_NAME.fullmatch(kana) is not None


def ends_in_known_name(before: str) -> bool:
    """Whether `before` ends in a name that nurseries and parks bear."""
    return _ENDS_IN_KANA_NAME.search(before) is not None


def begins_with_known_name(text: str, place: int) -> bool:
    """Whether a name that nurseries and parks bear begins at `place`."""
    return _BEGINS_WITH_KANA_NAME.match(hiragana(text[place : place + LONGEST_NAME])) is not None


def named_before(text: str, place: int, ending: str) -> bool:
    """Whether what stands right before `place`, where `ending` begins, is a name."""
    run, kana = before(text, place)
    return is_name(run, ending) or is_kana_name(kana) or ends_in_known_name(kana + run)


def before(text: str, place: int) -> tuple[str, str]:
    """What stands before `place`: signs that can be a name, and the kana before those."""
    part = text[max(0, place - LONGEST_NAME) : place]
    found = _BEFORE.search(part)
    return ("", part) if found is None else (found[0], part[: found.start()])


def after(text: str, place: int) -> str:
    """The signs that can be a name from `place` on."""
    found = _AFTER.match(text, place, place + LONGEST_NAME)
    return "" if found is None else found[0]
