"""For operators and machines: whether the service runs, is ready, and what it offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
from aiohttp import web

from visitsync.service import health
from visitsync.web import openapi, route
from visitsync.web.answers import Standing
from visitsync.web.api.json_answer import answer
from visitsync.web.route import Operation, Route, open_to_all

Clock: TypeAlias = Callable[[], float]

NOW: Final[web.AppKey[Clock]] = web.AppKey("now")
"""The host's clock, in seconds since 1970; only for comparing it with the database's."""


READINESS: Final = web.AppKey("readiness", health.Readiness)


async def healthz(_: web.Request) -> web.Response:
    """The process runs."""
    return answer(Standing(status="alive"))


async def readyz(request: web.Request) -> web.Response:
    """The service can work: its database, keys and log are fit. Says what is not by name alone."""
    unfit = await request.app[READINESS].unfit(request.app[NOW]())
    if unfit is not None:
        return answer(Standing(status=f"unfit: {unfit}"), status=503)
    return answer(Standing(status="ready"))


async def document(request: web.Request) -> web.Response:
    """The OpenAPI document of this very service."""
    written = msgspec.json.encode(openapi.document(request.app[route.DECLARED].values()))
    return web.Response(body=written, content_type="application/json")


ROUTES: Final = (
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        permission=open_to_all("says only that the process runs"),
        operation=Operation(about="Whether the process runs.", answers={200: Standing}),
    ),
    Route(
        method="GET",
        path="/readyz",
        handler=readyz,
        permission=open_to_all("says only whether the service is fit"),
        operation=Operation(
            about="Whether the service is ready.", answers={200: Standing, 503: Standing}
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/openapi.json",
        handler=document,
        permission=open_to_all("the interface's description is public"),
        operation=Operation(about="This document.", answers={200: None}),
    ),
)
