"""What a backup says of itself: a note that the log's key signed, durable after all its parts.

It is `Manifest` as JSON in one line; see `visitsync.audit.backup_note`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

import msgspec

from visitsync.audit import NoteVerifier, open_backup_note
from visitsync.errors import BackupError, BadNote
from visitsync.schema.silent import Struct

_MOST_BYTES: Final = 64 * 1024
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
MODE: Final = 0o600
ACT: Final = "take another backup; keep this one for the auditors"


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.-]{1,64}\Z")]
    bytes: int
    sha256: str
    rows: Mapping[str, int]
    """By table."""


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One backup, or one tail of it."""

    kind: Literal["full", "tail"]
    number: int
    """0 of the full one; of tails from 1."""
    tenant: str
    revision: str
    """Of the schema; the release that reads it must have the same."""
    made_at: str
    since: tuple[str, int] | None
    """Of a tail: shard and size of the log before it."""
    checkpoint: str
    """The log's head as of the same instant, signed."""
    before: str
    """SHA-256 in hex of the manifest before it; empty in the full one."""
    data: Part
    keys: Part


_DECODER: Final = msgspec.json.Decoder(Manifest)


def name_of(number: int, what: str = "manifest") -> str:
    """How a file of a backup is called."""
    return what if number == 0 else f"tail-{number:06d}.{what}"


def line(made: Manifest) -> str:
    """The manifest as it is signed."""
    return _ENCODER.encode(made).decode()


def read(folder: Path, number: int, verifier: NoteVerifier) -> tuple[Manifest, str] | None:
    """A manifest and its hash; None where there is none.

    Raises:
        BackupError: it is damaged, or not of this installation.
    """
    path = folder / name_of(number)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError:
        raise BackupError(
            "A part of the backup cannot be read; see to its rights", where=str(path)
        ) from None
    try:
        made = _DECODER.decode(open_backup_note(data, [verifier]))
    except (BadNote, ValueError):  # msgspec's errors are of this kind
        raise BackupError(
            "A part of the backup is damaged, or of another installation: look at the key file and "
            f"the setting `tenant`. If they are right, {ACT}",
            where=str(path),
        ) from None
    if made.number != number:
        raise BackupError(f"This is not the manifest that must stand there; {ACT}", where=str(path))
    return made, hashlib.sha256(data).hexdigest()


def keep(path: Path, data: bytes) -> None:
    """Write a new file, whole and durable or not at all.

    Raises:
        BackupError: it cannot be written, or is there already.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        with new_file(draft) as descriptor:
            descriptor.write(data)
            descriptor.flush()
            os.fsync(descriptor.fileno())
        os.link(draft, path)  # unlike a rename, this never replaces another one
        draft.unlink()
        sync(path.parent)
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        raise BackupError(
            f"A part of the backup cannot be written ({reason})", where=str(path)
        ) from None


def new_file(path: Path) -> BinaryIO:
    """A file for its owner alone, in place of one that was not finished."""
    return os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE), "wb"
    )


def sync(folder: Path) -> None:
    """Have the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
