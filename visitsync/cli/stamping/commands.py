"""``visitsync audit timestamp`` and ``visitsync audit verify-timestamp``."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import click

from visitsync.audit import Verdict
from visitsync.cli.installation import at_hand
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import BadStamp, OperatorError, SettingsError, VisitsyncError
from visitsync.service import access_log

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="Example: visitsync audit timestamp --tsa https://tsa.example.jp --ca root.pem head.tst"
)
@click.option("--tsa", "url", required=True, help="The authority's address.")
@click.option("--ca", type=_FILE, help="Its root certificate (PEM), to check the answer at once.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def timestamp(*, url: str, ca: Path | None, out: Path) -> None:
    """Have an authority stamp the log's newest signed head with the time, and write both to OUT.

    Only a digest is sent. Exit status: 0 written, 1 the answer is not a stamp of this head that
    can be trusted, 2 the authority could not be asked. Without --ca nobody checks who answered.
    """
    try:
        made = run(_stamped(url, ca))
        out.write_bytes(made)
    except BadStamp as error:
        raise _ended(error, 1) from None
    except OperatorError as error:
        raise _ended(error, 2) from None
    except OSError:
        raise click.UsageError(
            f"{out} cannot be written; name a file that you may write."
        ) from None
    click.echo(f"Wrote {out} ({len(made):,} bytes).")
    if ca is None:
        click.echo("Who answered was not checked; give its root certificate with --ca.", err=True)


@click.command(
    epilog="Example: visitsync audit verify-timestamp head.tst --ca root.pem --key key.pub"
)
@click.argument("file", type=_FILE)
@click.option("--ca", required=True, type=_FILE, help="The authority's root certificate (PEM).")
@click.option("--key", help="The log's public key, or a file that holds it.")
def verify_timestamp(*, file: Path, ca: Path, key: str | None) -> None:
    """Check the stamp in FILE; needs no network, no database and no server.

    Exit status: 0 the head existed at the time that is told, 1 something was changed, 2 it cannot
    be decided.
    """
    if key is not None and Path(key).is_file():
        key = Path(key).read_text(encoding="utf-8", errors="replace").strip()
    try:
        verdict: Verdict = _needs_extra().judged(file.read_bytes(), key, ca)
    except OperatorError as error:
        raise _ended(error, 2) from None
    for one in verdict.findings:
        click.echo(f"{one.level}: {one.sentence(spoken())}", err=one.level != "remark")
    raise click.exceptions.Exit(verdict.exit_code)


async def _stamped(url: str, ca: Path | None) -> bytes:
    stamping = _needs_extra()
    async with at_hand.opened() as context:
        note = await access_log.checkpoint(context)
    made: bytes = await stamping.stamped(url, note, ca)
    return made


def _needs_extra() -> ModuleType:
    try:
        return importlib.import_module("visitsync.cli.stamping.stamping")
    except ModuleNotFoundError as error:
        if error.name != "rfc3161_client":
            raise
        raise SettingsError(
            "Time stamps need the extra tsa; install rfc3161-client", where="tsa"
        ) from None


def _ended(error: VisitsyncError, status: int) -> click.exceptions.Exit:
    where = f" ({error.where})" if error.where else ""
    click.echo(f"visitsync: {error}{where}", err=True)
    return click.exceptions.Exit(status)
