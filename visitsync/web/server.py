"""The listening end: aiohttp's runner with our bounds, and answers of ours to what is no HTTP."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web
from aiohttp.web_server import Server

from visitsync.web import headers
from visitsync.web.limits import Limits
from visitsync.web.problems import Problem

_QUIET: Final = logging.getLogger("visitsync.web.http")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
"""aiohttp's own messages repeat what a client sent; ours stand in `edge`."""


class _Handler(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002 -- aiohttp's signature
        message: str | None = None,  # noqa: ARG002 -- it repeats what was sent
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError
        problem = Problem(status=status, code="bad_request", where="request line or headers")
        if status >= 500:  # noqa: PLR2004 -- ours
            problem = Problem(status=status, code="internal")
        response = problem.answer("en")
        response.headers.update(headers.ALWAYS)
        response.headers["Cache-Control"] = headers.NO_STORE
        response.force_close()
        return response


class _Server(Server):
    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application within `limits`; the caller adds a site and cleans up."""

    def __init__(self, app: web.Application, limits: Limits) -> None:
        super().__init__(
            app,
            access_log=None,
            logger=_QUIET,
            auto_decompress=False,
            keepalive_timeout=limits.keepalive_seconds,
            lingering_time=2.0,
            max_line_size=limits.header_bytes,
            max_field_size=limits.header_bytes,
            max_headers=limits.headers,
            shutdown_timeout=limits.stop_seconds,
        )

    async def _make_server(self) -> Server:
        plain = await super()._make_server()
        return _Server(
            plain.request_handler,
            request_factory=plain.request_factory,
            loop=plain._loop,  # noqa: SLF001 -- aiohttp offers no way to set the handler's class
            **plain._kwargs,  # noqa: SLF001
        )
