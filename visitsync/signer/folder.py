"""The folder of a signer that is a process of its own: its key, and what it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from visitsync.audit import NoteSigner
from visitsync.errors import SignerError
from visitsync.signer import key
from visitsync.signer.extension import Signed
from visitsync.signer.signing import Signer
from visitsync.signer.state import held

KEY: Final = "signing.key"
MEMORY: Final = "signed-head"


def new(folder: Path, name: str) -> NoteSigner:
    """Make a key for a log that does not begin before; `folder` must be there.

    Raises:
        SignerError: one is there already, or it cannot be written.
    """
    return key.write(folder / KEY, name, key.new_seed())


def signer(folder: Path) -> Signer:
    """The signer of `folder`.

    Raises:
        SignerError: its key cannot be read, or is not its owner's alone.
    """
    return Signer(folder / MEMORY, key.read(folder / KEY))


def vkey_of(name: str, seed: bytes) -> str:
    """The public key to a seed."""
    return NoteSigner(name, seed).vkey


def remembered(memory: Path) -> Signed | None:
    """What was signed last by whoever remembers it in `memory`.

    Raises:
        SignerError: it cannot be told.
    """
    with held(memory) as state:
        return state.read()


def take_over(folder: Path, name: str, seed: bytes, memory: Path) -> None:
    """Copy a signing key and what was signed with it into `folder`; may be done again.

    Raises:
        SignerError: another log's stand there, nothing was signed yet, or it cannot be written.
    """
    key.write(folder / KEY, name, seed)
    last = remembered(memory)
    if last is None:
        raise SignerError("Nothing was signed yet; run visitsync migrate first", where=str(memory))
    with held(folder / MEMORY) as state:
        there = state.read()
        if there not in {None, last}:
            raise SignerError("Another log was signed from there", where=str(folder))
        state.write(last)
