"""``visitsync doctor``: is everything as it must be?"""

from __future__ import annotations

from collections.abc import Callable

import click

from visitsync import settings
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.service import health
from visitsync.service.deep import check
from visitsync.service.deep.check import Found
from visitsync.service.deep.trouble import ACT


@click.command(
    short_help="Check that everything is as it must be.", epilog="Example: visitsync doctor --json"
)
@click.option("--deep", is_flag=True, help="Also read and open everything that is stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_obj
def command(now: Callable[[], float], /, *, deep: bool, as_json: bool) -> None:
    """Check settings, keys, database, clock and the log's head; say how to mend what is wrong.

    With --deep: every row against what the log says it was, and every sealed one opened. It reads
    as of one instant; the service may go on meanwhile.

    Exit status: 0 if all is fit, 1 if anything is not.
    """
    checks = run(health.checks(settings.load(), now=now(), thorough=True))
    found = _deep() if deep and all(one.fit for one in checks[:1]) else None
    if as_json:
        output.as_json(checks if found is None else {"checks": checks, "deep": found})
    else:
        rows = [("✓" if one.fit else "✗", one.name, one.code, one.message) for one in checks]
        output.stdout().print(output.table(("", "part", "code", "what to do"), rows))
        if found is not None:
            _tell(found)
    if not all(one.fit for one in checks) or (found is not None and found.troubles):
        raise click.exceptions.Exit(1)


def _deep() -> Found:
    known = settings.load()
    with output.bar("reading all rows", run(check.size(known)), counted=True) as advance:
        return run(check.look(known, advance))


def _tell(found: Found) -> None:
    click.echo(f"{found.rows:,} rows read, {found.troubles:,} not as they were written.")
    rows = [(one.where, one.code, one.why) for one in found.first]
    if rows:
        output.stdout().print(output.table(("where", "code", "why"), rows))
        click.echo(f"{ACT}.")
