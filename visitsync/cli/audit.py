"""``visitsync audit``: export, verify and keep the head of the access log."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from visitsync.audit import verify_bundle
from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run, spoken
from visitsync.service import access_log

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(epilog="Example: visitsync audit verify log.bundle --key key.pub")
def command() -> None:
    """The tamper-evident access log."""


@command.command(epilog="Example: visitsync audit export --from 2026-04-01 --to 2026-10-01 OUT")
@click.option("--from", "start", required=True, type=_DAY, help="The first day.")
@click.option("--to", "until", required=True, type=_DAY, help="The day after the last.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def export(*, start: dt.datetime, until: dt.datetime, out: Path) -> None:
    """Write the entries of a period to OUT, with the signed head. This too is logged."""
    if start >= until:
        raise click.UsageError("--from must lie before --to.")
    try:
        file = out.open("ab")  # before the log is read: what cannot be kept need not be exported
    except OSError:
        raise click.UsageError(
            f"{out} cannot be written; name a file that you may write."
        ) from None
    with file:
        bundle = run(_export(start.date(), until.date()))
        file.truncate(0)
        file.write(bundle)
    click.echo(f"Wrote {out} ({len(bundle):,} bytes).")


@command.command(epilog="Example: visitsync audit verify log.bundle --key key.pub --since old.txt")
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The log's public key, or a file that holds it.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept earlier.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(*, bundle: Path, key: str | None, since: Path | None, as_json: bool) -> None:
    """Check BUNDLE; needs no database and no server.

    Exit status: 0 nothing was changed, 1 something was, 2 it cannot be decided.
    """
    verdict = verify_bundle(bundle.read_bytes(), _key(key), _checkpoint(since))
    language = spoken()
    if as_json:
        output.as_json(
            {
                "exit": verdict.exit_code,
                "entries": verdict.entries,
                "findings": [
                    {
                        "code": one.code,
                        "level": one.level,
                        "facts": one.facts,
                        "message": one.sentence(language),
                    }
                    for one in verdict.findings
                ],
                "notes": verdict.notes,
            }
        )
    else:
        for one in verdict.findings:
            click.echo(f"{one.level}: {one.sentence(language)}", err=one.level != "remark")
        if verdict.exit_code == 1:
            for note in verdict.notes:
                click.echo(f"\n{note}")
    raise click.exceptions.Exit(verdict.exit_code)


@command.command(epilog="Example: visitsync audit checkpoint > checkpoint-2026-09-30.txt")
@click.option("--key", is_flag=True, help="Print the log's public key instead.")
def checkpoint(*, key: bool) -> None:
    """Print the log's newest signed head: keep it outside the server."""
    click.echo(run(_public_key() if key else _checkpoint_now()).rstrip("\n"))


async def _export(start: dt.date, until: dt.date) -> bytes:
    async with at_hand.opened() as context:
        return await access_log.export(context, at_hand.operator(), start, until)


async def _checkpoint_now() -> str:
    async with at_hand.opened() as context:
        return await access_log.checkpoint(context)


async def _public_key() -> str:
    async with at_hand.opened() as context:
        return access_log.public_key(context)


def _key(given: str | None) -> str | None:
    if given is None or not Path(given).is_file():
        return given
    return Path(given).read_text(encoding="utf-8", errors="replace").strip()


def _checkpoint(file: Path | None) -> str | None:
    return None if file is None else file.read_text(encoding="utf-8", errors="replace")
