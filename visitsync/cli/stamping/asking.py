"""Asking a time-stamping authority over HTTP (RFC 3161, section 3.4)."""

from __future__ import annotations

from typing import Final

import aiohttp
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from visitsync.audit.time_stamp import MAX_ANSWER_BYTES
from visitsync.errors import BadStamp, OperatorError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=60, sock_connect=10)
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"


async def ask(url: str, note: str) -> tuple[bytes, int]:
    """What the authority at `url` answers to a signed head, and the nonce it was sent.

    Only the head's digest leaves the host.

    Raises:
        OperatorError: it cannot be reached, or does not answer as an authority does.
        BadStamp: its answer is larger than any stamp.
    """
    made = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256)
    request = made.cert_request(cert_request=True).build()
    nonce = request.nonce
    if nonce is None:
        raise OperatorError("The request has no nonce; nothing was sent", where="tsa")
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(
                url,
                data=request.as_bytes(),
                headers={"Content-Type": _QUERY, "Accept": _REPLY},
                allow_redirects=False,
            ) as response,
        ):
            answer = await response.content.read(MAX_ANSWER_BYTES + 1)
            while len(answer) <= MAX_ANSWER_BYTES and not response.content.at_eof():
                answer += await response.content.read(MAX_ANSWER_BYTES + 1 - len(answer))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        raise OperatorError(
            "The time-stamping authority cannot be reached; check its address, then try again",
            where="tsa",
        ) from None
    if response.status != 200 or response.content_type != _REPLY:  # noqa: PLR2004 -- HTTP
        raise OperatorError(
            f"What answers there is no time-stamping authority (status {response.status})",
            where="tsa",
        )
    if len(answer) > MAX_ANSWER_BYTES:
        raise BadStamp("the answer is larger than any stamp", reason="malformed")
    return answer, nonce
