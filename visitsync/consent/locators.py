"""What in Japanese free text may tell where a family is: a place by its name, an address, a phone.

A place without a name ("the park", "the children's school") tells nothing and is passed over. What
counts as a name is what is left before the ending of a place ("…小学校", "…駅") once every word
has been taken away that only says who, when or which. The words stand in ``locators.toml``.

The scan errs on the side of withholding; it cannot know every way to write a place, so it is the
last of several guards and never a reason to show more.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any, Final, TypeAlias

from visitsync.fields.text import composed

_RAW: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("locators.toml").read_text(encoding="utf-8")
)
_LONGEST_NAME: Final = 16
"""Characters before an ending that are looked at."""

_DASHES: Final = re.compile("(?<=[0-9])[‐‑‒–—―−ー─~](?=[0-9])")
_FIGURES: Final = str.maketrans("〇零一二三四五六七八九", "00123456789")
_NUMBER: Final = re.compile("[〇零一二三四五六七八九]{3,}")
_HIRAGANA: Final = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_PASSED: Final = "\ue000"
"""Stands for an ordinary word that was passed over."""


def _any_of(words: Iterable[str]) -> str:
    """A pattern for one of these words, the longest that fits."""
    return "|".join(map(re.escape, sorted(words, key=lambda one: (-len(one), one))))


_ORDINARY: Final = re.compile(
    f"{_any_of(_RAW['ordinary'])}|(?<![一-龥々])(?:{_any_of(_RAW['surnames'])})"
)
_GENERAL: Final = re.compile(_any_of([*_RAW["general"], _PASSED]))
_NAMED: Final = re.compile(_any_of(_RAW["named"]))
_SIGN: Final = "[一-龥々〆ヶヵァ-ヺー]"
_WITH_KANA: Final = [one for one in _RAW["general"] if re.search("[ぁ-ん]", one) and len(one) > 1]
_BEFORE: Final = re.compile(f"(?:{_any_of(_WITH_KANA)}|{_SIGN}|{_PASSED})+$")
_AFTER: Final = re.compile(f"(?:{_SIGN}|{_PASSED})+")
_SAYS: Final = re.compile("[一-龥ァ-ヺ]")
_KANA_NAME: Final = _any_of(_RAW["kana_name"]["words"])
_ENDS_IN_KANA_NAME: Final = re.compile(f"(?:{_KANA_NAME})$")
_BEGINS_WITH_KANA_NAME: Final = re.compile(_KANA_NAME)
_KANA: Final = re.compile("[ぁ-んー]{2,}$")
_NO_NAME: Final = re.compile(
    f"(?:{_any_of(_RAW['kana_name']['no_name'])}|[のなはがをにでともへやいたてるくずうつしすぬかえれせろねよ]|から"
    "|まで|より|けど|たら|なら|ながら|たり|ばかり|だけ|さん|ちゃん|くん|さま|まま|ほど|ごろ|さえ|ば)$"
)
_OF_A_PERSON: Final = re.compile(
    "さん|ちゃん|くん|君|様|氏|先生|医師|保健師|支援員|相談員|弁護士|看護師|ヘルパー|\ue000"
)


def _is_name(run: str, ending: str) -> bool:
    """Whether something is left of `run` without the words that name nothing."""
    if _NAMED.search(run + ending):
        return True
    return _SAYS.search(_GENERAL.sub("", run)) is not None


def _is_kana_name(before: str) -> bool:
    """Whether what stands before an ending ends in a name written in hiragana."""
    folded = before.translate(_HIRAGANA)
    if _ENDS_IN_KANA_NAME.search(folded):
        return True
    found = _KANA.search(folded)
    return found is not None and _NO_NAME.search(found[0]) is None


def _named_before(text: str, place: int, ending: str) -> bool:
    run, kana = _before(text, place)
    return _is_name(run, ending) or _is_kana_name(kana) or _is_known_name(kana + run)


def _is_known_name(before: str) -> bool:
    return _ENDS_IN_KANA_NAME.search(before) is not None


def _before(text: str, place: int) -> tuple[str, str]:
    """What stands before `place`: signs that can be a name, and the kana before those."""
    before = text[max(0, place - _LONGEST_NAME) : place]
    found = _BEFORE.search(before)
    return ("", before) if found is None else (found[0], before[: found.start()])


# ── by the shape of numbers ───────────────────────────────────────────────────────────────────────
_N: Final = "[0-9一二三四五六七八九十]"
_TELEPHONE: Final = re.compile(r"(?<!\d)0\d{1,4}(?:[-\s()・の]{0,2}\d{1,4}){1,3}(?!\d)")
_DIGITS_OF_TELEPHONES: Final = (10, 11)
_LOCAL_TELEPHONE: Final = re.compile(r"(?<![\d-])(?!(?:19|20)\d\d)\d{2,4}[-の]\d{4}(?![\d-])")
_POSTAL_CODE: Final = re.compile(r"〒\s*\d")
_LOT: Final = re.compile(
    f"{_N}\\s*丁目|ちょうめ|{_N}番地|{_N}番町|{_N}番{_N}+号|{_N}号線|国道{_N}|県道{_N}"
    "|[一-龥ぁ-んァ-ヺ](?:[ヶケ][丘浦崎原谷岡島]|が丘)"
)
_BLOCK: Final = re.compile(
    f"(?<![0-9A-Za-z])(?!(?:19|20)[0-9]{{2}}){_N}{{1,4}}[-の]{_N}{{1,3}}[-の]{_N}{{1,4}}(?![0-9])"
)
_PAIR: Final = re.compile(
    r"(?<=[一-龥ァ-ヺー])\d{1,4}-\d{1,4}(?![\d-])"
    r"(?!\s*(?:回|日|時|分|秒|歳|才|か月|ヶ月|カ月|ケ月|週|年|月|度|枚|個|本|杯|人|名|件|円|kg|g|ml|cc|cm|点|割|%|℃))"
)
_ROOM: Final = re.compile(
    r"(?<!\d)\d{1,4}号[室棟]|(?<!\d)\d{3,4}号(?!線)|[A-Z]棟|\d{1,3}棟|(?:隣室|居室|部屋番号)[^\d]{0,2}\d{2,4}"
)
_ACCOUNT: Final = re.compile(
    r"[A-Za-z0-9]@[A-Za-z0-9-]+\.[A-Za-z]|(?:ID|LINE|アカウント)[^A-Za-z0-9]{1,3}[A-Za-z][A-Za-z0-9_.-]{3,}"
)


def _telephone(text: str) -> bool:
    if _LOCAL_TELEPHONE.search(text):
        return True
    return any(
        sum(map(str.isdecimal, found[0])) in _DIGITS_OF_TELEPHONES
        for found in _TELEPHONE.finditer(text)
    )


def _address(text: str) -> bool:
    if _LOT.search(text) or _BLOCK.search(text):
        return True
    return any(_named_before(text, one.start(), "") for one in _PAIR.finditer(text))


# ── by the name of a place ────────────────────────────────────────────────────────────────────────
_ENDING: Final = re.compile(_any_of(word for words in _RAW["ending"].values() for word in words))
_LIKE_NAMES_OF_PEOPLE: Final = frozenset({*_RAW["ending"]["town"], *_RAW["ending"]["hill"]})
_NEVER_AFTER_KANA: Final = frozenset({*_LIKE_NAMES_OF_PEOPLE, "店", "線", "教室", "学校", "大学"})
_KANA_ENDING: Final = re.compile(
    _any_of([*(word for words in _RAW["kana_ending"].values() for word in words), "えん"])
)
_GARDEN: Final = "えん"
"""Only after a name that is known: it stands in too many other words."""
_STATION: Final = "えき"
_AFTER_STATION: Final = re.compile("[のにでをはへ、。]|から|まで|まえ|前|$")
_OPENING: Final = re.compile(_any_of(_RAW["opening"]["words"]))
_BRAND: Final = re.compile(_any_of(word for words in _RAW["brand"].values() for word in words))
_ABBREVIATED: Final = re.compile(
    "小(?=[のにへでをはがまと、。)」・]|$|学区|校区|出身|前)"
    "|中(?=学区|校区|[一二三1-3]年|[のにへ](?:[一二三1-3]年|入学|進学|転校|転入|通|上が))"
    "|[女男]子(?=[高中]|の?[一二三四五六1-6]年)"
)
_MOVED: Final = re.compile("(?:に|へ)(?:引っ?越|転居|転入|移り住|住[みんむ])")
_QUOTED: Final = re.compile(
    f"[「『]([^「」『』、。]{{1,{_LONGEST_NAME}}}?)"
    f"(?:{_any_of(word for words in _RAW['ending'].values() for word in words)})[」』]"
)
_FOUNDED: Final = re.compile(
    f"(?:[市区町村県都府国公私]立|法人)([ぁ-んァ-ヺー一-龥]{{2,{_LONGEST_NAME}}}?)"
    f"(?:{_any_of(word for words in _RAW['ending'].values() for word in words)})"
)
_JOINING: Final = "のなでとにはがを"
"""What joins a word to the next one; a name may end so, but none begins so."""
_AT: Final = re.compile(
    "(?:住む|(?:場所|住所|転居先|引っ?越し先|避難先|送り先)(?:は|が|[:=→])\\s*)"
)
_RIVER: Final = re.compile(f"{_SIGN}川(?:の(?:河川敷|土手|堤防|そば|近く|ほとり)|沿い|べり)")
_STOP: Final = re.compile("(?:バス停|停留所)は?[「『]|[」』](?:で|まで)(?:降|下車|来)")


def _place(text: str) -> bool:
    for found in _ENDING.finditer(text):
        ending = found[0]
        if ending in _LIKE_NAMES_OF_PEOPLE and _OF_A_PERSON.match(text, found.end()):
            continue
        run, kana = _before(text, found.start())
        if _is_name(run, ending):
            return True
        if ending not in _NEVER_AFTER_KANA and (_is_kana_name(kana) or _is_known_name(kana + run)):
            return True
    return False


def _place_in_kana(text: str) -> bool:
    folded = text.translate(_HIRAGANA)
    for found in _KANA_ENDING.finditer(folded):
        if found[0] == _GARDEN:
            named = _ENDS_IN_KANA_NAME.search(folded[: found.start()]) is not None
        else:
            named = _named_before(folded, found.start(), found[0])
        if named and (found[0] != _STATION or _AFTER_STATION.match(folded, found.end())):
            return True
    return False


def _place_after_its_kind(text: str) -> bool:
    for found in _OPENING.finditer(text):
        run = _AFTER.match(text, found.end())
        if run is not None and _is_name(run[0], ""):
            return True
        if _BEGINS_WITH_KANA_NAME.match(text.translate(_HIRAGANA), found.end()):
            return True
    return False


def _place_by_context(text: str) -> bool:
    if _STOP.search(text) or _RIVER.search(text):
        return True
    if any(map(_is_word_of_its_own, (*_QUOTED.finditer(text), *_FOUNDED.finditer(text)))):
        return True
    for found in _AT.finditer(text):
        run = _AFTER.match(text, found.end())
        if run is not None and len(run[0]) > 1 and _is_name(run[0], ""):
            return True
    marks = (*_ABBREVIATED.finditer(text), *_MOVED.finditer(text))
    return any(_is_name(_before(text, found.start())[0], "") for found in marks)


def _is_word_of_its_own(found: re.Match[str]) -> bool:
    """Whether what stands before an ending in quotes, or after who founded it, is a name."""
    word = found[1]
    left = _GENERAL.sub("", word).strip(_JOINING)
    return len(left) > 1 and word[0] not in _JOINING and word not in _RAW["kana_name"]["no_name"]


_Finder: TypeAlias = Callable[[str], object]
_FINDERS: Final[Mapping[str, _Finder]] = {
    "telephone": _telephone,
    "postal_code": _POSTAL_CODE.search,
    "address": _address,
    "room": _ROOM.search,
    "account": _ACCOUNT.search,
    "place": _place,
    "place_in_kana": _place_in_kana,
    "place_after_its_kind": _place_after_its_kind,
    "place_by_context": _place_by_context,
    "brand": _BRAND.search,
}


def find_locators(text: str) -> frozenset[str]:
    """The kinds of what may tell in `text` where a family is; never the words themselves.

    >>> sorted(find_locators("長女は汐見小学校に通う。電話は０９０－１２３４－５６７８"))
    ['place', 'telephone']
    >>> find_locators("学校の話をした。公園で3回すべり台をすべり、10時に帰宅。")
    frozenset()
    """
    folded = _folded(text)
    return frozenset(kind for kind, finds in _FINDERS.items() if finds(folded))


def tells_where(text: str) -> bool:
    """Whether anything in `text` may tell where a family is.

    >>> tells_where("夕凪駅で待ち合わせ"), tells_where("駅伝をテレビで見た")
    (True, False)
    """
    folded = _folded(text)
    return any(finds(folded) for finds in _FINDERS.values())


def _folded(text: str) -> str:
    """`text` in one writing: NFKC, one kind of dash, figures as digits, ordinary words passed."""
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", composed(text)))
    plain = _NUMBER.sub(lambda found: found[0].translate(_FIGURES), plain)
    return _ORDINARY.sub(_PASSED, plain)
