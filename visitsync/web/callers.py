"""Who calls: the token behind a request, asked of the service anew each time."""

from __future__ import annotations

import asyncio
import math
from typing import Final

from aiohttp import web

from visitsync.errors import NotAllowed, NotSignedIn, TooManyRequests
from visitsync.service import denials, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.web import route
from visitsync.web.headers import REQUEST_ID
from visitsync.web.limits import Limits
from visitsync.web.pages.sessions import COOKIE, Sessions
from visitsync.web.rate import Rate
from visitsync.web.route import Handler

CONTEXT: Final = web.AppKey("context", Context)
SESSIONS: Final = web.AppKey("sessions", Sessions)
CALLER: Final = web.RequestKey("caller", Caller)
_RATE: Final = web.AppKey("rate", Rate)
_FAILED: Final = web.AppKey("failed", Rate)
_LONGEST_TOKEN: Final = 512


def admit(app: web.Application, context: Context, limits: Limits) -> None:
    """Give `app` what `guard` needs."""
    app[CONTEXT] = context
    app[SESSIONS] = Sessions(limits)
    app[_RATE] = Rate(limits.requests_per_minute, limits.requests_per_minute // 10)
    app[_FAILED] = Rate(limits.failed_sign_ins_per_minute, limits.failed_sign_ins_per_minute)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through who may call the route as it is declared, and only with declared parameters."""
    declared = route.of(request)
    permission = declared.permission
    if permission.scope is None:
        declared.check_query(request.query.items())
        return await handler(request)
    token = _from_session(request) if permission.by_session else _from_header(request)
    caller = request[CALLER] = await authenticate(request, token)
    if wait := request.app[_RATE].wait(caller.token or caller.id, _now()):
        raise TooManyRequests("Asked too often", seconds=math.ceil(wait))
    try:
        if not permission.covers(caller.scopes):
            raise NotAllowed("The token's scope does not cover this")  # noqa: TRY301 -- logged below
        declared.check_query(request.query.items())
        return await handler(request)
    except NotAllowed:
        await denials.record(request.app[CONTEXT], caller, f"{declared.method} {declared.path}")
        raise


async def authenticate(request: web.Request, token: str) -> Caller:
    """Whose token this is; an address that guesses has to wait.

    A good token is let in whatever came before from its address: behind a proxy everybody has the
    same one, and there is nothing to guess in a token.

    Raises:
        NotSignedIn: the token does not hold.
        TooManyRequests: nor did too many before it from this address.
    """
    if not token.isascii() or not 0 < len(token) <= _LONGEST_TOKEN:
        raise NotSignedIn("No token")
    address = request.remote or ""
    try:
        return await tokens.authenticate(
            request.app[CONTEXT], token, request=request.get(REQUEST_ID, ""), address=address
        )
    except NotSignedIn:
        if wait := request.app[_FAILED].wait(address, _now()):
            raise TooManyRequests("Too many failed tries", seconds=math.ceil(wait)) from None
        raise


def _from_header(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("No token")
    return token.strip()


def _from_session(request: web.Request) -> str:
    token = request.app[SESSIONS].token(request.cookies.get(COOKIE), _now())
    if token is None:
        raise NotSignedIn("No session")
    return token


def _now() -> float:
    return asyncio.get_running_loop().time()
