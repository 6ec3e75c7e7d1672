"""``visitsync restore``: a backup into an empty installation."""

from __future__ import annotations

from pathlib import Path

import click

from visitsync import logs, settings
from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service.backup import restoring

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    short_help="Put a backup into an empty installation.",
    epilog="Example: visitsync restore /srv/backup/2026-09-30 --keys /srv/keys/2026-09-30",
)
@click.argument("backup", metavar="IN", type=_FOLDER)
@click.option("--keys", type=_FOLDER, help="Where its part with the data keys is, if elsewhere.")
@click.option("--tail", is_flag=True, help="Only add tails to what was put back before.")
@click.option("--json", "as_json", is_flag=True, help="Print what was put back as JSON.")
def command(*, backup: Path, keys: Path | None, tail: bool, as_json: bool) -> None:
    """Put the backup IN with all its tails into an empty database, or change nothing.

    The key file and the file of what was erased must be there, and the signer's memory, if this
    host still has it. Where the signer refuses what was put back, exit status 1: docs/runbook.md
    says how to go on.
    """
    logs.set_up()
    work = restoring.add_tails if tail else restoring.restore
    with output.bar("putting back and checking", 0, counted=True) as advance:
        found = run(work(settings.load(), at_hand.operator(), backup, keys, advance=advance))
    if as_json:
        output.as_json(found)
    else:
        click.echo(
            f"Put back {found.rows:,} rows as of {found.made_at}, with {found.tails:,} tails; the "
            f"log goes on after entry {found.size:,}."
        )
