"""A signer that is another process, asked over its Unix socket."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Final

from visitsync.audit import Certificate, Receipt
from visitsync.errors import LogBroken, SignerError
from visitsync.signer import wire
from visitsync.signer.extension import Extension, Signed
from visitsync.signer.wire import Answered, Question

_PATIENCE: Final = 5.0
"""Seconds after which a signer that says nothing is away."""


class RemoteSigner:
    """Asks; each question is a connection of its own, and takes at most some seconds.

    Args:
        path: of the signer's socket.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._vkey = ""

    @property
    def vkey(self) -> str:
        """The public key, as the signer said when it was first asked.

        Raises:
            SignerError: the signer is away.
        """
        if not self._vkey:
            self._vkey = self._ask(wire.AskKey()).vkey
        return self._vkey

    def signed(self) -> Signed | None:
        """See `Signer.signed`."""
        return self._ask(wire.AskSigned()).signed

    def extend(self, asked: Extension) -> Signed | None:
        """See `Signer.extend`."""
        return self._ask(wire.AskExtension(asked)).signed

    def receipt(self, told: Receipt) -> str:
        """See `Signer.receipt`."""
        return self._ask(wire.AskReceipt(told)).receipt

    def certificate(self, told: Certificate) -> str:
        """See `Signer.certificate`."""
        return self._ask(wire.AskCertificate(told)).receipt

    def manifest(self, told: str) -> str:
        """See `Signer.manifest`."""
        return self._ask(wire.AskManifest(told)).receipt

    def _ask(self, asked: Question) -> Answered:
        """Ask the signer.

        Raises:
            SignerError: it is away, or cannot now.
            LogBroken: it refuses.
        """
        message = wire.framed(asked)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(_PATIENCE)
                line.connect(str(self._path))
                line.sendall(message)
                body = _received(line)
        except OSError as error:
            raise SignerError(
                f"The log's signer cannot be reached ({type(error).__name__}); start it, so that "
                "reading goes on",
                where=str(self._path),
            ) from None
        said = wire.answer(body)
        if isinstance(said, Answered):
            return said
        kind = LogBroken if said.never else SignerError
        raise kind(said.message, where=said.where)

    def __repr__(self) -> str:
        return f"<RemoteSigner {self._path}>"


def _received(line: socket.socket) -> bytes:
    length = int.from_bytes(_exactly(line, wire.LENGTH_BYTES), "big")
    if length > wire.MAX_BYTES:
        raise SignerError("The signer's answer cannot be read", where="signer")
    return _exactly(line, length)


def _exactly(line: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = line.recv(min(length - len(parts), 1 << 20))
        if not part:
            raise SignerError("The log's signer went away; it is asked again", where="signer")
        parts += part
    return bytes(parts)
