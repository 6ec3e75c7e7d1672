"""``visitsync migrate``: the database's schema to this release's."""

from __future__ import annotations

import click

from visitsync import settings
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service import migration


@click.command(
    short_help="Bring the database up to date.", epilog="Example: visitsync migrate --check"
)
@click.option("--check", is_flag=True, help="Only say where the database stands; change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(*, check: bool, as_json: bool) -> None:
    """Bring the database to this release's schema, and make the key file of a new installation.

    With --check, exit status 1 if it is not there yet.
    """
    known = settings.load()
    state = run(migration.check(known) if check else migration.migrate(known))
    if as_json:
        output.as_json(state)
    else:
        at = state.revision or "nothing"
        click.echo(f"The database is {state.standing}: at {at}, this release's is {state.release}.")
    if state.standing != "current":
        if not as_json:
            click.echo("visitsync: the operator must run `visitsync migrate`.", err=True)
        raise click.exceptions.Exit(1)
