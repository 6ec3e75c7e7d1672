"""Withholding free text that may tell where a family under an address shield is."""

from __future__ import annotations

from typing import Final

import msgspec

from visitsync.consent.locators import tells_where
from visitsync.consent.own_places import OwnPlaces

WITHHELD_TEXT: Final = (
    "（居場所が分かるおそれがあるため、この記述は表示していません。"
    "必要な場合は、児童保護担当または個人情報保護担当にお尋ねください。）"
)
"""Stands instead of such a text. It names nobody who could tell where they are, such as an office.

A shield always allows a child protection worker, who reads the text itself.
"""

_WITH_TEXT: Final = ("notes", "health")
"""Members of a report that hold free text by name; values of health may be words."""
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXTS: Final = msgspec.json.Decoder(dict[str, str | int])
_ENCODER: Final = msgspec.json.Encoder()


def without_locators(line: bytes, own: OwnPlaces) -> bytes:
    """A released line with every text in its place that tells no place, and a marker for others.

    A text is withheld whole: what stands around a name may tell as much as the name.

    Args:
        line: JSON, as `form.taken` made it; without a find it comes back byte for byte.
        own: where the family lives, whether or not `line` may show it.
    """
    members = _MEMBERS.decode(line)
    changed: dict[str, msgspec.Raw] = {}
    for member in _WITH_TEXT:
        texts = _TEXTS.decode(members.get(member, b"{}"))
        told = {
            name
            for name, text in texts.items()
            if isinstance(text, str) and (own.are_in(text) or tells_where(text))
        }
        if told:
            kept = {name: WITHHELD_TEXT if name in told else text for name, text in texts.items()}
            changed[member] = msgspec.Raw(_ENCODER.encode(kept))
    return _ENCODER.encode({**members, **changed}) if changed else line
