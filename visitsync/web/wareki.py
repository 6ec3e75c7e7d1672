"""Dates as people in a Japanese town hall write them: 令和8年9月3日."""

from __future__ import annotations

import datetime as dt
from typing import Final

_ERAS: Final = (
    ("令和", dt.date(2019, 5, 1)),
    ("平成", dt.date(1989, 1, 8)),
    ("昭和", dt.date(1926, 12, 25)),
    ("大正", dt.date(1912, 7, 30)),
    ("明治", dt.date(1868, 1, 25)),
)
_WEEKDAYS: Final = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def era_year(day: dt.date) -> str:
    """The era and its year on that day; the first year is 元年.

    >>> era_year(dt.date(2019, 4, 30)), era_year(dt.date(2019, 5, 1))
    ('平成31年', '令和元年')

    Raises:
        ValueError: for a day before 明治.
    """
    for era, begins in _ERAS:
        if day >= begins:
            year = day.year - begins.year + 1
            return f"{era}{'元' if year == 1 else year}年"
    raise ValueError("no era")


def wareki(day: dt.date) -> str:
    """The whole date.

    >>> wareki(dt.date(2026, 9, 3))
    '令和8年9月3日'
    """
    return f"{era_year(day)}{day.month}月{day.day}日"


def weekday(day: dt.date, language: str) -> str:
    """The short name of the day of the week.

    >>> weekday(dt.date(2026, 9, 3), "ja")
    '木'
    """
    return _WEEKDAYS[language][day.weekday()]
