"""The outermost layer: each request gets a number, an answer and one line in the log."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

import structlog
from aiohttp import web

from visitsync import logs
from visitsync.errors import DatabaseUnavailable, VisitsyncError
from visitsync.service import leaving
from visitsync.web import body, problems
from visitsync.web import language as languages
from visitsync.web.headers import REQUEST_ID
from visitsync.web.pages import failed
from visitsync.web.route import Handler
from visitsync.web.server import LEAVES_BY

_LOG: Final = structlog.get_logger("visitsync.web")
_SERVER_ERRORS: Final = 500


@web.middleware
async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever is raised below, and log how the request went, without its content."""
    request_id = request[REQUEST_ID] = secrets.token_hex(8)
    clock = asyncio.get_running_loop().time
    began = clock()
    with structlog.contextvars.bound_contextvars(request=request_id):
        try:
            response = await _in_time(request, handler)
        except Exception as error:  # noqa: BLE001 -- the web edge: everything gets an answer
            response = _refuse(request, error, request_id)
        resource = request.match_info.route.resource
        _LOG.info(
            "request",
            method=request.method if resource is not None else "-",
            route=resource.canonical if resource is not None else "-",
            status=response.status,
            milliseconds=round((clock() - began) * 1000, 1),
        )
    return response


async def _in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        async with asyncio.timeout(request.app[body.LIMITS].request_seconds) as deadline:
            request[body.DEADLINE] = deadline
            response = await handler(request)
    except TimeoutError:
        raise DatabaseUnavailable("The request took too long") from None
    if (by := leaving.leaves_by()) is not None:
        if asyncio.get_running_loop().time() >= by:
            raise DatabaseUnavailable("The answer is no longer sure to hold; ask again")
        request[LEAVES_BY] = by
    return response


def _refuse(request: web.Request, error: Exception, request_id: str) -> web.StreamResponse:
    problem = problems.of(error, request_id)
    if problem.status >= _SERVER_ERRORS:
        _LOG.error(
            "failed",
            code=problem.code,
            error=type(error).__name__,
            where=error.where if isinstance(error, VisitsyncError) else None,
            frames=logs.frames(error.__traceback__),
        )
    language = languages.of(request)
    if _wants_page(request):
        if problem.status == web.HTTPUnauthorized.status_code:
            return web.Response(status=303, headers={"Location": "/sign-in"})
        return failed.page(problem, language)
    return problem.answer(language)


def _wants_page(request: web.Request) -> bool:
    outside = request.path.startswith("/api/") or request.path in {"/healthz", "/readyz"}
    return not outside and "text/html" in request.headers.get("Accept", "")
