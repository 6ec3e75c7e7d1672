"""A signer as a process of its own: answers services over a Unix socket.

Whoever may open the socket may ask; the rights of its folder say who that is. Nothing that is asked
makes it sign what does not extend what it signed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog

from visitsync.errors import IntegrityError, SignerError, VisitsyncError
from visitsync.signer import wire
from visitsync.signer.signing import Signer
from visitsync.signer.wire import Answer, Answered, Question, Refused

_PATIENCE: Final = 10.0
"""Seconds in which a question must be there whole."""
_SOCKET_MODE: Final = 0o660
_LOG: Final = structlog.get_logger()


@asynccontextmanager
async def serving(signer: Signer, path: Path) -> AsyncIterator[None]:
    """Answer at `path` until the end.

    Raises:
        SignerError: nothing can be made there, or another signer answers there.
    """
    await _refuse_second(path)

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_PATIENCE):
                    body = await _question(reader)
                said = await asyncio.to_thread(_answer, signer, body)
                async with asyncio.timeout(_PATIENCE):
                    writer.write(wire.framed(said))
                    await writer.drain()
        finally:
            writer.close()  # whatever happens, nobody waits for an answer that does not come
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    try:
        server = await asyncio.start_unix_server(answered, path)
        await asyncio.to_thread(path.chmod, _SOCKET_MODE)
    except OSError as error:
        raise SignerError(
            f"The signer cannot listen there ({type(error).__name__})", where=str(path)
        ) from None
    async with server:
        yield
    await asyncio.to_thread(path.unlink, missing_ok=True)


async def _refuse_second(path: Path) -> None:
    """Two would not contradict each other, but who took the place of whom nobody could tell."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return
    writer.close()
    raise SignerError("Another signer answers there already; stop it first", where=str(path))


async def _question(reader: asyncio.StreamReader) -> bytes | None:
    length = int.from_bytes(await reader.readexactly(wire.LENGTH_BYTES), "big")
    return None if length > wire.MAX_BYTES else await reader.readexactly(length)


def _answer(signer: Signer, body: bytes | None) -> Answer:
    try:
        if body is None:
            raise SignerError("The signer was asked for too much at once", where="signer")
        return _asked(signer, wire.question(body))
    except VisitsyncError as error:
        never = isinstance(error, IntegrityError)
        _LOG.error("signer_refused" if never else "signer_failed", error=error.code)
        return Refused(never=never, message=str(error), where=error.where or "signer")


def _asked(signer: Signer, asked: Question) -> Answered:
    match asked:
        case wire.AskKey():
            return Answered(vkey=signer.vkey)
        case wire.AskSigned():
            return Answered(signed=signer.signed())
        case wire.AskExtension(extension=extension):
            return Answered(signed=signer.extend(extension))
        case wire.AskReceipt(receipt=told):
            return Answered(receipt=signer.receipt(told))
        case wire.AskCertificate(certificate=erased):
            return Answered(receipt=signer.certificate(erased))
        case wire.AskManifest(manifest=line):
            return Answered(receipt=signer.manifest(line))
