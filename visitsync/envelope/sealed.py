r"""A key file under a passphrase: the plain file's bytes, sealed under a key that argon2id derives.

    visitsync-sealed-keys v1
    argon2id m=65536 t=3 p=1 salt=<base64 of 16 bytes>
    <base64 of the sealed plain file>
    sha256 <hex of the SHA-256 of all lines above>

The checksum tells damage from a wrong passphrase. The parameters are bound to what is sealed, and
bounded before they are used, so that a file that was tampered with costs no more than a file may.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from visitsync.envelope import construction, keyfile
from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.form import Contents
from visitsync.envelope.plain import Plain
from visitsync.errors import KeyFileError, Tampered

_FIRST: Final = "visitsync-sealed-keys v1"
_ANY_VERSION: Final = re.compile(r"visitsync-sealed-keys v\d+")
_HEADER: Final = re.compile(
    r"argon2id m=([1-9][0-9]{0,6}) t=([1-9][0-9]?) p=([1-9]) salt=([A-Za-z0-9+/]{22}==)"
)
_LABEL: Final = b"visitsync/sealed-keys/1\0"
_LINES: Final = 5
_SALT_BYTES: Final = 16
LEAST_CHARACTERS: Final = 12
"""Of a new passphrase."""


class Cost(NamedTuple):
    """Of one guess at the passphrase."""

    memory: int
    """KiB."""
    passes: int
    lanes: int


USUAL: Final = Cost(65_536, 3, 1)
"""A quarter of a second: it is paid once per start, and by whoever guesses for each guess."""
_LEAST: Final = Cost(19_456, 1, 1)
_MOST: Final = Cost(1_048_576, 16, 8)


class Sealed(Plain):
    """The form of a key file under a passphrase.

    Args:
        passphrase: asked for once, when the file is first opened or made.
        cost: of a new file; one that is changed keeps its own.
    """

    def __init__(self, passphrase: Callable[[], bytes], *, cost: Cost = USUAL) -> None:
        self._passphrase = passphrase
        self._cost = cost
        self._derived: tuple[str, bytes] | None = None

    def encode(self, contents: Contents) -> bytes:
        """The file's bytes, under the passphrase under which it was opened, or a first one.

        Raises:
            KeyFileError: the passphrase of a new file is too short.
        """
        header, key = self._derived or self._begin()
        sealed = construction.encrypt(key, _LABEL + header.encode(), keyfile.encode(contents))
        body = f"{_FIRST}\n{header}\n{base64.b64encode(sealed).decode('ascii')}\n".encode()
        return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()

    def decode(self, data: bytes, *, where: str) -> Contents:
        """What `encode` made `data` of.

        Raises:
            KeyFileError: it is damaged, of another form or version, or the passphrase is wrong.
        """
        header, sealed = _parts(data, where)
        key = self._key(header, where)
        try:
            plain = construction.decrypt(key, _LABEL + header.encode(), sealed)
        except Tampered:
            raise KeyFileError(
                "the passphrase is not the one of this key file; give the right one. Only if it "
                "certainly is, somebody altered the file: put its copy back",
                where=where,
            ) from None
        self._derived = (header, key)
        return keyfile.decode(plain, where=where)

    def _begin(self) -> tuple[str, bytes]:
        passphrase = self._passphrase()
        if len(passphrase.decode(errors="replace")) < LEAST_CHARACTERS:
            raise KeyFileError(
                f"a passphrase of fewer than {LEAST_CHARACTERS} characters protects nothing; "
                "choose a longer one, best at random"
            )
        salt = base64.b64encode(secrets.token_bytes(_SALT_BYTES)).decode("ascii")
        cost = self._cost
        header = f"argon2id m={cost.memory} t={cost.passes} p={cost.lanes} salt={salt}"
        self._derived = (header, _derive(header, passphrase))
        return self._derived

    def _key(self, header: str, where: str) -> bytes:
        if self._derived is not None and self._derived[0] == header:
            return self._derived[1]
        _refuse_unbounded(header, where)
        return _derive(header, self._passphrase())

    def __repr__(self) -> str:
        return "<Sealed>"


def _parts(data: bytes, where: str) -> tuple[str, bytes]:
    """The header and what is sealed, of a file of which no byte is out of place."""
    lines = data.decode("ascii", errors="replace").split("\n")
    if lines[0] != _FIRST and _ANY_VERSION.fullmatch(lines[0]) is not None:
        raise KeyFileError(
            "the key file is of a version this release does not know; run the release that wrote "
            "it or a newer one",
            where=where,
        )
    if lines[0].startswith("visitsync-keys "):
        raise KeyFileError(
            "this key file is not sealed under a passphrase; seal it (visitsync keys seal), or set "
            "key_provider to file",
            where=where,
        )
    body = "".join(f"{line}\n" for line in lines[:3]).encode()
    good = len(lines) == _LINES and not lines[-1]
    if not good or lines[3] != f"sha256 {hashlib.sha256(body).hexdigest()}":
        raise _damaged(where)
    try:
        sealed = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise _damaged(where) from None
    if base64.b64encode(sealed).decode("ascii") != lines[2] or not _HEADER.fullmatch(lines[1]):
        raise _damaged(where)
    return lines[1], sealed


def _damaged(where: str) -> KeyFileError:
    return KeyFileError(
        "the key file is damaged (its checksum or form is wrong); put its copy back, do not make a "
        "new one: records sealed under the old keys would be lost",
        where=where,
    )


def _cost(header: str) -> tuple[Cost, bytes]:
    found = _HEADER.fullmatch(header)
    if found is None:
        raise ValueError("no header")
    memory, passes, lanes, salt = found.groups()
    return Cost(int(memory), int(passes), int(lanes)), base64.b64decode(salt)


def _refuse_unbounded(header: str, where: str) -> None:
    cost, _ = _cost(header)
    if not all(least <= one <= most for least, one, most in zip(_LEAST, cost, _MOST, strict=True)):
        raise KeyFileError(
            "the key file asks for more or less work than any that visitsync writes; somebody "
            "altered it: put its copy back",
            where=where,
        )


def _derive(header: str, passphrase: bytes) -> bytes:
    cost, salt = _cost(header)
    return Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory,
    ).derive(passphrase)
