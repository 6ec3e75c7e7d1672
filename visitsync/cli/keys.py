"""``visitsync keys``: which keys there are, rotating them, and destroying a household's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from visitsync import settings
from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output, shredding
from visitsync.cli.terminal.running import run
from visitsync.cli.terminal.shredding import Step
from visitsync.errors import BadParameter
from visitsync.service import key_status, rotation
from visitsync.service.erasures import ErasureStanding
from visitsync.service.key_provider import provider_of, sealed
from visitsync.service.key_status import Status
from visitsync.service.rotation import Begun, Wrapped

_STATES: Final = {
    "newest": "the newest, in use",
    "in_use": "older, in use",
    "may_be_retired": "may be retired",
    "not_begun": "not begun: rotate again",
    "retired": "retired, still in the key file: retire again",
}


@click.group(
    short_help="Show, rotate and destroy keys.", epilog="Example: visitsync keys status --json"
)
def command() -> None:
    """The key hierarchy: master keys, data keys, index keys."""


@command.command(epilog="Example: visitsync keys status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def status(*, as_json: bool) -> None:
    """Show the master keys by epoch and how many data keys stand under each."""
    found = run(_status())
    if as_json:
        output.as_json(found)
        return
    click.echo(f"Provider: {found.provider} ({found.where})")
    rows = [
        (f"{one.epoch}", one.key_id, _STATES[one.state], f"{one.data_keys:,}")
        for one in found.masters
    ]
    columns = ("epoch", "id", "state", "data keys")
    output.stdout().print(output.table(columns, rows, title="Master keys", figures=1))
    click.echo(f"Index keys: epoch {', '.join(map(str, found.index_epochs))}")


@command.command(epilog="Example: visitsync keys rotate --master")
@click.option("--master", is_flag=True, help="Add a master key and wrap all data keys anew.")
@click.option("--only-file", is_flag=True, help="With --master: stop once it is in the key file.")
@click.option("--retire", type=click.IntRange(1), help="Take the master key of this epoch out.")
@click.option("--second", help="The name of another operator, who confirms --retire.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def rotate(
    *, master: bool, only_file: bool, retire: int | None, second: str | None, as_json: bool
) -> None:
    """Rotate keys while the service runs. What was cut short goes on when it is run again.

    Exit status: 0 if all was done, 1 if data keys were altered and could not be wrapped anew.
    """
    if master == (retire is not None) or (only_file and not master):
        raise click.UsageError(
            "Name either --master or --retire EPOCH; --only-file is for --master."
        )
    if only_file:
        epoch = run(_prepared())
        if as_json:
            output.as_json({"epoch": epoch})
        else:
            click.echo(
                f"The master key of epoch {epoch} is in the key file and in no use yet. Carry the "
                "file to where it is read, then run it again without --only-file."
            )
        return
    if retire is None:
        _rotate(as_json=as_json)
        return
    try:
        run(_retire(retire, second or ""))
    except BadParameter as error:
        hint = "--second" if error.where == "second" else "--retire"
        raise click.BadParameter(f"{error}.", param_hint=hint) from None
    if as_json:
        output.as_json({"retired": retire})
    else:
        click.echo(
            f"The master key of epoch {retire} is out of use. Keep the copies of the key file that "
            "hold it as long as backups from before the rotation, then destroy them."
        )


@command.command(epilog="Example: visitsync keys seal /var/lib/visitsync/master.sealed")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def seal(*, out: Path) -> None:
    """Write the keys to OUT, sealed under a passphrase, for the setting key_provider=sealed.

    The passphrase is read from where the setting key_unlock says; at a terminal it is asked for.
    """
    known = settings.load()
    provider_of(known).load().copy(out, sealed(known))
    click.echo(
        f"Wrote {out}. Set key_provider to sealed and key_file to it, run visitsync doctor, and "
        "only then destroy the file in clear and every copy of it."
    )


@command.command(epilog='Example: visitsync keys shred h… --reason "request of 3 June"')
@click.argument("household")
@click.option("--reason", help="Ask for the erasure, and why; kept sealed in the access log.")
@click.option("--ground", default="ordered", show_default=True, help="A code of the rules.")
@click.option("--approve", is_flag=True, help="Decide what somebody else asked for.")
@click.option("--withdraw", is_flag=True, help="Take it back, until it is executed.")
@click.option("--json", "as_json", is_flag=True, help="Print where it stands as JSON.")
def shred(  # noqa: PLR0913 -- the steps of one erasure
    *,
    household: str,
    reason: str | None,
    ground: str,
    approve: bool,
    withdraw: bool,
    as_json: bool,
) -> None:
    """Destroy the keys of HOUSEHOLD for ever: one asks, another approves, then it is announced.

    With none of --reason, --approve and --withdraw it only says how the keys stand. Approve with
    the token of a supervisor or protection officer in VISITSYNC_TOKEN, or as an operator of
    another name. `visitsync retention run` executes it once its day has come.
    """
    if (reason is not None) + approve + withdraw > 1:
        raise click.UsageError("Name one of --reason, --approve and --withdraw.")
    if reason is None and not (approve or withdraw):
        found = run(shredding.state(household))
        if as_json:
            output.as_json(found)
        else:
            click.echo(f"The keys are {found.state}, the log's key is {found.log}.")
        return
    what: Step = "approve" if approve else "withdraw" if withdraw else "ask"
    standing = run(shredding.step(household, what, ground, reason or ""))
    if as_json:
        output.as_json(standing)
    else:
        click.echo(_shredding(standing))


@command.command(epilog="Example: visitsync keys certificate e… > erased.txt")
@click.argument("erasure")
def certificate(*, erasure: str) -> None:
    """Print the signed certificate of an erasure that was executed."""
    click.echo(run(shredding.certificate(erasure)), nl=False)


def _shredding(found: ErasureStanding) -> str:
    if found.outcome is not None:
        return f"The erasure {found.id} is {found.outcome}."
    if found.due_at is None:
        return f"The erasure {found.id} is asked for. Somebody else must approve it."
    return f"The erasure {found.id} is announced; it is executed from {found.due_at:%Y-%m-%d} on."


def _rotate(*, as_json: bool) -> None:
    begun, wrapped = run(_rotated())
    if as_json:
        output.as_json(
            {
                "epoch": begun.epoch,
                "key_id": begun.key_id,
                "is_new": begun.is_new,
                "wrapped": wrapped.done,
                "unreadable": wrapped.unreadable,
            }
        )
    else:
        what = "is new" if begun.is_new else "was there already"
        click.echo(f"The master key of epoch {begun.epoch} ({begun.key_id}) {what}.")
        click.echo(f"{wrapped.done:,} data keys were wrapped anew.")
        if begun.is_new:
            click.echo("Give both custodians a copy of the key file now, before the next backup.")
    if wrapped.unreadable:
        click.echo(
            f"visitsync: {wrapped.unreadable:,} data keys were altered and stay as they are; the "
            "operator must put them back from a backup and run it again.",
            err=True,
        )
        raise click.exceptions.Exit(1)


async def _status() -> Status:
    async with at_hand.opened() as context:
        return await key_status.status(context)


async def _rotated() -> tuple[Begun, Wrapped]:
    async with at_hand.opened() as context:
        begun = await rotation.begin(context, at_hand.operator())
        with output.bar("wrapping data keys anew", begun.left, counted=True) as advance:
            return begun, await rotation.wrap_anew(context, advance=advance)


async def _prepared() -> int:
    async with at_hand.opened() as context:
        return await rotation.prepare(context, at_hand.operator())


async def _retire(epoch: int, second: str) -> None:
    async with at_hand.opened() as context:
        await rotation.retire(context, at_hand.operator(), epoch, second)
