"""Receipts: what a family was told when a consent or refusal was recorded, signed by the log's key.

A receipt is a signed note (see `note`) whose first line no checkpoint can have, and which no
checkpoint's three lines can be; so neither can be passed off as the other. It names nobody: ids and
codes alone. One member per line; items are percent-encoded, so no value can begin another line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote, unquote

import msgspec

from visitsync.audit.entry import Instant
from visitsync.audit.note import NoteSigner, NoteVerifier, open_note
from visitsync.errors import BadNote
from visitsync.schema.silent import Struct

FIRST_LINE: Final = "visitsync receipt v1"
ANY_VERSION: Final = re.compile(r"visitsync receipt v[0-9]{1,9}")

Items: TypeAlias = tuple[str, ...] | Literal["*"]

_PLAIN: Final = "/:@._+"
"""Characters of ids and codes that stand as they are; letters, digits, ``-`` and ``~`` do too."""
_NONE: Final = "-"
_OPEN: Final = "open"


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was recorded, and where it stands in the access log."""

    # The order of the fields is that of the lines.
    tenant: str
    what: Literal["recorded", "confirmed", "withdrawn"]
    directive: str
    """As ``id@version``."""
    effective: Literal["at_once", "once_confirmed"]
    """Whether it holds from this instant on, or waits for a second person."""
    notice: str
    """The version of the notice that the family signed."""
    effect: Literal["permit", "deny"]
    sources: Items
    recipients: Items
    purposes: Items
    categories: Items
    registrations: Items | Literal["household"]
    valid: tuple[str, str | None]
    """From when and until when it holds (RFC 3339); None is open."""
    visits: tuple[str, str | None]
    """The days of the visits that it is about; None is open."""
    at: Instant
    shard: str
    """Of the access log."""
    index: int
    """Of its entry there."""

    def text(self) -> str:
        """The lines, as they are signed."""
        told = [f"{name} {_written(getattr(self, name))}" for name in self.__struct_fields__]
        return "\n".join([FIRST_LINE, *told, ""])


def parse(text: str) -> Receipt:
    """The receipt that `Receipt.text` would write as `text`.

    Raises:
        BadNote: if it is none, or of another version.
    """
    _, *lines = text.split("\n")
    read: dict[str, Any] = {}
    for name, line in zip(Receipt.__struct_fields__, lines, strict=False):
        label, _, value = line.partition(" ")
        if label == name:
            read[name] = _read(name, value)
    try:
        made = msgspec.convert(read, Receipt)
        dt.datetime.fromisoformat(made.at)
    except (msgspec.ValidationError, ValueError):
        made = None
    if made is None or made.text() != text:
        raise BadNote("this is no receipt of this version", reason="malformed")
    return made


def sign(receipt: Receipt, signer: NoteSigner) -> str:
    """The receipt as a signed note."""
    return signer.sign(receipt.text())


def open_signed(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> Receipt:
    """The receipt in a note that one of `verifiers` signed.

    Raises:
        BadNote: see `open_note` and `parse`.
    """
    return parse(open_note(note, verifiers).text)


def _written(value: object) -> str:
    match value:
        case int():
            return str(value)
        case "*":
            return "*"
        case str():
            return _item(value)
        case (str() as start, None):
            return f"{_item(start)} {_OPEN}"
        case tuple():
            return " ".join(map(_item, value)) or _NONE
        case _:
            raise BadNote("a receipt holds no such value", reason="malformed")


def _item(value: str) -> str:
    made = quote(value, safe=_PLAIN)
    return "%2D" if made == _NONE else made


_LISTS: Final = frozenset({"sources", "recipients", "purposes", "categories", "registrations"})
_PERIODS: Final = frozenset({"valid", "visits"})


def _read(name: str, value: str) -> object:
    if name == "index":
        return int(value) if re.fullmatch("0|[1-9][0-9]{0,18}", value) else value
    items = [unquote(one, errors="replace") for one in value.split(" ")]
    if name in _PERIODS:
        return (items[0], None if items[1:] == [_OPEN] else items[-1])
    if name not in _LISTS:
        return items[0]
    if value == _NONE:
        return ()
    words = {"sources": "*", "registrations": "household"}
    whole = value in {"*", words.get(name)}
    return value if whole else tuple(items)
