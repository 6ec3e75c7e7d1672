"""Where this family itself lives, as its reports say: the words of it, to look for in their notes.

What no scan can know to be a place, because it is a word like any other, is known here. It can only
take more away: whatever is found lets nothing out, and nothing of it is kept when the answer is
made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from visitsync.consent.naming import hiragana, in_one_writing, is_no_everyday_word
from visitsync.errors import RecordError
from visitsync.schema.silent import Struct, silent

_SHORTEST_NUMBER: Final = 3
"""Digits of a room or house; fewer are the time or an age."""
_SHORTEST_KANA: Final = 3
_LAST_OF_PHONE: Final = 4
_LOCAL_OF_PHONE: Final = 8

_OF_ADDRESSES: Final = re.compile(
    "[都道府県市区町村郡]|[〇一二三四五六七八九十]*(?:丁目|番地?|号室?)|大字"
    "|[0-9]+[のノ]?|[-\\s、,.・()/]"
)
_KANA: Final = re.compile("[ぁ-んー]+")
_NUMBER: Final = re.compile("[0-9]+")
_BLOCK: Final = re.compile("(?<![0-9])([0-9]++)(?=[-の]([0-9]++))")
_BETWEEN_DIGITS: Final = re.compile("(?<=[0-9])[-\\s().・の]++(?=[0-9])")
_LIKE_A_YEAR: Final = re.compile("(?:19|20)[0-9]{2}")
_UNIT: Final = re.compile("[円回日月年時分秒度歳才人名個本枚件点kKgGmMcC%℃]|[.:/][0-9]")
_PERSON: Final = re.compile(
    "さん|ちゃん|くん|君|様|氏|先生|医師|保健師|支援員|相談員|看護師|へるぱー"
)


class _Person(Struct, frozen=True):
    postal_code: str | None = None
    address: str | None = None
    phone: str | None = None


class _Report(Struct, frozen=True):
    persons: tuple[_Person, ...] = ()


_REPORT: Final = msgspec.json.Decoder(_Report)


@silent
class _Told(NamedTuple):
    names: set[str]
    """In hiragana."""
    blocks: set[tuple[str, str]]
    numbers: set[str]
    """Of rooms, and the ends of telephones."""
    wholes: set[str]
    """Of telephones and postal codes, without what stands between their digits."""


class OwnPlaces:
    """What tells where one family lives, of these reports about it; read when it is asked for.

    >>> line = '{"persons":[{"address":"汐見市夕凪4-21-503","phone":"090-0000-1357"}]}'
    >>> own = OwnPlaces([line.encode()])
    >>> own.are_in("夕凪まで歩く"), own.are_in("503へ"), own.are_in("末尾1357"), own.are_in("3歳")
    (True, True, True, False)

    Args:
        lines: canonical reports; only where the persons live and are telephoned is read.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines

    def __repr__(self) -> str:
        return "<OwnPlaces>"

    def are_in(self, text: str) -> bool:
        """Whether one of them stands in `text`, whatever its writing.

        Raises:
            RecordError: where a report is of another version of the form.
        """
        plain = in_one_writing(text)
        return _name_is_in(hiragana(plain), self._told.names) or _number_is_in(plain, self._told)

    @cached_property
    def _told(self) -> _Told:
        persons = {person for line in self._lines for person in _persons_of(line)}
        addresses = {in_one_writing(one.address) for one in persons if one.address}
        phones = {_joined(in_one_writing(one.phone)) for one in persons if one.phone}
        codes = {_joined(in_one_writing(one.postal_code)) for one in persons if one.postal_code}
        return _Told(
            names={name for address in addresses for name in _names_of(address)},
            blocks={block for address in addresses for block in _BLOCK.findall(address)},
            numbers={
                *(number for address in addresses for number in _rooms_of(address)),
                *(end for phone in phones for end in _ends_of(phone)),
            },
            wholes={whole for number in phones | codes for whole in _wholes_of(number)},
        )


def _name_is_in(kana: str, names: set[str]) -> bool:
    for name in names:
        start = kana.find(name)
        while start >= 0:
            if not _PERSON.match(kana, start + len(name)):
                return True
            start = kana.find(name, start + 1)
    return False


def _number_is_in(plain: str, told: _Told) -> bool:
    for found in _BLOCK.finditer(plain):
        if found.groups() in told.blocks and not _UNIT.match(plain, found.end(2)):
            return True
    for found in _NUMBER.finditer(plain):
        if found[0] in told.numbers and not _UNIT.match(plain, found.end()):
            return True
    joined = _joined(plain)
    return any(whole in joined for whole in told.wholes)


def _persons_of(line: bytes) -> tuple[_Person, ...]:
    try:
        return _REPORT.decode(line).persons
    except msgspec.DecodeError:
        raise RecordError("is of another version of the form", where="persons") from None


def _names_of(address: str) -> set[str]:
    """Its words in hiragana, without those that every other note holds too."""
    return {
        hiragana(word)
        for word in _OF_ADDRESSES.split(address)
        if is_no_everyday_word(word) or (len(word) >= _SHORTEST_KANA and _KANA.fullmatch(word))
    }


def _rooms_of(address: str) -> set[str]:
    return {one for one in _NUMBER.findall(address) if len(one) >= _SHORTEST_NUMBER}


def _ends_of(phone: str) -> set[str]:
    """The last digits of a telephone, as they are told by those who know the rest."""
    last = phone[-_LAST_OF_PHONE:]
    if len(last) < _LAST_OF_PHONE or not last.isdecimal() or _LIKE_A_YEAR.fullmatch(last):
        return set()
    return {last}


def _wholes_of(number: str) -> set[str]:
    """Runs of digits that are long enough to be nothing else."""
    return {
        run[-_LOCAL_OF_PHONE:] for run in _NUMBER.findall(number) if len(run) >= _LOCAL_OF_PHONE - 1
    }


def _joined(text: str) -> str:
    """`text` without what stands between its digits."""
    return _BETWEEN_DIGITS.sub("", text)
