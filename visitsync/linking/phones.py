"""Telephone numbers as bare digits."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SEVERAL: Final = re.compile("[/、,;，；\n]|又は|または")
_EXTENSION: Final = re.compile("(内線|内|ext)[.:]?\\s*\\d+.*$", re.IGNORECASE)
_NO_DIGIT: Final = re.compile(r"\D+")
_ABROAD: Final = re.compile(r"^(?:\+|00)81\(?0?\)?")
_MOBILE: Final = re.compile("[789]0[0-9]{8}")
_NATIONAL: Final = re.compile("0[0-9]{9,10}")
_OF_A_FIRM: Final = ("0120", "0800", "0570", "0990")
"""Free-dial and navi-dial numbers belong to organisations, never to one household."""


def phone_keys(phone: str | None) -> frozenset[str]:
    """Every national number in the cell: ten or eleven digits with the leading zero.

    A zero that a spreadsheet dropped is put back where only one reading is possible. Anything else,
    such as placeholders or numbers of firms, gives no key: no key is better than a shared one.

    >>> sorted(phone_keys("０００（９３６８）３５７９")), sorted(phone_keys("+81 90-1234-5678"))
    (['00093683579'], ['09012345678'])
    """
    if phone is None:
        return frozenset()
    keys = (_key(part) for part in _SEVERAL.split(unicodedata.normalize("NFKC", phone)))
    return frozenset(key for key in keys if key is not None)


def _key(part: str) -> str | None:
    bare = _EXTENSION.sub("", part.strip())
    bare = _ABROAD.sub("0", bare.replace(" ", "").replace("-", ""))
    digits = _NO_DIGIT.sub("", bare)
    if _MOBILE.fullmatch(digits):
        digits = f"0{digits}"
    if _NATIONAL.fullmatch(digits) is None or digits.startswith(_OF_A_FIRM):
        return None
    return None if len(set(digits[3:])) == 1 else digits
