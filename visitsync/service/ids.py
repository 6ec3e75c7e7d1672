"""visitsync's own ids: new ones, and keyed ones that are the same for the same thing."""

from __future__ import annotations

import base64
import re
from typing import Final

from uuid_utils import uuid7

from visitsync.envelope import IdKey

_HOUSEHOLD: Final = re.compile(r"h[a-z2-7]{26}")
_GIVEN: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEPT: Final = 16
"""Bytes of a keyed hash; 128 bits never meet by chance."""


def new_id(prefix: str) -> str:
    """An id that nothing else has.

    Made in the order of time, but this spelling does not sort in it: digits stand for the highest
    values and sort before letters. Who needs an order asks for the time.
    """
    return prefix + spelt(uuid7().bytes)


def is_household(text: str) -> bool:
    """Whether a text has the form of a household's id."""
    return _HOUSEHOLD.fullmatch(text) is not None


def as_given(text: str) -> str:
    r"""An id as somebody gave it; what cannot be one of ours is the id of nothing.

    So that it goes the same way as an unknown one: a database refuses some characters.

    >>> as_given("h2"), as_given("h\x00")
    ('h2', '')
    """
    return text if _GIVEN.fullmatch(text) else ""


def visit_id(index: IdKey, office: str, record_id: str) -> str:
    """The id of a report, whichever revision: the office and its own id, keyed."""
    return "v" + spelt(index.exact("visit", office, record_id)[:_KEPT])


def registration_id(index: IdKey, office: str, case_no: str | None, record_id: str) -> str:
    """The id of a registration: office and case number, keyed; without one, that of the report."""
    if case_no:
        return "r" + spelt(index.exact("registration", office, "case", case_no)[:_KEPT])
    return "r" + spelt(index.exact("registration", office, "record", record_id)[:_KEPT])


def spelt(data: bytes) -> str:
    """Bytes as the letters and digits of an id."""
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()
