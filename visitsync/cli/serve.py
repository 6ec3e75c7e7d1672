"""``visitsync serve``: the service."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import click

from visitsync import logs, settings
from visitsync.cli.installation import first_start
from visitsync.cli.terminal.running import run
from visitsync.errors import SchemaMismatch
from visitsync.service import migration
from visitsync.service.context import open_context
from visitsync.service.reminding import keep_reminding
from visitsync.settings import Settings
from visitsync.web.serving import served


@click.command(
    short_help="Run the service.", epilog="Example: visitsync serve --host 127.0.0.1 --port 8080"
)
@click.option("--host", help="The interface to listen on; by default 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65_535), help="By default 8080.")
@click.pass_obj
def command(now: Callable[[], float], /, *, host: str | None, port: int | None) -> None:
    """Run the service until SIGTERM or Ctrl-C; what is under way then finishes.

    Embedded by default: the database, the key file and accounts to try it with are made in
    VISITSYNC_DATA_DIR. With PostgreSQL (VISITSYNC_DATABASE_URL) nothing is made: run `visitsync
    migrate` and `visitsync directory apply` first.
    """
    logs.set_up()
    run(_serve(settings.load(host=host, port=port), now))


async def _serve(known: Settings, now: Callable[[], float]) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if known.embedded is not None:
        await first_start.make(known)
    else:
        await _require_current(known)
    async with open_context(known) as context:
        if known.embedded is not None:
            made = await first_start.settle(context)
            if made is not None:
                _say(f"The invented city 汐見市 is loaded; tokens for its people stand in {made}")
        async with served(context, known.host, known.port, now) as url:
            _say(f"visitsync listens on {url}; data in {known.data_dir}")
            reminding = asyncio.create_task(keep_reminding(context), name="reminding")
            await stop.wait()
            reminding.cancel()
            await asyncio.wait([reminding])
            _say("Stopping; what is under way finishes.")


async def _require_current(known: Settings) -> None:
    state = await migration.check(known)
    if state.standing != "current":
        raise SchemaMismatch(
            f"The database is {state.standing}; the operator must run `visitsync migrate` first"
        )


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
