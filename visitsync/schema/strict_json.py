"""One strict JSON reader for everything that comes from outside.

RFC 8259 with no leniency: a name twice in one object, ``NaN``, an unpaired surrogate, a byte order
mark, other encodings than UTF-8, too deep nesting and numbers of absurd length are all refused.
Of two equal names neither may win silently.
"""

from __future__ import annotations

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


def loads(data: bytes, *, mark_repeated_names: bool = False) -> object:
    """The value written as `data`.

    Args:
        data: UTF-8 without a byte order mark.
        mark_repeated_names: answer a `RepeatedNames` for such an object instead of refusing all,
            for readers who must tell which part is unreadable.

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
        if not mark_repeated_names:
            raise NotStrictJson("repeated_name")
        return RepeatedNames(found)

    try:
        value: object = json.loads(
            text,
            object_pairs_hook=pairs,
            parse_constant=_refuse_constant,
            parse_int=_parse_int,
            parse_float=_parse_float,
        )
    except RecursionError:
        raise NotStrictJson("too_deep") from None
    except json.JSONDecodeError:
        raise NotStrictJson("not_json") from None
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
        elif isinstance(one, RepeatedNames):
            waiting.extend((part, depth + 1) for pair in one.pairs for part in pair)
        elif isinstance(one, dict):
            waiting.extend((key, depth) for key in one)
            waiting.extend((item, depth + 1) for item in one.values())
        elif isinstance(one, list):
            waiting.extend((item, depth + 1) for item in one)
