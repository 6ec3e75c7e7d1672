"""What was erased, kept outside the database: a file that only grows, durable line by line.

    visitsync-tombstones v1
    records h… e… 1764032400000000 <sha256>
    log h… e… 1984871200000000 <sha256>

Each line names what of which household was erased, by which erasure and when (in microseconds since
1970), and ends with the SHA-256 of the one before it and of itself, so that none can be changed or
taken out of the middle. It is never put back from a backup: a database that is, holds the wrapped
keys of households erased since, and loses them again by this file before anything is served.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from visitsync.errors import TombstonesError
from visitsync.schema.silent import silent

What: TypeAlias = Literal["records", "log"]
"""All keys but the log's, or that one."""

_FIRST: Final = b"visitsync-tombstones v1\n"
_MODE: Final = 0o600
_LINE: Final = re.compile(
    rb"((?P<what>records|log) (?P<household>h[a-z2-7]{26}) (?P<erasure>e[a-z2-7]{26})"
    rb" (?P<at>0|[1-9][0-9]{0,17})) (?P<sum>[0-9a-f]{64})\n"
)


@silent
class Tombstone(NamedTuple):
    """Something of a household that there is no more, and never will be again."""

    what: What
    household: str
    erasure: str
    at: int

    @property
    def about(self) -> tuple[str, str]:
        """Of what it is the only one."""
        return self.what, self.household


class Tombstones:
    """The file; several processes of one host may read and lengthen it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> None:
        """Make it where it is not there yet: for a new installation, and for nothing else.

        Raises:
            TombstonesError: it cannot be made.
        """
        with self._open(os.O_RDWR | os.O_CREAT):
            _sync(self._path)

    def read(self) -> tuple[Tombstone, ...]:
        """All of them, in the order in which they were added.

        A last line that was cut short was never relied on, and is passed over.

        Raises:
            TombstonesError: the file is missing or damaged.
        """
        with self._open(os.O_RDONLY) as descriptor:
            return self._decoded(descriptor).found

    def add(self, made: Sequence[Tombstone]) -> None:
        """Add those that are not there yet, durably; what stands there stays as it is.

        Raises:
            TombstonesError: the file is missing or damaged, or cannot be written.
        """
        with self._open(os.O_RDWR) as descriptor:
            known = self._decoded(descriptor)
            there = {one.about for one in known.found}
            data, last = b"" if known.whole else _FIRST, known.last
            for one in made:
                if one.about not in there:
                    there.add(one.about)
                    line, last = _encoded(one, last)
                    data += line
            if not data:
                return
            os.ftruncate(descriptor, known.whole)
            os.lseek(descriptor, known.whole, os.SEEK_SET)
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)

    @contextlib.contextmanager
    def _open(self, flags: int) -> Iterator[int]:
        try:
            descriptor = os.open(self._path, flags | os.O_CLOEXEC, _MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH if flags == os.O_RDONLY else fcntl.LOCK_EX)
                yield descriptor
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            raise TombstonesError(
                "The file of what was erased is missing; put it back from where it was moved, or "
                "follow the runbook. It is in no backup",
                where=str(self._path),
            ) from None
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO).lower()
            raise TombstonesError(
                f"The file of what was erased cannot be used ({reason}); mend that",
                where=str(self._path),
            ) from None

    def _decoded(self, descriptor: int) -> _Known:
        data = b""
        while part := os.read(descriptor, 1 << 20):
            data += part
        whole = data.rfind(b"\n") + 1
        if whole == 0 and _FIRST.startswith(data):
            return _Known((), _sum(_FIRST), 0)
        found: list[Tombstone] = []
        last, at = _sum(_FIRST), len(_FIRST)
        while at < whole:
            line = _LINE.match(data, at)
            if line is None or line["sum"] != _sum(last + line[1]):
                break
            what: What = "records" if line["what"] == b"records" else "log"
            household, erasure = line["household"].decode(), line["erasure"].decode()
            found.append(Tombstone(what, household, erasure, int(line["at"])))
            last, at = line["sum"], line.end()
        if not data.startswith(_FIRST) or at != whole:
            raise TombstonesError(
                "The file of what was erased is damaged; do not remove it: follow the runbook",
                where=str(self._path),
            )
        return _Known(tuple(found), last, whole)


@silent
class _Known(NamedTuple):
    found: tuple[Tombstone, ...]
    last: bytes
    """The sum of the last line."""
    whole: int
    """Bytes of whole lines."""


def _encoded(one: Tombstone, last: bytes) -> tuple[bytes, bytes]:
    """A line, and its sum."""
    said = f"{one.what} {one.household} {one.erasure} {one.at}".encode()
    made = _sum(last + said)
    return said + b" " + made + b"\n", made


def _sum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _sync(path: Path) -> None:
    """Make it durable that the file is there."""
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
