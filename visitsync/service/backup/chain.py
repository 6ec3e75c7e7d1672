"""Which parts a backup has, each checked to the byte before a row of it is put back."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from visitsync.audit import Checkpoint, NoteVerifier, open_signed
from visitsync.errors import BackupError, BadNote
from visitsync.service.backup import parts
from visitsync.service.backup.manifest import ACT, Manifest, name_of, read
from visitsync.settings import Settings
from visitsync.store import schema


class Link(NamedTuple):
    """A full backup or a tail, as its manifest says."""

    manifest: Manifest
    checkpoint: Checkpoint


_RELEASE: Final = (
    "A part of the backup was made by another release; put it back with that one, then migrate"
)


def links(folder: Path, keys: Path, settings: Settings, verifier: NoteVerifier) -> list[Link]:
    """The full backup and its tails, whole and in order.

    Raises:
        BackupError: one is missing, partial, damaged, of another installation or release.
    """
    found: list[Link] = []
    before = ""
    while (one := read(folder, len(found), verifier)) is not None:
        manifest, hashed = one
        where = str(folder / name_of(manifest.number))
        try:
            checkpoint = open_signed(manifest.checkpoint, [verifier])
        except BadNote:
            raise BackupError(
                f"A part of the backup holds no signed checkpoint; {ACT}", where=where
            ) from None
        if manifest.tenant != settings.tenant:
            raise BackupError("A part of the backup is of another municipality", where=where)
        if manifest.revision != schema.release():
            raise BackupError(_RELEASE, where=where)
        if manifest.before != before or manifest.since != _end(found):
            raise BackupError(
                f"A part of the backup does not follow the part before it; {ACT}", where=where
            )
        parts.check(folder, manifest.data)
        parts.check(keys, manifest.keys)
        found.append(Link(manifest, checkpoint))
        before = hashed
    if not found:
        raise BackupError(
            f"The backup has no manifest: it was never finished, or is no backup; {ACT}",
            where=str(folder),
        )
    _refuse_gap(folder, len(found))
    return found


def _end(found: list[Link]) -> tuple[str, int] | None:
    if not found:
        return None
    return found[-1].checkpoint.origin, found[-1].checkpoint.size


def _refuse_gap(folder: Path, number: int) -> None:
    """A manifest beyond the last one means that one between was taken away."""
    for path in folder.glob("tail-*.manifest"):
        if path.name > name_of(number - 1) or number == 1:
            raise BackupError(
                f"A part of the backup stands there, and one before it is missing; {ACT}",
                where=str(path),
            )
