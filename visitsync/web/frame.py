"""What every application of ours has around its routes: the edge, the headers, the limits."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Middleware

from visitsync.web import body, edge, headers
from visitsync.web.limits import Limits
from visitsync.web.route import Route, declare


def framed(
    routes: Iterable[Route], limits: Limits, inner: Iterable[Middleware] = ()
) -> web.Application:
    """An application with `routes`, bounded by `limits`.

    Args:
        routes: each with its permission.
        limits: of size, time and number.
        inner: middleware between the edge and the handlers.
    """
    app = web.Application(
        middlewares=[edge.answer, *inner], client_max_size=limits.small_body_bytes
    )
    body.bound(app, limits)
    app.on_response_prepare.append(headers.add)
    declare(app, routes)
    return app
