"""Reading a passphrase or PIN from where the settings say, once per process."""

from __future__ import annotations

import getpass
import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

from visitsync.errors import KeyFileError, SettingsError

_MOST_BYTES: Final = 4096


@cache
def read(source: str) -> bytes:
    """The passphrase; a descriptor or a person is asked once.

    Args:
        source: ``credential:NAME`` of systemd, ``fd:N``, or ``prompt``.

    Raises:
        SettingsError: the source is none of these.
        KeyFileError: nothing can be read there.
    """
    kind, _, name = source.partition(":")
    if kind == "credential" and name:
        return _whole(_bytes_of(credential(name)))
    if kind == "fd" and name.isascii() and name.isdigit():
        return _whole(_of_descriptor(int(name)))
    if source == "prompt":
        return _whole(_asked())
    raise SettingsError("must be credential:NAME, fd:N or prompt", where="key_unlock")


def chosen(source: str) -> bytes:
    """The passphrase of a key file that is to be written: a person types it twice.

    Raises:
        SettingsError, KeyFileError: as by `read`; or what was typed is not the same.
    """
    found = read(source)
    if source == "prompt" and getpass.getpass("The same once more: ").encode() != found:
        read.cache_clear()
        raise KeyFileError("the two passphrases are not the same; nothing was written")
    return found


def credential(name: str) -> Path:
    """Where systemd puts a credential of this service.

    Raises:
        SettingsError: the name is no plain file name.
        KeyFileError: systemd gave none.
    """
    if Path(name).name != name or name in {".", ".."}:
        raise SettingsError("A credential's name is a plain file name", where="key_credential")
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise KeyFileError(
            "systemd gave this process no credentials; add LoadCredentialEncrypted= to the unit, "
            "or run the command by systemd-run with it",
            where=name,
        )
    return Path(folder) / name


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError:
        raise KeyFileError(
            "the credential with the passphrase cannot be read; mend the unit", where=file.name
        ) from None


def _of_descriptor(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError:
        raise KeyFileError(
            "the passphrase cannot be read from its descriptor; whoever starts this must open it",
            where=f"fd:{descriptor}",
        ) from None


def _asked() -> bytes:
    if not sys.stdin.isatty():
        raise KeyFileError(
            "nobody can be asked for the passphrase here; set key_unlock to credential:NAME or fd:N"
        )
    return getpass.getpass("Passphrase of the key file: ").encode()


def _whole(read: bytes) -> bytes:
    found = read.removesuffix(b"\n").removesuffix(b"\r")
    if not found or len(found) > _MOST_BYTES or b"\0" in found:
        raise KeyFileError("there is no passphrase, or none that can be one")
    return found
