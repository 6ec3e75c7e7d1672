r"""The sealed key file: lines of text, readable by the service's own user alone.

    visitsync-keys v2
    master 1 <base64 of 32 bytes>       one line per epoch, ascending
    index 1 <base64 of 32 bytes>        one line per epoch, ascending
    ids <base64 of 32 bytes>
    head <base64 of 32 bytes>
    signing <base64 of 32 bytes>
    sha256 <hex of the SHA-256 of all lines above>

A file of the first version has one line ``index`` without an epoch, from which ``ids`` and ``head``
are derived. It stays of that version, which older releases read, until its index key is rotated.

Lose it and every sealed record is lost; show it and none is safe. Keep a copy on paper or on a
medium in a safe, apart from the database's backups.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from visitsync.envelope.form import Contents
from visitsync.errors import KeyFileError

__all__ = ["Contents", "decode", "encode", "read", "replacement", "write_new"]

_FIRST: Final = "visitsync-keys v1"
_SECOND: Final = "visitsync-keys v2"
_ANY_VERSION: Final = re.compile(r"visitsync-keys v\d+")
_MASTER: Final = re.compile(r"master ([1-9][0-9]{0,8}) (\S+)")
_INDEX: Final = re.compile(r"index ([1-9][0-9]{0,8}) (\S+)")
_MAX_BYTES: Final = 64 * 1024
_KEY_BYTES: Final = 32
_MODE: Final = 0o600
_NOT_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def encode(contents: Contents) -> bytes:
    """The file's bytes; equal contents give equal bytes."""
    one = contents.one_secret
    lines = [_SECOND if one is None else _FIRST]
    lines += [f"master {epoch} {_base64(key)}" for epoch, key in sorted(contents.masters.items())]
    if one is not None:
        lines.append(f"index {_base64(one)}")
    else:
        lines += [
            f"index {epoch} {_base64(key)}" for epoch, key in sorted(contents.indexes.items())
        ]
        lines += [f"ids {_base64(contents.ids)}", f"head {_base64(contents.head)}"]
    lines.append(f"signing {_base64(contents.signing_seed)}")
    body = "".join(f"{line}\n" for line in lines).encode()
    return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def decode(data: bytes, *, where: str) -> Contents:
    """What `encode` would write as `data`, and nothing that differs from it in one byte.

    Raises:
        KeyFileError: if the version is unknown or the file damaged. Says nothing of its content.
    """
    text = data.decode("ascii", errors="replace")
    lines = text.split("\n")
    if lines[0] not in {_FIRST, _SECOND} and _ANY_VERSION.fullmatch(lines[0]) is not None:
        raise KeyFileError(
            "the key file is of a version this release does not know; run the release that wrote "
            "it or a newer one",
            where=where,
        )
    try:
        contents = _first(lines) if lines[0] == _FIRST else _second(lines)
    except ValueError:
        contents = None
    if contents is None or not (contents.masters and contents.indexes) or encode(contents) != data:
        raise KeyFileError(
            "the key file is damaged (its checksum or form is wrong); put its copy back, do not "
            "make a new one: records sealed under the old keys would be lost",
            where=where,
        )
    return contents


def _first(lines: list[str]) -> Contents:
    index, signing = lines[-4:-2]
    return Contents.of_one_secret(
        _by_epoch(_MASTER, lines),
        _key(index.removeprefix("index ")),
        _key(signing.removeprefix("signing ")),
    )


def _second(lines: list[str]) -> Contents:
    ids, head, signing = lines[-5:-2]
    return Contents(
        masters=_by_epoch(_MASTER, lines),
        indexes=_by_epoch(_INDEX, lines),
        ids=_key(ids.removeprefix("ids ")),
        head=_key(head.removeprefix("head ")),
        signing_seed=_key(signing.removeprefix("signing ")),
    )


def _by_epoch(form: re.Pattern[str], lines: list[str]) -> dict[int, bytes]:
    return {int(found[1]): _key(found[2]) for found in map(form.fullmatch, lines) if found}


class Decode(Protocol):
    """From a file's bytes to what it holds."""

    def __call__(self, data: bytes, *, where: str) -> Contents:
        """What the file holds."""


