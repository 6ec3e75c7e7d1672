"""The command line: ``visitsync …``. The only reader of the host's clock."""

from __future__ import annotations

import sys
import time

import click

from visitsync.cli import Commands
from visitsync.cli.terminal import crashing
from visitsync.errors import VisitsyncError


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="visitsync")
@click.pass_context
def visitsync(context: click.Context) -> None:
    """One household timeline from five home-visit programs, under consent rules."""
    context.obj = time.time


def main() -> None:
    """Run a command; an error that somebody must mend is one sentence on stderr and status 1.

    What is no such error is told by its class and its places, also on stderr.
    """
    crashing.leave_nothing()
    try:
        visitsync(prog_name="visitsync")
    except VisitsyncError as error:
        where = f" ({error.where})" if error.where else ""
        click.echo(f"visitsync: {error}{where}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
