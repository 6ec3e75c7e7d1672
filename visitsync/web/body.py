"""Reading a request's body: bounded in size, in time and in how many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from aiohttp import multipart, web

from visitsync.errors import BadMultipart, TooLarge, TooManyRequests, TooSlow, UnsupportedMediaType
from visitsync.schema.silent import silent
from visitsync.web.limits import Limits

LIMITS: Final = web.AppKey("limits", Limits)
_SLOTS: Final[web.AppKey[Counter[str]]] = web.AppKey("slots")
"""How many large bodies each caller has under way."""
DEADLINE: Final = web.RequestKey("deadline", asyncio.Timeout)
"""Of the work on a request; put off while its body is read, which has a time of its own."""

_NAME_LENGTH: Final = 200
_HEADER_END: Final = b"\r\n\r\n"


@silent
class NamedFile(NamedTuple):
    """One file as it was handed in."""

    name: str
    content: bytes
    media_type: str


def bound(app: web.Application, limits: Limits) -> None:
    """Give `app` its limits."""
    app[LIMITS] = limits
    app[_SLOTS] = Counter()


@asynccontextmanager
async def slot(request: web.Request, caller: str) -> AsyncIterator[None]:
    """One of the few places for large bodies, held until the work on it is done.

    Nobody gets more than half of them: a caller that sends slowly must not keep the others out.

    Raises:
        TooManyRequests: where all are taken, or all that `caller` may have.
    """
    slots, most = request.app[_SLOTS], request.app[LIMITS].bodies_at_once
    if slots.total() >= most or slots[caller] >= max(1, most // 2):
        raise TooManyRequests("Too many submissions at once", seconds=2)
    slots[caller] += 1
    try:
        yield
    finally:
        slots[caller] -= 1
        if not slots[caller]:
            del slots[caller]


async def read(request: web.Request, *, most: int) -> bytes:
    """The whole body.

    Args:
        request: whose body nobody has read yet.
        most: bytes.

    Raises:
        UnsupportedMediaType: it is compressed. Nothing is unpacked here, so nothing can burst.
        TooLarge: it has more than `most` bytes.
        TooSlow: it did not arrive in time, or not at all.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedMediaType(
            "Bodies are taken uncompressed", where="Content-Encoding", accepted=("*/*",)
        )
    limit = f"{most} bytes"
    if (request.content_length or 0) > most:
        raise TooLarge("The body is too large", where=limit)
    deadline = request.get(DEADLINE)
    if deadline is not None:
        deadline.reschedule(None)
    limits = request.app[LIMITS]
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            while chunk := await request.content.readany():
                size += len(chunk)
                if size > most:
                    raise TooLarge("The body is too large", where=limit)
                chunks.append(chunk)
    except (TimeoutError, ConnectionError):
        raise TooSlow("The body did not arrive in time, or its sender went away") from None
    if deadline is not None:
        deadline.reschedule(asyncio.get_running_loop().time() + limits.request_seconds)
    return b"".join(chunks)


def file_name(header: str | None, fallback: str) -> str:
    """The name in a ``Content-Disposition``, without folders and control characters.

    >>> file_name('attachment; filename="../../HS_2026-04.xlsx"', "file")
    'HS_2026-04.xlsx'
    """
    try:
        _, parameters = multipart.parse_content_disposition(header)
        name = multipart.content_disposition_filename(parameters)
    except ValueError:  # it names a charset that decodes nothing
        name = None
    return bare_name(name or "") or fallback


def bare_name(name: str) -> str:
    """A file's name without folders and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable()).strip()[-_NAME_LENGTH:]


def split_multipart(body: bytes, boundary: str, *, most: int) -> tuple[NamedFile, ...]:
    """The files of a ``multipart/form-data`` body (RFC 7578), in their order.

    Raises:
        BadMultipart: where a part has no file name, or the body does not end as it must.
        TooLarge: with more than `most` parts.
    """
    if not boundary or not boundary.isascii():
        raise BadMultipart("The boundary is missing", where="Content-Type")
    delimiter = b"\r\n--" + boundary.encode("ascii")
    # At most `most` + 2 pieces: what stands before the first part, the parts, and the end.
    pieces = (b"\r\n" + body).split(delimiter, most + 2)
    if len(pieces) > most + 2:
        raise TooLarge("Too many files at once", where=f"{most} files")
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):  # noqa: PLR2004 -- start, part, end
        raise BadMultipart("The body does not end with its boundary", where="body")
    return tuple(_part(piece, number) for number, piece in enumerate(pieces[1:-1], start=1))


def _part(piece: bytes, number: int) -> NamedFile:
    where = f"part {number}"
    padding, found, rest = piece.partition(b"\r\n")
    if not found or padding.strip(b" \t"):
        raise BadMultipart("The part does not begin on its own line", where=where)
    head, found, content = (b"\r\n" + rest).partition(_HEADER_END)
    if not found:
        raise BadMultipart("The part has no headers", where=where)
    try:
        headers = dict(_header_lines(head.decode("utf-8").split("\r\n")))
    except ValueError:
        raise BadMultipart("The part's headers cannot be read", where=where) from None
    name = file_name(headers.get("content-disposition"), "")
    if not name:
        raise BadMultipart("The part has no file name", where=where)
    return NamedFile(name, content, headers.get("content-type", "").partition(";")[0].strip())


def _header_lines(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        if line:
            name, value = line.split(":", 1)
            yield name.strip().lower(), value.strip()
