"""Numbers as offices type them: yen, hours, counts. Never negative, never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from visitsync.fields.dates import BadCell
from visitsync.fields.text import narrow

_YEN: Final = re.compile(r"[¥\\]?(\d{1,9}|\d{1,3}(?:,\d{3}){1,2})(?:\.0+)?円?", re.ASCII)
_DECIMAL: Final = re.compile(r"(\d{1,6})(?:\.(\d{1,8}))?", re.ASCII)
_COUNT: Final = re.compile(r"\d{1,6}", re.ASCII)
_PLACES: Final = 4


def yen(text: str, suffixes: Sequence[str] = ()) -> int | BadCell:
    """Whole yen; an empty cell is 0. ▲500 and -500 are no amount of this record.

    Args:
        text: such as 1,200円.
        suffixes: words that may follow the figures besides 円.

    >>> yen("1,200円"), yen("１２００"), yen(""), yen("▲500").code
    (1200, 1200, 0, 'bad_number')
    """
    if not text:
        return 0
    found = _YEN.fullmatch(_without(narrow(text), suffixes))
    return BadCell("bad_number") if found is None else int(found[1].replace(",", ""))


def quantity(text: str, suffixes: Sequence[str] = (), divide: int = 1) -> str | BadCell | None:
    """A decimal string without trailing zeros; None for an empty cell.

    Args:
        text: such as 1.5, ２時間 or 90分.
        suffixes: words that may follow the figures.
        divide: by how much to divide, 60 where minutes stand for hours.

    >>> quantity("２時間", ["時間"]), quantity("2.50"), quantity("90", divide=60)
    ('2', '2.5', '1.5')
    """
    if not text:
        return None
    folded = _without(narrow(text), suffixes)
    if _DECIMAL.fullmatch(folded) is None:
        return BadCell("bad_number")
    value = Decimal(folded) / divide
    if round(value, _PLACES) != value:
        return BadCell("bad_number")
    whole, _, rest = f"{value:f}".partition(".")
    rest = rest.rstrip("0")
    return f"{int(whole)}.{rest}" if rest else str(int(whole))


def count(text: str, suffixes: Sequence[str] = ()) -> int | BadCell | None:
    """A whole number of things; None for an empty cell.

    Args:
        text: such as 02 or ２人.
        suffixes: words that may follow the figures.

    >>> count("02"), count("２"), count("二").code
    (2, 2, 'bad_number')
    """
    if not text:
        return None
    folded = _without(narrow(text), suffixes)
    return int(folded) if _COUNT.fullmatch(folded) else BadCell("bad_number")


def _without(figures: str, suffixes: Sequence[str]) -> str:
    for suffix in map(narrow, suffixes):
        if suffix and figures.lower().endswith(suffix.lower()):
            return figures[: -len(suffix)]
    return figures
