"""Times of day, as minutes from the midnight on which the visit's day begins."""

from __future__ import annotations

import re
from typing import Final

from visitsync.fields.dates import BadCell
from visitsync.fields.text import narrow

DAY: Final = 24 * 60

_TIME: Final = re.compile(
    r"(?P<next>翌[日朝]?)?(?P<half>午前|午後)?"
    r"(?:(?P<hour>\d{1,2})(?::(?P<minute>\d{2})|時(?:(?P<spelt>\d{1,2})分|(?P<thirty>半))?)"
    r"|(?P<digits>\d{4}))",
    re.ASCII,
)
_DASHES: Final = re.compile("[~〜\\-‐‑‒–—―−ー]|から")


def time_of_day(text: str, *, overnight: bool = False) -> int | BadCell | None:
    """The minutes that `text` says; None for an empty cell.

    Args:
        text: 9:00, 09：00, 0900, 10時, 10時30分, 午後0:00; with `overnight` also 30:00 and 翌6:00.
        overnight: whether a time may lie on the next day. 24:00 is always the day's end.

    午前 and 午後 go with the hours 0 to 11: 12 is noon to some and midnight to others.

    >>> time_of_day("午後0:00"), time_of_day("翌6:00", overnight=True), time_of_day("12:75").code
    (720, 1800, 'bad_time')
    """
    if not text:
        return None
    found = _TIME.fullmatch(narrow(text))
    if found is None:
        return BadCell("bad_time")
    if found["digits"]:
        hour, minute = int(found["digits"][:2]), int(found["digits"][2:])
    else:
        hour = int(found["hour"])
        minute = 30 if found["thirty"] else int(found["minute"] or found["spelt"] or 0)
    limit = 24 if found["next"] else 48
    if found["half"]:
        limit = 12
    if hour >= limit or minute > 59:  # noqa: PLR2004 -- an hour has sixty minutes
        return BadCell("bad_time")
    minutes = hour * 60 + minute
    if found["half"] == "午後":
        minutes += DAY // 2
    if found["next"]:
        minutes += DAY
    return BadCell("bad_time") if minutes > DAY and not overnight else minutes


def time_range(text: str, *, overnight: bool = False) -> tuple[int, int] | BadCell | None:
    """Start and end that stand in one cell, such as 10:00～12:00 or 10時から11時30分まで.

    >>> time_range("午前10:00～午後0:00"), time_range("")
    ((600, 720), None)
    """
    if not text:
        return None
    pieces = _DASHES.split(narrow(text).removesuffix("まで"))
    if len(pieces) != 2:  # noqa: PLR2004 -- a range has two ends
        return BadCell("bad_time")
    start = time_of_day(pieces[0])
    end = time_of_day(pieces[1], overnight=overnight)
    if isinstance(start, int) and isinstance(end, int):
        return start, end
    return BadCell("bad_time")


def clock(minutes: int) -> str:
    """`minutes` as ``HH:MM``, for record ids.

    >>> clock(540)
    '09:00'
    """
    return f"{minutes // 60:02}:{minutes % 60:02}"
