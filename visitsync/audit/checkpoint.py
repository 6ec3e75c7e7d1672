"""Checkpoints (c2sp.org/tlog-checkpoint): what a log's signer puts its name to.

The text of a checkpoint is the log's origin, its size, and the root of its tree. Signed, it is a
note; whoever keeps an old one can tell whether the log was rewritten since.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.audit.note import NoteSigner, NoteVerifier, open_note, split_note
from visitsync.audit.proofs import verify_consistency
from visitsync.audit.tree import EMPTY_ROOT, HASH_BYTES
from visitsync.errors import BadNote
from visitsync.schema.silent import Struct

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


class Checkpoint(Struct, frozen=True):
    """The head of a log at one size."""

    origin: str
    """Which log: see `shards.origin`."""
    size: int
    root: bytes

    def text(self) -> str:
        """Three lines, as they are signed."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


def parse(text: str) -> Checkpoint:
    """The checkpoint that `Checkpoint.text` would write as `text`.

    Extension lines, which no log monitor can check, are refused; so is a root that an empty log
    cannot have.

    Raises:
        BadNote: if the text is no checkpoint.
    """
    lines = text.split("\n")
    root = from_base64(lines[2]) if len(lines) == _LINES + 1 else None
    if (
        root is None
        or len(root) != HASH_BYTES
        or not lines[0]
        or _SIZE.fullmatch(lines[1]) is None
        or lines[-1]
    ):
        raise BadNote("this is no checkpoint", reason="malformed")
    made = Checkpoint(lines[0], int(lines[1]), root)
    if made.size == 0 and root != EMPTY_ROOT:
        raise BadNote("an empty log has another root", reason="malformed", where=made.origin)
    return made


def sign(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """The checkpoint as a signed note."""
    return signer.sign(checkpoint.text())


def open_signed(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """The checkpoint in a note that one of `verifiers` signed.

    Raises:
        BadNote: see `open_note` and `parse`.
    """
    return parse(open_note(note, verifiers).text)


def peek(note: str | bytes) -> Checkpoint:
    """The checkpoint in a note whose signatures are not checked.

    Raises:
        BadNote: if it is malformed.
    """
    return parse(split_note(note)[0])


def check_extends(older: Checkpoint, newer: Checkpoint, proof: Sequence[bytes]) -> None:
    """Check that `newer` is the same log as `older`, with entries added at most.

    Raises:
        LogBroken: if it is another log or the proof does not show it.
    """
    if older.origin != newer.origin:
        raise BadNote("checkpoints of two different logs", reason="malformed", where=newer.origin)
    verify_consistency(older.size, older.root, newer.size, newer.root, proof)
