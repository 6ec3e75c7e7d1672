"""``visitsync backup``: a consistent copy of everything but the key file, while it is served."""

from __future__ import annotations

from pathlib import Path

import click

from visitsync import settings
from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service.backup import making, tailing
from visitsync.service.backup.manifest import Manifest
from visitsync.service.deep import check

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    short_help="Back everything up, or ship what came since.",
    epilog="Example: visitsync backup /srv/backup/2026-09-30 --keys /srv/keys/2026-09-30",
)
@click.argument("out", type=_FOLDER)
@click.option("--keys", type=_FOLDER, help="Put the part with the wrapped data keys there.")
@click.option("--tail", is_flag=True, help="Add to OUT what was written since it was made.")
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="With --tail: again and again, until it is ended.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def command(
    *, out: Path, keys: Path | None, tail: bool, every: float | None, as_json: bool
) -> None:
    """Write a backup into the new folder OUT, while the service goes on.

    The key file and the signer's memory are in neither part. Keep the part with the data keys for
    35 days and no longer: what was erased can be read from it until then.
    """
    if every is not None and not tail:
        raise click.UsageError("--every is for --tail.")

    def say(made: Manifest) -> None:
        if as_json:
            output.as_json(made)
        else:
            size = made.data.bytes + made.keys.bytes
            click.echo(f"Wrote {made.data.name} and {made.keys.name} ({size:,} bytes).")

    if not tail:
        say(run(_full(out, keys)))
    elif every is None:
        made = run(_ship(out, keys))
        if made is not None:
            say(made)
        elif not as_json:
            click.echo("Nothing was written since.")
    else:
        run(_keep_shipping(out, keys, every, say))


async def _full(out: Path, keys: Path | None) -> Manifest:
    known = settings.load()
    total = await check.size(known)
    async with at_hand.opened(known) as context:
        with output.bar("backing up", total, counted=True) as advance:
            return await making.full(context, at_hand.operator(), out, keys, advance=advance)


async def _ship(out: Path, keys: Path | None) -> Manifest | None:
    async with at_hand.opened() as context:
        await making.told(context, at_hand.operator(), "tail")
        return await tailing.ship(context, out, keys)


async def _keep_shipping(out: Path, keys: Path | None, every: float, say: tailing.Shipped) -> None:
    async with at_hand.opened() as context:
        await making.told(context, at_hand.operator(), "tail")
        await tailing.keep_shipping(context, out, keys, every, say)