def read(path: Path, decode: Decode = decode, *, listed: bool = False) -> Contents:
    """The contents of a key file that nobody else can read or write.

    Args:
        path: where it stands.
        decode: of its form.
        listed: whether its rights may stand in an access control list, as a systemd credential's
            do; the group's rights then are the list's mask, and show nothing of the group.

    Raises:
        KeyFileError: see `MasterKeys.load`.
    """
    where = str(path)
    try:
        # Looked at after opening, so that what is checked is what is read.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileError(
            "there is no key file; put its copy back, or name another in the settings. Only an "
            "installation without data may make a new one",
            where=where,
        ) from None
    except OSError as error:
        raise KeyFileError(_cannot("opened", error), where=where) from None
    try:
        _refuse_unless_private(
            os.fstat(descriptor), where, _NOT_OTHERS & ~stat.S_IRGRP if listed else _NOT_OTHERS
        )
        data = b""
        while len(data) <= _MAX_BYTES and (more := os.read(descriptor, _MAX_BYTES)):
            data += more
    except OSError as error:
        raise KeyFileError(_cannot("read", error), where=where) from None
    finally:
        os.close(descriptor)
    if len(data) > _MAX_BYTES:
        raise KeyFileError("this is no key file: it is far too long", where=where)
    return decode(data, where=where)


def write_new(path: Path, contents: Contents, encode: Callable[[Contents], bytes] = encode) -> None:
    """Write a key file where none stands: whole and durable, or not at all.

    Raises:
        KeyFileError: if something stands there already, or it cannot be written.
    """
    # Written beside and then linked into place: a link never replaces what stands there, and
    # nobody ever reads half a file.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        try:
            _write(draft, encode(contents))
            os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_directory(path.parent)
    except FileExistsError:
        raise KeyFileError(
            "a key file stands here already and is never overwritten; load it, or move it away if "
            "you are sure that nothing is sealed under it",
            where=str(path),
        ) from None
    except OSError as error:
        raise KeyFileError(_cannot("written", error), where=str(path)) from None


@contextlib.contextmanager
def replacement(
    path: Path, encode: Callable[[Contents], bytes] = encode
) -> Iterator[Callable[[Contents], None]]:
    """Hold the right to replace a key file; the old one stays until the new one is durable.

    Whoever is killed meanwhile leaves the old file or the new one, and a draft that the next one
    writes over: the right to it ends with the process.

    Raises:
        KeyFileError: if somebody else holds it, or the file cannot be written.
    """
    draft = path.with_name(f".{path.name}.new")

    replaced = False

    def replace(contents: Contents) -> None:
        nonlocal replaced
        os.ftruncate(descriptor, 0)
        _keep_owner(path, descriptor)
        _fill(descriptor, encode(contents))
        draft.replace(path)
        replaced = True
        _sync_directory(path.parent)

    try:
        descriptor = _held_draft(draft)
    except OSError as error:
        raise KeyFileError(_cannot("replaced", error), where=str(path)) from None
    try:
        yield replace
    except OSError as error:
        raise KeyFileError(_cannot("replaced", error), where=str(path)) from None
    finally:
        os.close(descriptor)
        if not replaced:  # else the name is free, and may be somebody else's draft by now
            draft.unlink(missing_ok=True)


def _held_draft(draft: Path) -> int:
    """The draft, open and locked; it may have been left by somebody who was killed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(draft, flags, _MODE)
    try:
        _refuse_unless_private(os.fstat(descriptor), str(draft))
        ours = _is_ours(descriptor, draft)
    except BaseException:
        os.close(descriptor)
        raise
    if not ours:
        os.close(descriptor)
        raise KeyFileError(
            "another change of the key file is under way; wait until it is done and try again",
            where=str(draft),
        )
    return descriptor


def _is_ours(descriptor: int, draft: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it before may have made it the key file itself since it was opened.
        return os.path.samestat(os.fstat(descriptor), draft.lstat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _keep_owner(path: Path, descriptor: int) -> None:
    """Leave the file to whom it belongs, also where root replaces it."""
    old = path.stat()
    if os.geteuid() == 0:
        os.fchown(descriptor, old.st_uid, old.st_gid)


def _refuse_unless_private(status: os.stat_result, where: str, others: int = _NOT_OTHERS) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError("the key file is not a plain file", where=where)
    if status.st_uid not in {os.geteuid(), 0}:
        raise KeyFileError(
            "the key file belongs to another user; give it to the user visitsync runs as (chown)",
            where=where,
        )
    if status.st_mode & others:
        raise KeyFileError(
            "the key file can be read or changed by other users; take their rights away "
            "(chmod 600), and consider whether somebody has read it",
            where=where,
        )


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        _fill(descriptor, data)
    finally:
        os.close(descriptor)


def _fill(descriptor: int, data: bytes) -> None:
    os.fchmod(descriptor, _MODE)  # whatever the umask took away
    while data:
        data = data[os.write(descriptor, data) :]
    os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot(done: str, error: OSError) -> str:
    reason = os.strerror(error.errno or errno.EIO).lower()
    return f"the key file cannot be {done} ({reason}); mend that and start again"


def _base64(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != _KEY_BYTES:
        raise ValueError
    return key
