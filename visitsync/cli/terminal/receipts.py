"""Reading a receipt or certificate from a file: what it says, or why nobody can rely on it."""

from __future__ import annotations

from typing import Final, NamedTuple

from visitsync.audit import (
    Certificate,
    NoteVerifier,
    Receipt,
    certificate,
    open_certificate,
    open_note,
    open_receipt,
)
from visitsync.audit.receipt import ANY_VERSION, FIRST_LINE
from visitsync.errors import BadNote, BadParameter
from visitsync.schema.silent import silent


@silent
class Read(NamedTuple):
    """What was found."""

    code: str
    """Of a sentence in ``receipts.toml``."""
    status: int
    """0 it is as it was signed, 1 it is not, 2 it cannot be decided."""
    receipt: Receipt | None = None
    certificate: Certificate | None = None
    """Of an erasure, where the file holds one."""


_REASONS: Final = {"wrong_signature": 1, "malformed": 1, "not_signed": 2, "ambiguous_key": 2}


def read(note: bytes, key: str | None) -> Read:
    """Whether `note` is a receipt, or a certificate of erasure, that `key` signed."""
    first = note.partition(b"\n")[0].decode(errors="replace")
    of_erasure = certificate.ANY_VERSION.fullmatch(first) is not None
    if ANY_VERSION.fullmatch(first) is None and not of_erasure:
        return Read("no_receipt", 2)
    if key is None:
        return Read("no_key", 2)
    try:
        verifier = NoteVerifier(key)
    except BadParameter:
        return Read("bad_key", 2)
    try:
        open_note(note, [verifier])
        if first not in {FIRST_LINE, certificate.FIRST_LINE}:
            return Read("unknown_version", 2)
        return _opened(note, verifier, of_erasure=of_erasure)
    except BadNote as error:
        return Read(error.reason, _REASONS[error.reason])


def _opened(note: bytes, verifier: NoteVerifier, *, of_erasure: bool) -> Read:
    if of_erasure:
        return Read("as_signed", 0, certificate=open_certificate(note, [verifier]))
    return Read("as_signed", 0, open_receipt(note, [verifier]))
