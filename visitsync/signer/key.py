"""The signing key in a file of its own, for a signer that is a process of its own.

One line, as golang.org/x/mod/sumdb/note writes the private key of a signed note:

    PRIVATE+KEY+<name>+<key id in hex>+<base64 of type and seed>

The id is that of the public key, so that a damaged line is told.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from visitsync.audit import NoteSigner, NoteVerifier
from visitsync.audit.canonical import from_base64, to_base64
from visitsync.errors import BadParameter, SignerError

_PREFIX: Final = ["PRIVATE", "KEY"]
_ED25519: Final = b"\x01"
_MODE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAX_BYTES: Final = 1024
SEED_BYTES: Final = 32


def new_seed() -> bytes:
    """A signing seed that there never was."""
    return secrets.token_bytes(SEED_BYTES)


def write(path: Path, name: str, seed: bytes) -> NoteSigner:
    """Write a key to `path`, where nothing or the same key stands, for its owner alone; durable.

    Raises:
        SignerError: another key stands there, or it cannot be written.
    """
    key = NoteSigner(name, seed)
    line = _line(key, seed)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    except FileExistsError:
        if read(path).vkey == key.vkey:
            return key
        raise SignerError("Another signing key stands there already", where=str(path)) from None
    except OSError as error:
        raise _cannot("written", error, path) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _cannot("written", error, path) from None
    return key


def read(path: Path) -> NoteSigner:
    """The key in `path`, which nobody but its owner may read or write.

    Raises:
        SignerError: it is missing, damaged, or somebody else's to read or write.
    """
    try:
        # Looked at after opening, so that what is checked is what is read.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            line = file.read(_MAX_BYTES)
    except OSError as error:
        raise _cannot("read", error, path) from None
    if found.st_mode & _OTHERS or found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
        raise SignerError(
            "The signing key is not its owner's alone; set its owner to the signer's user and its "
            "mode to 0600, and ask who has read it",
            where=str(path),
        )
    key = _of(line)
    if key is None:
        raise SignerError("The signing key is damaged; put its copy back", where=str(path))
    return key


def read_seed(path: Path) -> tuple[str, bytes]:
    """Name and seed of a key in `path`, for who signs otherwise than the log.

    Raises:
        SignerError: see `read`.
    """
    name = read(path).name
    material = from_base64(path.read_text(encoding="ascii").strip().split("+", 4)[4]) or b""
    return name, material[1:]


def _line(key: NoteSigner, seed: bytes) -> bytes:
    key_id = NoteVerifier(key.vkey).key_id.hex()
    return f"PRIVATE+KEY+{key.name}+{key_id}+{to_base64(_ED25519 + seed)}\n".encode()


def _of(line: bytes) -> NoteSigner | None:
    parts = line.decode("ascii", errors="replace").removesuffix("\n").split("+", 4)
    if len(parts) != len(_PREFIX) + 3 or parts[:2] != _PREFIX:
        return None
    material = from_base64(parts[4])
    if material is None or len(material) != 1 + SEED_BYTES:
        return None
    try:
        key = NoteSigner(parts[2], material[1:])
    except BadParameter:
        return None
    return key if _line(key, material[1:]) == line else None


def _cannot(done: str, error: OSError, path: Path) -> SignerError:
    reason = os.strerror(error.errno or 0).lower()
    return SignerError(
        f"The signing key cannot be {done} ({reason}); mend that, so that it signs",
        where=str(path),
    )
