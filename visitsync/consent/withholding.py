"""Withholding free text that may tell where a family under an address shield is."""

from __future__ import annotations

from typing import Final

import msgspec

from visitsync.consent.locators import tells_where

WITHHELD_TEXT: Final = (
    "（居場所が分かるおそれがあるため、この記述は表示していません。"
    "必要な場合は、児童保護担当または個人情報保護担当にお尋ねください。）"
)
"""Stands instead of such a text. It names nobody who could tell where they are, such as an office.

A shield always allows a child protection worker, who reads the text itself.
"""

_NOTES: Final = "notes"
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXTS: Final = msgspec.json.Decoder(dict[str, str])
_ENCODER: Final = msgspec.json.Encoder()


def without_locators(line: bytes) -> bytes:
    """A released line with every text in its place that tells no place, and a marker for others.

    A text is withheld whole: what stands around a name may tell as much as the name.

    Args:
        line: JSON, as `form.taken` made it; without a find it comes back byte for byte.
    """
    members = _MEMBERS.decode(line)
    if _NOTES not in members:
        return line
    texts = _TEXTS.decode(members[_NOTES])
    told = {name for name, text in texts.items() if tells_where(text)}
    if not told:
        return line
    kept = {name: WITHHELD_TEXT if name in told else text for name, text in texts.items()}
    return _ENCODER.encode({**members, _NOTES: msgspec.Raw(_ENCODER.encode(kept))})
