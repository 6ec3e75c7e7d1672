"""Reading a receipt from a file: what it says, or why nobody can rely on it."""

from __future__ import annotations

from typing import Final, NamedTuple

from visitsync.audit import NoteVerifier, Receipt, open_note, open_receipt
from visitsync.audit.receipt import ANY_VERSION, FIRST_LINE
from visitsync.errors import BadNote, BadParameter


class Read(NamedTuple):
    """What was found."""

    code: str
    """Of a sentence in ``receipts.toml``."""
    status: int
    """0 it is as it was signed, 1 it is not, 2 it cannot be decided."""
    receipt: Receipt | None = None


_REASONS: Final = {"wrong_signature": 1, "malformed": 1, "not_signed": 2, "ambiguous_key": 2}


def read(note: bytes, key: str | None) -> Read:
    """Whether `note` is a receipt that `key` signed."""
    first = note.partition(b"\n")[0].decode(errors="replace")
    if ANY_VERSION.fullmatch(first) is None:
        return Read("no_receipt", 2)
    if key is None:
        return Read("no_key", 2)
    try:
        verifier = NoteVerifier(key)
    except BadParameter:
        return Read("bad_key", 2)
    try:
        open_note(note, [verifier])
        if first != FIRST_LINE:
            return Read("unknown_version", 2)
        return Read("as_signed", 0, open_receipt(note, [verifier]))
    except BadNote as error:
        return Read(error.reason, _REASONS[error.reason])
