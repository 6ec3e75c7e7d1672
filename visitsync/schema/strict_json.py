"""One strict JSON reader for everything that comes from outside.

RFC 8259 with no leniency: a name twice in one object, ``NaN``, an unpaired surrogate, a byte order
mark, other encodings than UTF-8, too deep nesting and numbers of absurd length are all refused.
Of two equal names neither may win silently.
"""

from __future__ import annotations

import enum
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, NoReturn

MAX_DEPTH: Final = 64
MAX_DIGITS: Final = 64

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class NotStrictJson(ValueError):
    """The bytes are no strict JSON. `reason` is a stable word, never content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RepeatedNames(dict[str, object]):
    """An object in which a name stood twice; holds the first of each."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Sequence[tuple[str, object]]) -> None:
        super().__init__()
        for name, value in pairs:
            self.setdefault(name, value)
        self.pairs = tuple(pairs)
        """Every name with its value, as they stood."""

    @property
    def repeated(self) -> frozenset[str]:
        """The names that stood more than once; their values are not to be relied on."""
        times = Counter(name for name, _ in self.pairs)
        return frozenset(name for name, count in times.items() if count > 1)


class Mark(enum.Enum):
    """What stands in the place of a part that is JSON but not strict."""

    REFUSED = "refused"


def loads(data: bytes, *, mark_refused: bool = False) -> object:
    """The value written as `data`.

    Args:
        data: UTF-8 without a byte order mark.
        mark_refused: for readers who must tell which part is unreadable. Of what is JSON but not
            strict only that part is refused: an object in which a name stands twice is answered
            as `RepeatedNames`; `Mark.REFUSED` stands for a string with an unpaired surrogate, for
            what is nested too deep, and for a number beyond all bounds.

    Raises:
        NotStrictJson: with reason ``not_unicode``, ``too_deep``, ``repeated_name``,
            ``not_a_number`` or ``not_json``.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrictJson("not_unicode") from None

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(found)
        if len(made) == len(found):
            return made
        if not mark_refused:
            raise NotStrictJson("repeated_name")
        return RepeatedNames(found)

    try:
        value: object = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_constant=_refuse_constant,
            parse_int=_mark_int if mark_refused else _parse_int,
            parse_float=_mark_float if mark_refused else _parse_float,
        )
    except RecursionError:
        raise NotStrictJson("too_deep") from None
    except json.JSONDecodeError:
        raise NotStrictJson("not_json") from None
    if mark_refused:
        return _marked(value, 0)
    _check(value)
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise NotStrictJson("not_a_number")


def _parse_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise NotStrictJson("not_a_number")
    return int(digits)


def _parse_float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise NotStrictJson("not_a_number")
    return value


def _check(value: object) -> None:
    """Refuse unpaired surrogates and deep nesting, without recursion of our own."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise NotStrictJson("too_deep")
        if isinstance(one, str):
            if _SURROGATE.search(one) is not None:
                raise NotStrictJson("not_unicode")
        elif isinstance(one, dict):
            waiting.extend((key, depth) for key in one)
            waiting.extend((item, depth + 1) for item in one.values())
        elif isinstance(one, list):
            waiting.extend((item, depth + 1) for item in one)


def _mark_int(digits: str) -> int | Mark:
    try:
        return int(digits)
    except ValueError:  # thousands of digits
        return Mark.REFUSED


def _mark_float(digits: str) -> float | Mark:
    try:
        return _parse_float(digits)
    except NotStrictJson:
        return Mark.REFUSED


def _marked(value: object, depth: int) -> object:
    """The value with a mark in the place of every string and every depth that is not strict."""
    if depth > MAX_DEPTH:
        return Mark.REFUSED
    if isinstance(value, str):
        return value if _SURROGATE.search(value) is None else Mark.REFUSED
    if isinstance(value, RepeatedNames):
        return RepeatedNames([(_name(name), _marked(one, depth + 1)) for name, one in value.pairs])
    if isinstance(value, dict):
        return {_name(name): _marked(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, depth + 1) for one in value]
    return value


def _name(name: str) -> str:
    """A name that can be written out; one that could not is known to nobody either way."""
    return _SURROGATE.sub("\ufffd", name)
