"""The process that is measured: the service, or one of its two floors on this machine.

    python bench/server.py service    visitsync as `serve` runs it, without a limit on how often
    python bench/server.py unchecked  the same, but looks are logged under whatever epochs
    python bench/server.py telling    the same, but it reads visits that stay hidden from who asks
    python bench/server.py unreasoned the same, but nothing says by what anything is shown
    python bench/server.py hello      aiohttp answering two words
    python bench/server.py rows       the same rows read, neither opened, decided nor logged

Prints the port it listens on. Settings come from the environment, as for `visitsync serve`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import uvloop
from aiohttp import web

from visitsync import logs, settings
from visitsync.consent import deciding, weighing
from visitsync.consent.decision import Limit, Permit
from visitsync.consent.weighing import Weighed
from visitsync.service import gathering
from visitsync.service.context import open_context, open_database
from visitsync.service.entries import Draft
from visitsync.service.logbook import Logbook
from visitsync.store import visits
from visitsync.web.limits import Limits
from visitsync.web.serving import served


@asynccontextmanager
async def _service() -> AsyncIterator[int]:
    async with (
        open_context(settings.load()) as context,
        served(context, "127.0.0.1", 0, time.time, Limits(requests_per_minute=100_000_000)) as url,
    ):
        yield int(url.rsplit(":", 1)[1])


@asynccontextmanager
async def _unchecked() -> AsyncIterator[int]:
    """The service as it must not be: it logs without looking at the epochs again."""
    look = Logbook.look

    async def unlooked(
        log: Logbook, draft: Draft, _: Mapping[str, int], rows: Sequence[Draft] = ()
    ) -> bool:
        return await look(log, draft, {}, rows)

    setattr(Logbook, "look", unlooked)  # noqa: B010 -- the one thing that makes it a control
    async with _service() as port:
        yield port


@asynccontextmanager
async def _telling() -> AsyncIterator[int]:
    """The service as it must not be: it reads a household's visits whoever asks."""

    def everything(gathered: gathering.Gathered) -> visits.Within:
        return visits.Within(whole=gathered.households)

    setattr(gathering, "_within", everything)  # noqa: B010 -- the one thing that makes it a control
    async with _service() as port:
        yield port


@asynccontextmanager
async def _unreasoned() -> AsyncIterator[int]:
    """The service as it must not be: reasons are neither collected, logged nor answered."""

    def bare(
        permits: Sequence[Permit],
        refusals: Sequence[Limit],
        limits: Sequence[Limit],
        *,
        prerequisite: str | None = None,
    ) -> Weighed:
        given, _ = weighing._cancel(permits, refusals)  # noqa: SLF001 -- the same work but reasons
        limited = frozenset[str]().union(*(limit.categories for limit in limits))
        visible = frozenset(given) - limited
        if prerequisite not in visible:
            visible = frozenset()
        return Weighed(
            visible=visible,
            withheld_fields=frozenset(),  # there is no shield in what is measured
            reasons=frozenset(),
            shielded=False,
        )

    setattr(deciding, "weigh", bare)  # noqa: B010 -- the one thing that makes it a control
    async with _service() as port:
        yield port


@asynccontextmanager
async def _plain(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _hello() -> AsyncIterator[int]:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello world")

    app = web.Application()
    app.router.add_get("/{any:.*}", hello)
    async with _plain(app) as port:
        yield port


@asynccontextmanager
async def _rows() -> AsyncIterator[int]:
    database = open_database(settings.load())

    async def rows(request: web.Request) -> web.Response:
        async with database.reading() as connection:
            found = await visits.of_households(connection, [request.match_info["household"]])
        return web.Response(body=b"".join(one.sealed for one in found))

    app = web.Application()
    app.router.add_get("/api/v1/households/{household}/timeline", rows)
    try:
        async with _plain(app) as port:
            yield port
    finally:
        await database.close()


_KINDS = {
    "service": _service,
    "unchecked": _unchecked,
    "telling": _telling,
    "unreasoned": _unreasoned,
    "hello": _hello,
    "rows": _rows,
}


async def _run(kind: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with _KINDS[kind]() as port:
        print(port, flush=True)
        await stop.wait()


if __name__ == "__main__":
    logs.set_up()
    uvloop.run(_run(sys.argv[1]))
