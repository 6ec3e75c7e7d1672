"""How a client says that it heeds the flag of a protected household: by a header, each time."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service.lifts import ACKNOWLEDGES
from visitsync.web.route import Parameter

_ADDRESS: Final = "address"
FLAG: Final = "Protected"
"""The header of an answer that is a file: what JSON says by the member `protected`."""

HEADER: Final = Parameter(
    name=ACKNOWLEDGES,
    about="`address`: this client shows and hands on `protected` (住所の保護). Without it nothing "
    "that tells where a protected family is leaves, whoever asks.",
    schema={"type": "string", "enum": [_ADDRESS]},
)


def flag(*, protected: bool) -> dict[str, str]:
    """The headers that say whether a file is of a protected household."""
    return {FLAG: _ADDRESS} if protected else {}


def acknowledged(request: web.Request) -> bool:
    """Whether the client says so; anything else than exactly that is no."""
    return request.headers.getall(ACKNOWLEDGES, []) == [_ADDRESS]
