"""The files of a backup: pages of rows, one frame each, read back only as they were written.

A frame is its length in four bytes, then (table, columns, rows, keys of rows taken away) in
msgpack; the last one is empty. Nothing more than a frame is in memory.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec

from visitsync.errors import BackupError
from visitsync.schema.silent import silent
from visitsync.service.backup.manifest import ACT, Part, new_file

_LENGTH: Final = 4
_MOST: Final = 256 * 1024 * 1024
_ENCODER: Final = msgspec.msgpack.Encoder()


@silent
class Frame(NamedTuple):
    """Some rows of one table."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    gone: Sequence[Sequence[Any]]
    """Keys of rows that are no more."""


_DECODER: Final = msgspec.msgpack.Decoder(Frame)


class Writer:
    """One part as it is written; durable once it is closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._rows: Counter[str] = Counter()
        try:
            self._file: BinaryIO = new_file(path)
        except OSError:
            raise BackupError(
                "A part of the backup cannot be written; see to its folder", where=str(path)
            ) from None

    def page(self, table: str, rows: Sequence[Mapping[Any, Any]]) -> None:
        """Add rows of a table."""
        if rows:
            columns = tuple(map(str, rows[0]))
            self.frame(Frame(table, columns, [list(row.values()) for row in rows], ()))

    def frame(self, one: Frame) -> None:
        """Add a frame."""
        self._rows[one.table] += len(one.rows)
        self._write(_ENCODER.encode(one))

    def close(self) -> Part:
        """End it, and have it on the disk."""
        self._write(b"")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._cannot(error) from None
        finally:
            self._file.close()
        return Part(
            name=self._path.name,
            bytes=self._bytes,
            sha256=self._hash.hexdigest(),
            rows=dict(self._rows),
        )

    def abandon(self) -> None:
        """Leave it as it is; without a manifest it is nothing."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        for one in (len(data).to_bytes(_LENGTH, "big"), data):
            self._hash.update(one)
            self._bytes += len(one)
            try:
                self._file.write(one)
            except OSError as error:
                raise self._cannot(error) from None

    def _cannot(self, error: OSError) -> BackupError:
        reason = os.strerror(error.errno or 0).lower()
        return BackupError(
            f"A part of the backup cannot be written ({reason}); make room", where=str(self._path)
        )


def check(folder: Path, part: Part) -> None:
    """Check that a part is the one that its manifest names, to the byte.

    Raises:
        BackupError: otherwise.
    """
    path = folder / part.name
    summed = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while data := file.read(1024 * 1024):
                summed.update(data)
                size += len(data)
    except FileNotFoundError:
        raise BackupError(
            f"A part of the backup is missing; put it back, or {ACT}", where=str(path)
        ) from None
    except OSError:
        raise BackupError(
            "A part of the backup cannot be read; see to its rights", where=str(path)
        ) from None
    if (size, summed.hexdigest()) != (part.bytes, part.sha256):
        raise BackupError(f"A part of the backup is damaged or was cut off; {ACT}", where=str(path))


def frames(folder: Path, part: Part) -> Iterator[Frame]:
    """The frames of a part that was checked, which must hold as many rows as its manifest says.

    Raises:
        BackupError: it does not.
    """
    counted: Counter[str] = Counter()
    with (folder / part.name).open("rb") as file:
        while length := int.from_bytes(file.read(_LENGTH), "big"):
            data = file.read(length) if length <= _MOST else b""
            try:
                one = _DECODER.decode(data)
            except msgspec.DecodeError:
                raise BackupError(
                    f"A part of the backup is damaged; {ACT}", where=part.name
                ) from None
            counted[one.table] += len(one.rows)
            yield one
    if +counted != +Counter(part.rows):
        raise BackupError(
            f"A part of the backup holds other rows than its manifest says; {ACT}", where=part.name
        )
