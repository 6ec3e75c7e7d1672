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
from visitsync.errors import BadParameter, KeyFileError
from visitsync.schema.visit import JST
from visitsync.service import data_rotation, index_rotation, key_status, rotation
from visitsync.service.data_rotation import Rotated
from visitsync.service.erasures import ErasureStanding
from visitsync.service.index_rotation import Reindexed
from visitsync.service.key_provider import newly_sealed, provider_of
from visitsync.service.key_status import Status
from visitsync.service.rotation import Begun, Wrapped

_STATES: Final = {
    "newest": "the newest, in use",
    "in_use": "older, in use",
    "may_be_retired": "may be retired",
    "not_begun": "not begun: rotate again",
    "retired": "retired, still in the key file: retire again",
}
_INDEX_STATES: Final = {
    "newest": "the newest, in use",
    "in_use": "older, in use: rotate again",
    "may_be_retired": "older, going: rotate again",
    "not_begun": "not begun: rotate again",
    "retired": "retired, still in the key file: rotate again",
}
_MOST_BITS: Final = 64


@click.group(
    short_help="Show, rotate and destroy keys.", epilog="Example: visitsync keys status --json"
)
def command() -> None:
    """The key hierarchy: master keys, data keys, index keys."""


@command.command(epilog="Example: visitsync keys status --json")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def status(*, as_json: bool) -> None:
    """Show the master, data and index keys and how much stands under each."""
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
    kinds = [
        (
            one.kind,
            f"{one.version}",
            f"{one.data_keys:,}",
            "" if one.rows is None else f"{one.rows:,}",
        )
        for one in found.versions
    ]
    heads = ("kind", "version", "data keys", "rows")
    output.stdout().print(output.table(heads, kinds, title="Data keys", figures=2))
    indexes = [
        (
            f"{one.epoch}",
            one.key_id,
            _INDEX_STATES[one.state],
            "" if one.token_bits is None else f"{one.token_bits}",
            f"{one.terms:,}",
        )
        for one in found.indexes
    ]
    names = ("epoch", "id", "state", "bits", "terms")
    output.stdout().print(output.table(names, indexes, title="Index keys", figures=2))
    for key in found.under_way:
        click.echo(f"A rotation is not finished: run visitsync keys rotate --{key}.")


@command.command(epilog="Example: visitsync keys rotate --master")
@click.option("--master", is_flag=True, help="Add a master key and wrap all data keys anew.")
@click.option("--data", is_flag=True, help="Make data keys anew and seal all rows under them.")
@click.option("--household", help="With --data: the keys of this household alone.")
@click.option("--index", is_flag=True, help="Bring the blind index under a new key.")
@click.option(
    "--bits", type=click.IntRange(1, _MOST_BITS), help="With --index: bits of a token from now on."
)
@click.option(
    "--only-file", is_flag=True, help="With --master or --index: stop once it is in the key file."
)
@click.option("--retire", type=click.IntRange(1), help="Take the master key of this epoch out.")
@click.option("--second", help="The name of another operator, who confirms --retire.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def rotate(  # noqa: PLR0913 -- one for each option
    *,
    master: bool,
    data: bool,
    household: str | None,
    index: bool,
    bits: int | None,
    only_file: bool,
    retire: int | None,
    second: str | None,
    as_json: bool,
) -> None:
    """Rotate keys while the service runs. What was cut short goes on when it is run again.

    Exit status: 0 if all was done, 1 if something was altered and could not be brought under the
    new keys.
    """
    if (
        [master, data, index, retire is not None].count(True) != 1
        or (only_file and not (master or index))
        or (household is not None and not data)
        or (bits is not None and (only_file or not index))
    ):
        raise click.UsageError(
            "Name one of --master, --data, --index and --retire EPOCH; --only-file is for --master "
            "and --index, --household for --data, --bits for --index."
        )
    if only_file:
        _only_file("index" if index else "master", as_json=as_json)
    elif master:
        _rotate(as_json=as_json)
    elif data:
        _rotate_data(household, as_json=as_json)
    elif index:
        _rotate_index(bits, as_json=as_json)
    elif retire is not None:
        _take_out(retire, second, as_json=as_json)


def _only_file(key: str, *, as_json: bool) -> None:
    epoch = run(_prepared(index=key == "index"))
    if as_json:
        output.as_json({"epoch": epoch})
    else:
        click.echo(
            f"The {key} key of epoch {epoch} is in the key file and in no use yet. Carry the file "
            "to where it is read, then run it again without --only-file."
        )


def _take_out(retire: int, second: str | None, *, as_json: bool) -> None:
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

    The passphrase is read from where the setting key_unlock says; at a terminal it is asked for,
    twice.
    """
    known = settings.load()
    master = provider_of(known).load()
    if out.exists():
        raise KeyFileError("there is a file already; name another", where=str(out))
    master.copy(out, newly_sealed(known))
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
    day = found.due_at.astimezone(JST).date()
    return f"The erasure {found.id} is announced; it is executed from {day} on."


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


async def _prepared(*, index: bool) -> int:
    prepare = index_rotation.prepare if index else rotation.prepare
    async with at_hand.opened() as context:
        return await prepare(context, at_hand.operator())


def _rotate_data(household: str | None, *, as_json: bool) -> None:
    try:
        done = run(_data_rotated(household))
    except BadParameter as error:
        raise click.BadParameter(f"{error}.", param_hint="--household") from None
    if as_json:
        output.as_json(done)
    else:
        click.echo(
            f"{done.keys:,} data keys are new; {done.rows:,} rows were sealed anew; "
            f"{done.destroyed:,} old versions were destroyed."
        )
    _tell_unreadable(done.unreadable, "rows")


def _rotate_index(bits: int | None, *, as_json: bool) -> None:
    try:
        done = run(_index_rotated(bits))
    except BadParameter as error:
        raise click.BadParameter(f"{error}.", param_hint="--bits") from None
    if as_json:
        output.as_json(done)
    else:
        what = "is new" if done.is_new else "was there already"
        click.echo(f"The index key of epoch {done.epoch} ({done.key_id}) {what}.")
        click.echo(
            f"{done.registrations:,} registrations are found by it; {done.dropped:,} terms of "
            "older keys are gone."
        )
        if done.is_new:
            click.echo("Give both custodians a copy of the key file now, before the next backup.")
    _tell_unreadable(done.unreadable, "registrations")


def _tell_unreadable(count: int, what: str) -> None:
    if count:
        click.echo(
            f"visitsync: {count:,} {what} were altered and stay under their old key; the operator "
            "must put them back from a backup and run it again.",
            err=True,
        )
        raise click.exceptions.Exit(1)


async def _data_rotated(household: str | None) -> Rotated:
    async with at_hand.opened() as context:
        count = await data_rotation.waiting(context, household)
        with output.bar("rotating data keys", count, counted=True) as advance:
            return await data_rotation.rotate(
                context, at_hand.operator(), household, advance=advance
            )


async def _index_rotated(bits: int | None) -> Reindexed:
    async with at_hand.opened() as context:
        count = await index_rotation.waiting(context)
        with output.bar("rotating the index key", count, counted=True) as advance:
            return await index_rotation.rotate(context, at_hand.operator(), bits, advance=advance)


async def _retire(epoch: int, second: str) -> None:
    async with at_hand.opened() as context:
        await rotation.retire(context, at_hand.operator(), epoch, second)
