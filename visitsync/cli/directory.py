"""``visitsync directory apply``: who is who."""

from __future__ import annotations

from pathlib import Path

import click

from visitsync.cli.installation import at_hand, city
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service import directory
from visitsync.service.directory import Difference, Wanted


@click.group(
    short_help="Who is who: agencies, offices, staff.",
    epilog="Example: visitsync directory apply directory.toml",
)
def command() -> None:
    """Agencies, offices with contracts, staff with caseloads, and layouts."""


@command.command(epilog="Example: visitsync directory apply --yes directory.toml")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON; needs --yes.")
@click.argument("file", metavar="FILE.toml", type=click.Path(exists=True, path_type=Path))
def apply(*, yes: bool, as_json: bool, file: Path) -> None:
    """Show how FILE differs from what is known, and make it so.

    Reads households.json and layouts/*.toml beside FILE where they are.
    """
    if as_json and not yes:
        raise click.UsageError("--json asks nothing, so it needs --yes.")
    wanted = city.read(file)
    difference = run(_plan(wanted))
    if as_json:
        output.as_json(difference)
    elif not difference.changes:
        click.echo("Nothing differs.")
    else:
        _tell(difference)
    if not difference.changes:
        return
    if not yes:
        click.confirm("Apply this?", abort=True, err=True)
    run(_apply(wanted))
    if not as_json:
        click.echo(f"Applied {len(difference.changes)} changes.")


async def _plan(wanted: Wanted) -> Difference:
    async with at_hand.opened() as context:
        return await directory.plan(context, wanted)


async def _apply(wanted: Wanted) -> Difference:
    async with at_hand.opened() as context:
        return await directory.apply(context, at_hand.operator(), wanted)


def _tell(difference: Difference) -> None:
    rows = [(one.what, one.kind, one.id, ", ".join(one.fields)) for one in difference.changes]
    output.stdout().print(output.table(("change", "of", "id", "members"), rows))
