"""``visitsync doctor``: is everything as it must be?"""

from __future__ import annotations

from collections.abc import Callable

import click

from visitsync import settings
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service import health


@click.command(
    short_help="Check that everything is as it must be.", epilog="Example: visitsync doctor --json"
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_obj
def command(now: Callable[[], float], /, *, as_json: bool) -> None:
    """Check settings, keys, database, clock and the log's head; say how to mend what is wrong.

    Exit status: 0 if all is fit, 1 if anything is not.
    """
    checks = run(health.checks(settings.load(), now=now(), thorough=True))
    if as_json:
        output.as_json(checks)
    else:
        rows = [("✓" if one.fit else "✗", one.name, one.code, one.message) for one in checks]
        output.stdout().print(output.table(("", "part", "code", "what to do"), rows))
    if not all(one.fit for one in checks):
        raise click.exceptions.Exit(1)
