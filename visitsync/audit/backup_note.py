"""What a backup says of itself, signed by the log's key; it can be neither a head nor a receipt.

visitsync/backup/1
{…}                                   one line, whatever it says
                                      (a checkpoint has three lines)
— visitsync/shiomi …
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from visitsync.audit.note import NoteSigner, NoteVerifier, open_note
from visitsync.errors import BadNote

FIRST_LINE: Final = "visitsync/backup/1"


def sign(told: str, signer: NoteSigner) -> str:
    """One line as a signed note.

    Raises:
        ValueError: it is no line.
    """
    if not told or "\n" in told:
        raise ValueError("what a backup says of itself is one line")
    return signer.sign(f"{FIRST_LINE}\n{told}\n")


def open_signed(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> str:
    """The line in a note that one of `verifiers` signed.

    Raises:
        BadNote: see `open_note`; or it is of something else.
    """
    first, _, told = open_note(note, verifiers).text.partition("\n")
    line, end, rest = told.partition("\n")
    if first != FIRST_LINE or not line or not end or rest:
        raise BadNote("this is not of a backup", reason="malformed")
    return line
