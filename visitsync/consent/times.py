"""Instants and periods: a start is inside, an end outside, and an end of None is open."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Final, TypeAlias

_FORM: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?"
    r"(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
"""RFC 3339 with an offset, in capitals and without leap seconds."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_DAY: Final = 86_400


class Instant(tuple[int, str]):
    """Seconds since 1970 in UTC, and the digits of the fraction without closing zeros.

    Exact however many digits were written, and ordered like the instants themselves.
    """

    __slots__ = ()

    @classmethod
    def of(cls, microseconds: int) -> Instant:
        """The instant so many microseconds after 1970 began in UTC.

        >>> Instant.of(1_500_000) == read_instant("1970-01-01T00:00:01.50Z")
        True
        """
        seconds, rest = divmod(microseconds, 1_000_000)
        return cls((seconds, f"{rest:06}".rstrip("0")))

    def later(self, seconds: int) -> Instant:
        """The instant so many seconds after this one."""
        return Instant((self[0] + seconds, self[1]))


Period: TypeAlias = tuple[Instant, Instant | None]


@lru_cache(maxsize=4096)
def read_instant(text: str) -> Instant:
    """The instant written as `text`.

    >>> read_instant("2026-10-01T09:00:00+09:00") == read_instant("2026-10-01T00:00:00.0Z")
    True

    Raises:
        ValueError: where it is no RFC 3339 time with an offset.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("is no time with an offset")
    moment, fraction, offset = found.groups(default="")
    since = dt.datetime.fromisoformat(moment + offset) - _EPOCH
    return Instant((since.days * _DAY + since.seconds, fraction.rstrip("0")))
