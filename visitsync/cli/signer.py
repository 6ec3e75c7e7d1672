"""``visitsync signer``: the log's signer as a process and a user of its own."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import click

from visitsync import logs, settings
from visitsync.audit import key_name
from visitsync.cli.terminal.running import run
from visitsync.service import signer_apart
from visitsync.signer import Signer, folder
from visitsync.signer.serving import serving

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(
    short_help="Sign the access log in a process of its own.",
    epilog="Example: visitsync signer take-over /var/lib/visitsync-signer",
)
def command() -> None:
    """The signer of the access log, as a process and a user of its own."""


@command.command(epilog="Example: visitsync signer new /var/lib/visitsync-signer --tenant 999016")
@click.argument("home", metavar="DIR", type=_FOLDER)
@click.option("--tenant", required=True, help="The municipality's code, as in the settings.")
def new(*, home: Path, tenant: str) -> None:
    """Make a signing key in DIR, for an installation that is not migrated yet."""
    made = folder.new(home, key_name(tenant))
    click.echo(made.vkey)
    click.echo("This is the log's public key; give it to the auditors.", err=True)


@command.command("take-over", epilog="Example: visitsync signer take-over /root/signer")
@click.argument("home", metavar="DIR", type=_FOLDER)
def take_over(*, home: Path) -> None:
    """Move the signing key and the signer's memory to DIR; stop every service first."""
    signer_apart.take_over(settings.load(), home)
    click.echo(
        f"The key and the memory stand in {home}. Give that folder to the signer's own user, start "
        "the signer, and set signer_socket for the service."
    )


@command.command(
    epilog="Example: visitsync signer serve /var/lib/visitsync-signer "
    "--socket /run/visitsync-signer/socket"
)
@click.argument("home", metavar="DIR", type=_FOLDER)
@click.option(
    "--socket",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Unix socket to answer at; who may open it may ask.",
)
def serve(*, home: Path, path: Path) -> None:
    """Sign for the service that asks, until SIGTERM or Ctrl-C; DIR holds key and memory."""
    logs.set_up()
    run(_serve(folder.signer(home), path))


async def _serve(signer: Signer, path: Path) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with serving(signer, path):
        click.echo(f"The log's signer answers at {path}.", err=True)
        await stop.wait()
