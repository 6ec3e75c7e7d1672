"""``visitsync demo``: the whole main job on the invented city."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from visitsync.cli.story import five_offices, one_household, the_log
from visitsync.cli.story.narrator import Narrator
from visitsync.cli.story.one_household import Family
from visitsync.cli.story.stage import Stage, stage
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run, spoken
from visitsync.schema.silent import silent
from visitsync.service import access_log
from visitsync.web.language import Language


@click.command(
    short_help="Show the whole main job once.",
    epilog="Example: visitsync demo --no-serve --lang ja",
)
@click.option("--no-serve", is_flag=True, help="End after the story, without the web pages.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this folder; by default a temporary one.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="By default a free one.")
@click.option("--lang", type=click.Choice(["ja", "en"]), help="By default the locale's.")
@click.pass_obj
def command(
    now: Callable[[], float],
    /,
    *,
    no_serve: bool,
    data_dir: Path | None,
    port: int,
    lang: str | None,
) -> None:
    """Show everything once: five offices push, one timeline comes out, under consent, logged.

    Runs the real service on a loopback port; nothing leaves this computer. On a terminal the web
    pages are served afterwards until Ctrl-C.
    """
    language: Language = spoken() if lang is None else "ja" if lang == "ja" else "en"
    narrator = Narrator(output.stdout(), language)
    serve = narrator.console.is_terminal and not no_serve
    with _folder(data_dir) as folder:
        run(_tell(narrator, Where(folder, port, now), serve=serve))


@silent
class Where(NamedTuple):
    """Where the story plays."""

    folder: Path
    port: int
    now: Callable[[], float]


async def _tell(narrator: Narrator, where: Where, *, serve: bool) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    narrator.chapter("title")
    async with stage(where.folder, where.port, where.now, narrator.language) as here:
        narrator.say("started", url=here.url, folder=where.folder)
        await five_offices.hand_in(here, narrator)
        kept = await access_log.checkpoint(here.context)
        family = await one_household.before(here, narrator)
        family = await one_household.consented(here, narrator, family)
        await one_household.in_other_eyes(here, narrator, family)
        await one_household.withdrawn(here, narrator, family)
        await the_log.checked(here, narrator, kept)
        narrator.console.print()
        narrator.say("done", seconds=clock() - began)
        if serve:
            await _serve(here, narrator, family)


async def _serve(here: Stage, narrator: Narrator, family: Family) -> None:
    narrator.chapter("serving")
    family = await one_household.again(here, family)
    worker = one_household.viewer_of(here)
    refs = ", ".join(f"{one.id}@{one.version}" for one in family.consents)
    url = here.url.replace("127.0.0.1", "localhost")
    narrator.say("serving_how", refs=refs, url=url, viewer=worker.name)
    narrator.console.print(f"  {worker.token}", style="bold", soft_wrap=True)
    narrator.say("serving_search", case=family.case_no)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="visitsync-demo-") as made:
        yield Path(made)
