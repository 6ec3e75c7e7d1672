"""Handing files in over HTTP so that repeating it is safe.

The idempotency key is made of what is handed in, so the same files are one submission however often
they are sent: after a broken line, a restart of the service, or by somebody who was not sure.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
import msgspec

from visitsync.errors import OperatorError
from visitsync.schema.silent import silent

TRIES: Final = 4
PAUSE: Final = 0.5
"""Seconds before the second try; later ones wait longer."""
_CHUNK: Final = 64 * 1024
_AGAIN: Final = frozenset({429, 502, 503, 504})
_TYPES: Final = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@silent
class Answer(NamedTuple):
    """What the service answered: a report below 400, a problem document from there on."""

    status: int
    document: dict[str, Any]

    @property
    def refused(self) -> bool:
        """Whether it is a problem."""
        return self.status >= 400  # noqa: PLR2004 -- HTTP's errors start there


@silent
class Handed(NamedTuple):
    """What is handed in: names without folders, and bytes."""

    name: str
    content: bytes


class Terms(NamedTuple):
    """How it is handed in."""

    dry_run: bool = False
    all_or_nothing: bool = False
    canonical: bool = False
    """One NDJSON file of canonical reports, not a file of the office's own form."""


def key_of(office: str, files: Sequence[Handed], terms: Terms) -> str:
    """The idempotency key: a digest of who hands in what, how. Says nothing about it."""
    digest = hashlib.sha256(repr((office, terms)).encode())
    for file in files:
        for part in (file.name.encode(), file.content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where an office hands in.

    Attributes:
        session: of aiohttp.
        url: of the service, without the path of the interface.
        office: its id.
        token: of the office.
        language: of the texts in the answers.
    """

    session: aiohttp.ClientSession
    url: str
    office: str
    token: str
    language: str = "en"

    async def hand_in(
        self,
        files: Sequence[Handed],
        terms: Terms,
        sent: Callable[[int], None] = lambda _: None,
    ) -> Answer:
        """Hand `files` in as one submission; where the line breaks, again with the same key.

        Args:
            files: read together.
            terms: how.
            sent: told how many further bytes left.

        Raises:
            OperatorError: where the service cannot be reached.
        """
        body, headers = self._request(files, terms)
        query = {"dry_run": "true"} if terms.dry_run else {}
        if terms.all_or_nothing:
            query["mode"] = "all"
        office = quote(self.office, safe="")
        address = f"{self.url.rstrip('/')}/api/v1/offices/{office}/submissions"
        for attempt in range(1, TRIES + 1):
            try:
                async with self.session.post(
                    address, params=query, data=_chunks(body, sent), headers=headers
                ) as response:
                    answer = await response.read()
                if response.status not in _AGAIN or attempt == TRIES:
                    return _answer(response.status, answer)
                await asyncio.sleep(_patience(response.headers.get("Retry-After"), attempt))
            except (aiohttp.ClientError, TimeoutError, OSError):
                if attempt < TRIES:
                    await asyncio.sleep(PAUSE * attempt)
        raise OperatorError(
            "The service cannot be reached; check the address and that it runs", where=self.url
        )

    def _request(self, files: Sequence[Handed], terms: Terms) -> tuple[bytes, dict[str, str]]:
        body, content_type, extra = _body(files, terms)
        return body, {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Idempotency-Key": key_of(self.office, files, terms),
            "Accept-Language": self.language,
            **extra,
        }


def _body(files: Sequence[Handed], terms: Terms) -> tuple[bytes, str, dict[str, str]]:
    if len(files) == 1:
        (file,) = files
        suffix = PurePath(file.name).suffix.lower()
        media_type = _TYPES.get(suffix, "application/octet-stream")
        if terms.canonical:
            media_type = "application/x-ndjson"
        disposition = f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"
        return file.content, media_type, {"Content-Disposition": disposition}
    boundary = hashlib.sha256(b"".join(file.content for file in files)).hexdigest()
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; '
        f"filename*=UTF-8''{quote(file.name, safe='')}\r\n\r\n".encode()
        + file.content
        + b"\r\n"
        for file in files
    ]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}", {}


async def _chunks(body: bytes, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _CHUNK):
        chunk = body[start : start + _CHUNK]
        yield chunk
        sent(len(chunk))


def _patience(retry_after: str | None, attempt: int) -> float:
    seconds = int(retry_after) if retry_after is not None and retry_after.isdigit() else attempt
    return min(float(seconds), 30.0)


def _answer(status: int, body: bytes) -> Answer:
    try:
        return Answer(status, msgspec.json.decode(body, type=dict[str, Any]))
    except msgspec.DecodeError:
        raise OperatorError(
            f"Something other than visitsync answered (HTTP {status}); check the address"
        ) from None
