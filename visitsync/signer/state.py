"""The signer's own memory: one small file, replaced as a whole and durable before a note leaves.

    visitsync-signer v1
    shard visitsync/shiomi/2026
    frontier <base64>
    note <number of lines>
    …                                     the signed checkpoint, as it is
    sha256 <of all lines above, in hex>

It must not be put back from a backup together with the database: it is what tells that the
database was.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from visitsync.audit import Checkpoint, Frontier, peek_checkpoint
from visitsync.errors import BadNote, LogBroken, SignerError
from visitsync.signer.extension import Signed

_FIRST: Final = "visitsync-signer v1"
_MODE: Final = 0o600
_MAX_BYTES: Final = 64 * 1024


class State:
    """The file, while nobody else changes it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Signed | None:
        """What was signed last; None where nothing ever was.

        Raises:
            SignerError: the file is damaged or cannot be read.
        """
        try:
            with self._path.open("rb") as file:
                data = file.read(_MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _cannot("read", error, self._path) from None
        found = _decoded(data)
        if found is None:
            raise SignerError(
                "What the log's signer remembers is damaged; do not remove it: follow the runbook",
                where=str(self._path),
            )
        return found

    def write(self, signed: Signed) -> None:
        """Remember `signed`, whole and durably, or raise and keep what was there.

        Raises:
            SignerError: it cannot be written.
        """
        replace_file(self._path, _encoded(signed))


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, whole and durably, or raise and keep what was there.

    Raises:
        SignerError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        try:
            os.fchmod(descriptor, _MODE)
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise _cannot("written", error, path) from None


@contextlib.contextmanager
def held(path: Path) -> Iterator[State]:
    """The state at `path`, for one process at a time.

    Raises:
        SignerError: the folder cannot be written to.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
    except OSError as error:
        raise _cannot("locked", error, path) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield State(path)
    finally:
        os.close(descriptor)


def _encoded(signed: Signed) -> bytes:
    frontier = base64.b64encode(signed.frontier).decode("ascii")
    lines = [_FIRST, f"shard {signed.shard}", f"frontier {frontier}"]
    lines += [f"note {signed.note.count(chr(10))}", signed.note]
    body = "\n".join(lines).encode()
    return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def _decoded(data: bytes) -> Signed | None:
    """What `_encoded` wrote as `data`; None if it differs in one byte or contradicts itself."""
    try:
        first, shard, frontier, _, *rest = data.decode().split("\n")
        made = Signed(
            shard=shard.removeprefix("shard "),
            frontier=base64.b64decode(frontier.removeprefix("frontier "), validate=True),
            note="".join(f"{line}\n" for line in rest[:-2]),
        )
        tree = Frontier.from_bytes(made.frontier)
        agrees = peek_checkpoint(made.note) == Checkpoint(made.shard, tree.size, tree.root())
    except (ValueError, binascii.Error, LogBroken, BadNote):
        return None
    return made if first == _FIRST and agrees and _encoded(made) == data else None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot(done: str, error: OSError, path: Path) -> SignerError:
    reason = os.strerror(error.errno or errno.EIO).lower()
    return SignerError(
        f"What the log's signer remembers cannot be {done} ({reason}); mend that, so that it "
        "signs again",
        where=str(path),
    )
