"""``visitsync retention``: what is kept too long, and erasing it by two people."""

from __future__ import annotations

from pathlib import Path

import click

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.deciders import second_person
from visitsync.cli.terminal.running import run as run_to_its_end
from visitsync.service import executing, holds, retention
from visitsync.service.executing import Done
from visitsync.service.holds import HoldDraft, HoldStanding
from visitsync.service.retention import Decided, Standing


@click.group(
    short_help="Show and erase what is kept too long.",
    epilog="Example: visitsync retention due --json",
)
def command() -> None:
    """Retention: what is due, two people who decide, a period of announcement, then erasure."""


@command.command(epilog="Example: visitsync retention due")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def due(*, as_json: bool) -> None:
    """List households whose retention period has ended."""
    found = run_to_its_end(_due())
    if as_json:
        output.as_json(found)
        return
    rows = [
        (
            one.household,
            one.since.isoformat(),
            "held" if one.held else "announced" if one.decided else "asked" if one.erasure else "",
        )
        for one in found.due
    ]
    output.stdout().print(output.table(("household", "due since", "state"), rows, title="Due"))
    click.echo(
        f"{found.later:,} households are not due yet; {found.unknown:,} are kept because a rule or "
        "a child's birth date is not known."
    )


@command.command(epilog="Example: visitsync retention announce")
@click.option("--json", "as_json", is_flag=True, help="Print the count as JSON.")
def announce(*, as_json: bool) -> None:
    """Ask for the erasure of all that are due; somebody else must confirm it."""
    count = run_to_its_end(_announce())
    if as_json:
        output.as_json({"asked": count})
    else:
        click.echo(f"{count:,} erasures were asked for; somebody else must confirm them.")


@command.command(epilog="Example: VISITSYNC_TOKEN=vst_… visitsync retention confirm")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def confirm(*, as_json: bool) -> None:
    """Decide what somebody else asked for; the period of announcement begins.

    As the supervisor or protection officer whose token stands in VISITSYNC_TOKEN; without one as
    an operator of another name than who asked. Exit status 1 if nothing could be decided but some
    waits.
    """
    found = run_to_its_end(_confirm())
    if as_json:
        output.as_json(found)
    else:
        click.echo(
            f"{found.announced:,} erasures are announced; {found.held:,} are held; {found.own:,} "
            "must be decided by somebody else, since you asked for them."
        )
    if found.own and not found.announced:
        raise click.exceptions.Exit(1)


@command.command(epilog="Example: visitsync retention run --certificates /var/lib/certificates")
@click.option(
    "--certificates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder for the certificates, one file for each erasure.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def run(*, certificates: Path | None, as_json: bool) -> None:
    """Erase all whose announced day has come, on whatever ground; to be run daily."""
    done = run_to_its_end(_run())
    for one in done:
        if certificates is not None and one.certificate is not None:
            (certificates / f"{one.id}.txt").write_text(one.certificate, encoding="utf-8")
    if as_json:
        output.as_json(done)
        return
    rows = [(one.id, one.household, one.outcome) for one in done]
    output.stdout().print(
        output.table(("erasure", "household", "outcome"), rows, title="Whose day has come")
    )


@command.command(epilog='Example: visitsync retention hold h… --reason "court file 12"')
@click.argument("household")
@click.option("--reason", required=True, help="Why; kept sealed in the access log.")
@click.option("--json", "as_json", is_flag=True, help="Print the hold as JSON.")
def hold(*, household: str, reason: str, as_json: bool) -> None:
    """Place a legal hold: while it stands nothing of HOUSEHOLD is erased."""
    _told(run_to_its_end(_hold(household, reason)), as_json=as_json)


@command.command(epilog="Example: visitsync retention release l…")
@click.argument("one", metavar="HOLD")
@click.option("--approve", is_flag=True, help="Agree to what somebody else asked.")
@click.option("--json", "as_json", is_flag=True, help="Print the hold as JSON.")
def release(*, one: str, approve: bool, as_json: bool) -> None:
    """Ask that HOLD be lifted; with --approve, as somebody else, lift it."""
    _told(run_to_its_end(_release(one, approve=approve)), as_json=as_json)


def _told(found: HoldStanding, *, as_json: bool) -> None:
    if as_json:
        output.as_json(found)
    elif found.lifted_at is not None:
        click.echo(f"The hold {found.id} is lifted.")
    elif found.lift_asked_by is not None:
        click.echo(f"The hold {found.id} stands until somebody else agrees that it be lifted.")
    else:
        click.echo(f"The hold {found.id} stands.")


async def _due() -> Standing:
    async with at_hand.opened() as context:
        return await retention.due(context, at_hand.operator())


async def _announce() -> int:
    async with at_hand.opened() as context:
        return await retention.announce(context, at_hand.operator())


async def _confirm() -> Decided:
    async with at_hand.opened() as context:
        return await retention.confirm(context, await second_person(context))


async def _run() -> list[Done]:
    async with at_hand.opened() as context:
        return await executing.run(context, at_hand.operator())


async def _hold(household: str, reason: str) -> HoldStanding:
    async with at_hand.opened() as context:
        return await holds.place(context, at_hand.operator(), household, HoldDraft(reason=reason))


async def _release(one: str, *, approve: bool) -> HoldStanding:
    async with at_hand.opened() as context:
        if approve:
            return await holds.lift(context, await second_person(context), one)
        return await holds.ask_to_lift(context, at_hand.operator(), one)
