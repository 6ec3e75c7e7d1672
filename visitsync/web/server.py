"""The listening end: aiohttp's runner with our bounds, and answers of ours to what is no HTTP."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import struct
from typing import Final

import structlog
from aiohttp import web
from aiohttp.web_server import Server

from visitsync.web import headers
from visitsync.web.limits import Limits
from visitsync.web.problems import Problem

_QUIET: Final = logging.getLogger("visitsync.web.http")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
"""aiohttp's own messages repeat what a client sent; ours stand in `edge`."""
_LOG: Final = structlog.get_logger("visitsync.web")
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""Linger for no time: closing throws away what was not sent (socket(7), SO_LINGER)."""


LEAVES_BY: Final = web.RequestKey("leaves_by", float)
"""By the event loop's clock, when the answer must have left; absent: at any time."""


class _Handler(web.RequestHandler):
    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        by = request.get(LEAVES_BY)
        if by is None:
            return await super().finish_response(request, resp, start_time)
        transport = request.transport
        if transport is None or self._loop.time() >= by:
            self._cut(transport)
            return resp, True
        cut = self._loop.call_at(by, self._cut_if_waiting, transport)
        answered = await super().finish_response(request, resp, start_time)
        # What the client does not fetch waits in the transport, also when all was handed to it.
        if not transport.get_write_buffer_size():
            cut.cancel()
        return answered

    def _cut_if_waiting(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size():
            self._cut(transport)

    @staticmethod
    def _cut(transport: asyncio.Transport | None) -> None:
        """End a connection so that nothing more leaves, not even what the kernel holds."""
        if transport is not None:
            _LOG.warning("answer_cut")
            listening = transport.get_extra_info("socket")
            if listening is not None:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            transport.abort()

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


class _Request(web.Request):
    def __repr__(self) -> str:
        return "<Request>"  # aiohttp's tells the path, in which anybody may write anything


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
            request_factory=functools.partial(self.app._make_request, _cls=_Request),  # noqa: SLF001
            loop=plain._loop,  # noqa: SLF001 -- aiohttp offers no way to set the handler's class
            **plain._kwargs,  # noqa: SLF001
        )
