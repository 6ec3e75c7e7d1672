"""Dates as offices write them: 和暦 and western, whole or partial, never guessed.

A layout names the styles that a column may hold. A style reads only what it describes; text of no
named style is ``bad_date``, a day that does not exist (or not in that era) ``impossible_date``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from visitsync.fields.text import narrow
from visitsync.schema.partial_date import is_partial_date
from visitsync.schema.silent import silent

Style: TypeAlias = Literal[
    "era",
    "western",
    "yyyymmdd",
    "yymmdd_R",
    "yymmdd_H",
    "yymmdd_S",
    "gyymmdd",
    "month_day",
    "day",
]
"""How a date is written. ``YYYY-MM-DD`` (also a workbook's own date cell) is always understood.

- ``era``: R8.4.3, R08.04.03, Ｒ８．７．３, R8/4/3, 令和8年4月3日, 平成元年; (水) may follow
- ``western``: 2026/4/3, 2026-04-03, 2026.4.3, 2026年4月3日
- ``yyyymmdd``: 20260403
- ``yymmdd_R``, ``yymmdd_H``, ``yymmdd_S``: 080403 in the era 令和, 平成, 昭和
- ``gyymmdd``: 5080403, the era as 1 明治, 2 大正, 3 昭和, 4 平成, 5 令和
- ``month_day``, ``day``: 4/3, 4月3日; 3, 3日: the rest is the month that the file states
"""


class Month(NamedTuple):
    """A month of a year."""

    year: int
    month: int


class Era(NamedTuple):
    """An era and its first and last day (元号法; the days of 改元)."""

    first: dt.date
    last: dt.date


ERAS: Final[Mapping[str, Era]] = {
    "M": Era(dt.date(1868, 1, 25), dt.date(1912, 7, 29)),
    "T": Era(dt.date(1912, 7, 30), dt.date(1926, 12, 24)),
    "S": Era(dt.date(1926, 12, 25), dt.date(1989, 1, 7)),
    "H": Era(dt.date(1989, 1, 8), dt.date(2019, 4, 30)),
    "R": Era(dt.date(2019, 5, 1), dt.date.max),
}
_ERA_NAMES: Final[Mapping[str, str]] = {
    **{letter: letter for letter in ERAS},
    **dict(zip(("明治", "大正", "昭和", "平成", "令和"), ERAS, strict=True)),
    **dict(zip("明大昭平令", ERAS, strict=True)),
    **dict(zip("12345", ERAS, strict=True)),
}
_MONTH_AND_DAY: Final = r"(?:[年./-](\d{1,2})(?:[月./-](\d{1,2})日?|月)?|年)?"
_WEEKDAY: Final = re.compile(r"\([日月火水木金土](?:曜日?)?(?:[・,]?[祝休])?\)$")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)

_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    style: re.compile(form, re.ASCII)
    for style, form in {
        "era": r"(明治|大正|昭和|平成|令和|[明大昭平令MTSHR])[./-]?(元|\d{1,2})" + _MONTH_AND_DAY,
        "western": r"(\d{4})" + _MONTH_AND_DAY,
        "yyyymmdd": r"(\d{4})(?:(\d{2})(\d{2})?)?",
        "yymmdd_R": r"(\d{2})(?:(\d{2})(\d{2})?)?",
        "yymmdd_H": r"(\d{2})(?:(\d{2})(\d{2})?)?",
        "yymmdd_S": r"(\d{2})(?:(\d{2})(\d{2})?)?",
        "gyymmdd": r"([1-5])(\d{2})(?:(\d{2})(\d{2})?)?",
        "month_day": r"(\d{1,2})[月./-](\d{1,2})日?",
        "day": r"(\d{1,2})日?",
    }.items()
}

YEARS: Final = range(1868, 2200)
"""Nobody in these records was born before, or is visited after."""

Parts: TypeAlias = tuple[int, int | None, int | None]


@silent
class BadCell(NamedTuple):
    """A cell that is not what its column must hold."""

    code: str


def day_reader(
    styles: Sequence[Style], month: Month | None = None
) -> Callable[[str], dt.date | BadCell]:
    """A function that reads a whole date written in one of `styles`.

    Args:
        styles: tried in turn; the first that the text has decides.
        month: the month that the file states, for ``month_day`` and ``day``.

    >>> day_reader(["era"])("Ｒ８．７．３(金)").isoformat(), day_reader(["era"])("R8.2.30").code
    ('2026-07-03', 'impossible_date')
    """

    def read(text: str) -> dt.date | BadCell:
        if not text:
            return BadCell("missing_date")
        parts = _parts(text, styles, month)
        if isinstance(parts, BadCell):
            return parts
        year, month_number, day = parts
        if month_number is None or day is None:
            return BadCell("bad_date")
        return dt.date(year, month_number, day)

    return read


def partial_reader(
    styles: Sequence[Style], unknown: Sequence[str] = ()
) -> Callable[[str], str | BadCell | None]:
    """A function that reads a date of which the day, or the month too, may be lacking.

    Args:
        styles: as for `day_reader`.
        unknown: words that say that it is not known (不詳); like an empty cell they give None.

    >>> read = partial_reader(["western"], ["不詳"])
    >>> read("1992年"), read("2024/5"), read("2024/5/17"), read("不詳")
    ('1992', '2024-05', '2024-05-17', None)
    """

    def read(text: str) -> str | BadCell | None:
        if not text or text in unknown:
            return None
        parts = _parts(text, styles, None)
        if isinstance(parts, BadCell):
            return parts
        year, month, day = parts
        if month is None:
            return f"{year:04}"
        return f"{year:04}-{month:02}" if day is None else f"{year:04}-{month:02}-{day:02}"

    return read


def month_of(text: str) -> Month | None:
    """The month that a title names, such as 令和8年4月分, 2026-04 or 202604.

    >>> month_of("令和8年4月分"), month_of("第1版")
    (Month(year=2026, month=4), None)
    """
    stripped = narrow(text).removesuffix("分").removesuffix("度")
    parts = _parts(stripped, ("era", "western", "yyyymmdd"), None)
    if isinstance(parts, BadCell) or parts[1] is None:
        return None
    return Month(parts[0], parts[1])


def _parts(text: str, styles: Sequence[Style], month: Month | None) -> Parts | BadCell:
    iso = _ISO.fullmatch(text)
    if iso is not None:
        return _existing((int(iso[1]), int(iso[2]), int(iso[3])))
    folded = _WEEKDAY.sub("", narrow(text).upper())
    for style in styles:
        found = _FORMS[style].fullmatch(folded)
        if found is not None:
            return _of_style(style, found.groups(), month)
    return BadCell("bad_date")


def _of_style(style: Style, groups: Sequence[str], month: Month | None) -> Parts | BadCell:
    match style:
        case "western" | "yyyymmdd":
            return _existing((int(groups[0]), _int(groups[1]), _int(groups[2])))
        case "era" | "gyymmdd":
            return _in_era(_ERA_NAMES[groups[0]], groups[1:])
        case "yymmdd_R" | "yymmdd_H" | "yymmdd_S":
            return _in_era(style[-1], groups)
        case "month_day" | "day":
            if month is None or (style == "month_day" and int(groups[0]) != month.month):
                return BadCell("bad_date")
            return _existing((month.year, month.month, int(groups[-1])))


def _in_era(letter: str, groups: Sequence[str]) -> Parts | BadCell:
    """A year of an era; the days before its first and after its last do not exist in it."""
    era = ERAS[letter]
    number = 1 if groups[0] == "元" else int(groups[0])
    if number < 1:
        return BadCell("impossible_date")
    parts = _existing((era.first.year + number - 1, _int(groups[1]), _int(groups[2])))
    if isinstance(parts, BadCell):
        return parts
    year, month, day = parts
    first = (era.first.year, era.first.month, era.first.day)
    last = (era.last.year, era.last.month, era.last.day)
    low = (year, month or 12, day or 31)
    high = (year, month or 1, day or 1)
    return parts if first <= low and high <= last else BadCell("impossible_date")


def _existing(parts: Parts) -> Parts | BadCell:
    year, month, day = parts
    if year not in YEARS:
        return BadCell("impossible_date")
    text = f"{year:04}" + "".join(f"-{part:02}" for part in (month, day) if part is not None)
    return parts if is_partial_date(text) else BadCell("impossible_date")


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)
