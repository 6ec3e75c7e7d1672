"""A checkpoint that was kept: signed as it was received, or typed from paper."""

from __future__ import annotations

from collections.abc import Sequence

from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.note import NoteVerifier
from visitsync.audit.printed import is_typed, read_typed
from visitsync.audit.verdict import Finding
from visitsync.errors import LogBroken, NotTyped


def read_older(
    since: str, verifiers: Sequence[NoteVerifier]
) -> tuple[Checkpoint | None, tuple[Finding, ...]]:
    """The checkpoint, None if it is unusable; and what is to be said of it.

    Args:
        since: a signed note, or a head that was typed from paper.
        verifiers: the log's key, if it was given. A typed head has no signature to check.
    """
    try:
        if is_typed(since):
            return read_typed(since), (Finding("older_typed"),)
        return (open_signed(since, verifiers) if verifiers else peek(since)), ()
    except NotTyped as error:
        facts: dict[str, int | str] = {"word": error.at} if error.at else {}
        return None, (Finding("older_unusable", facts, wording=error.reason),)
    except LogBroken:
        return None, (Finding("older_unusable"),)
