"""Birth dates as offices know them: a day, a month or only a year."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Final, TypeAlias

import msgspec

_FORM: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)

PartialDate: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$", description="day, month or year")
]
"""``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY``; what is not known at all (不詳) is null instead."""


def is_partial_date(text: str) -> bool:
    """Whether `text` names a day, month or year that exists.

    >>> is_partial_date("2024-02-29"), is_partial_date("2023-02-29"), is_partial_date("2024-05")
    (True, False, True)
    """
    return earliest(text) is not None


def earliest(text: str) -> dt.date | None:
    """The first day that `text` can mean, or None where it is no partial date."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups(default="01")
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
