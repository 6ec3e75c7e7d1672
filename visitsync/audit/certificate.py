"""Certificates of erasure: what was destroyed, when and on what ground, signed by the log's key.

A certificate is a signed note (see `note`) whose first line neither a checkpoint nor a receipt can
have. It names nobody, and not the household either: the erasure's id, pseudonyms, codes and counts
alone. One member per line; values are percent-encoded, so none can begin another line.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote, unquote

import msgspec
from msgspec import Meta

from visitsync.audit.entry import Instant
from visitsync.audit.note import NoteSigner, NoteVerifier, open_note
from visitsync.errors import BadNote
from visitsync.schema.silent import Struct

FIRST_LINE: Final = "visitsync erasure certificate v1"
ANY_VERSION: Final = re.compile(r"visitsync erasure certificate v[0-9]{1,9}")

_PLAIN: Final = "/:@._+"
_NUMBER: Final = re.compile("0|[1-9][0-9]{0,14}")


class Certificate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was erased, and where it stands in the access log."""

    # The order of the fields is that of the lines.
    tenant: str
    erasure: str
    ground: str
    """A code of the rules, by which it was done."""
    asked_by: str
    decided_by: str
    asked_at: Instant
    decided_at: Instant
    at: Instant
    keys: Annotated[int, Meta(ge=0)]
    """How many keys were destroyed."""
    reports: Annotated[int, Meta(ge=0)]
    registrations: Annotated[int, Meta(ge=0)]
    facts: Annotated[int, Meta(ge=0)]
    evidence: Annotated[int, Meta(ge=0)]
    log: Literal["destroyed", "by_rule"]
    """Whether what the log says of the household went too, or goes later by its own rule."""
    shard: str
    """Of the access log."""
    index: Annotated[int, Meta(ge=0)]
    """Of its entry there."""

    def text(self) -> str:
        """The lines, as they are signed."""
        told = [f"{name} {_written(getattr(self, name))}" for name in self.__struct_fields__]
        return "\n".join([FIRST_LINE, *told, ""])


def parse(text: str) -> Certificate:
    """The certificate that `Certificate.text` would write as `text`.

    Raises:
        BadNote: if it is none, or of another version.
    """
    _, *lines = text.split("\n")
    read: dict[str, Any] = {}
    for name, line in zip(Certificate.__struct_fields__, lines, strict=False):
        label, _, value = line.partition(" ")
        if label == name:
            read[name] = _read(name, value)
    try:
        made = msgspec.convert(read, Certificate)
        for at in (made.asked_at, made.decided_at, made.at):
            dt.datetime.fromisoformat(at)
    except (msgspec.ValidationError, ValueError):
        made = None
    if made is None or made.text() != text:
        raise BadNote("this is no certificate of this version", reason="malformed")
    return made


def sign(certificate: Certificate, signer: NoteSigner) -> str:
    """The certificate as a signed note."""
    return signer.sign(certificate.text())


def open_signed(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> Certificate:
    """The certificate in a note that one of `verifiers` signed.

    Raises:
        BadNote: see `open_note` and `parse`.
    """
    return parse(open_note(note, verifiers).text)


def _written(value: object) -> str:
    return str(value) if isinstance(value, int) else quote(str(value), safe=_PLAIN)


_COUNTS: Final = frozenset({"keys", "reports", "registrations", "facts", "evidence", "index"})


def _read(name: str, value: str) -> object:
    if name in _COUNTS:
        return int(value) if _NUMBER.fullmatch(value) else value
    return unquote(value, errors="replace")
