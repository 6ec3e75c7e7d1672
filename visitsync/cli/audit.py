"""``visitsync audit``: search, count, export, verify and keep the head of the access log."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import click

from visitsync import settings
from visitsync.audit import (
    KINDS,
    MAX_PROOF_BYTES,
    WordList,
    is_place_proof,
    verify_bundle,
    verify_place,
)
from visitsync.cli.installation import at_hand
from visitsync.cli.stamping import commands as stamping
from visitsync.cli.terminal import log_entries, output, printed_head
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import BadParameter
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import access_log, log_proofs, log_search, log_statistics
from visitsync.service.backup import reopening
from visitsync.service.backup.reopening import Reopened
from visitsync.service.log_search import LogPage, LogSearch
from visitsync.service.log_statistics import LogStatistics
from visitsync.web import log_files
from visitsync.web.log_files import Form

_OUT = click.Path(dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_TIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group(epilog="Example: visitsync audit verify log.bundle --key key.pub")
def command() -> None:
    """The tamper-evident access log."""


command.add_command(stamping.timestamp)
command.add_command(stamping.verify_timestamp)


@command.command(epilog="Example: visitsync audit export --from 2026-04-01 --to 2026-10-01 OUT")
@click.option("--from", "start", required=True, type=_DAY, help="The first day.")
@click.option("--to", "until", required=True, type=_DAY, help="The day after the last.")
@click.option(
    "--tiles",
    type=click.Path(file_okay=False, path_type=Path),
    help="Instead of OUT: whole years as tiles that other tools read, into this empty folder.",
)
@click.argument("out", required=False, type=_OUT)
def export(*, start: dt.datetime, until: dt.datetime, tiles: Path | None, out: Path | None) -> None:
    """Write the entries of a period to OUT, with the signed head. This too is logged."""
    if start >= until:
        raise click.UsageError("--from must lie before --to.")
    if tiles is not None and out is None:
        _into_empty_folder(tiles, start.date(), until.date())
    elif out is not None and tiles is None:
        _into_file(out, start.date(), until.date())
    else:
        raise click.UsageError("Name OUT, or a folder with --tiles.")


def _into_file(out: Path, start: dt.date, until: dt.date) -> None:
    try:
        file = out.open("ab")  # before the log is read: what cannot be kept need not be exported
    except OSError:
        raise click.UsageError(
            f"{out} cannot be written; name a file that you may write."
        ) from None
    with file:
        size = run(_export(file, start, until))
    click.echo(f"Wrote {out} ({size:,} bytes).")


def _into_empty_folder(folder: Path, start: dt.date, until: dt.date) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        empty = not any(folder.iterdir()) and os.access(folder, os.W_OK)
    except OSError:
        empty = False
    if not empty:
        raise click.UsageError(f"{folder} is not empty or cannot be written; name a new folder.")
    click.echo(f"Wrote {run(_tiles(folder, start, until)):,} files to {folder}.")


@command.command(
    epilog="Example: visitsync audit prove visitsync/shiomi/2026 4711 > 4711.tlog-proof"
)
@click.argument("shard")
@click.argument("seq", type=click.IntRange(min=0))
def prove(*, shard: str, seq: int) -> None:
    """Print the proof that entry SEQ stands in the log of the year SHARD. This too is logged.

    Anybody checks it with the public key alone: visitsync audit verify 4711.tlog-proof --key PUB
    """
    try:
        proof = run(_prove(shard, seq))
    except BadParameter as error:
        raise click.UsageError(f"{error.where}: {error}.") from None
    click.echo(proof, nl=False)


@command.command(epilog="Example: visitsync audit verify log.bundle --key key.pub --since old.txt")
@click.argument("bundle", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The log's public key, or a file that holds it.")
@click.option(
    "--since",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that was kept earlier, or a head typed from paper.",
)
@click.option("--witness", "witnesses", multiple=True, help="A witness's public key, or its file.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def verify(
    *,
    bundle: Path,
    key: str | None,
    since: Path | None,
    witnesses: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check BUNDLE, or the proof of one entry; needs no database and no server.

    Exit status: 0 nothing was changed, 1 something was, 2 it cannot be decided.
    """
    with bundle.open("rb") as file:
        data = file.read(MAX_PROOF_BYTES + 1)
        if is_place_proof(data):
            if witnesses:
                raise click.UsageError("Witnesses vouch for a bundle, not for one entry's proof.")
            verdict = verify_place(data, _key(key), _checkpoint(since))
        else:
            verdict = verify_bundle(
                file, _key(key), _checkpoint(since), [_key(one) or "" for one in witnesses]
            )
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
@click.option("--print", "on_paper", is_flag=True, help="As words and a QR code, for paper.")
@click.option("--words", type=click.Choice(["en", "ja"]), default="en", help="Of which language.")
@click.option("--html", type=_OUT, help="With --print: a page of A4 too.")
@click.option("--svg", type=_OUT, help="With --print: the page as a drawing too.")
@click.pass_obj
def checkpoint(  # noqa: PLR0913 -- click passes each option by name
    now: Callable[[], float],
    /,
    *,
    key: bool,
    on_paper: bool,
    words: WordList,
    html: Path | None,
    svg: Path | None,
) -> None:
    """Print the log's newest signed head: keep it outside the server.

    With --print it can be typed again from paper: visitsync audit verify --since FILE takes it.
    """
    if not on_paper and (html or svg or words != "en"):
        raise click.UsageError("--words, --html and --svg go with --print.")
    if on_paper and key:
        raise click.UsageError("Print the key or the head, one at a time.")
    if on_paper:
        printed_head.show(run(_checkpoint_now()), words, now, html=html, svg=svg)
        return
    click.echo(run(_public_key() if key else _checkpoint_now()).rstrip("\n"))


@command.command(
    epilog="Example: visitsync audit reopen --second sato --reason 'disk lost on 3 May'"
)
@click.option("--second", required=True, help="The name of another operator, who confirms.")
@click.option("--reason", required=True, help="What happened, in words; sealed in the log.")
@click.option(
    "--lost",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The newest checkpoint that anybody kept, where the signer's memory is gone.",
)
@click.option(
    "--nothing-kept", is_flag=True, help="With a lost memory: nobody kept any checkpoint either."
)
def reopen(*, second: str, reason: str, lost: Path | None, nothing_kept: bool) -> None:
    """Go on after a restored backup although entries of the log are lost; see docs/runbook.md."""
    try:
        made = run(_reopen(second, reason, _checkpoint(lost), nothing_kept=nothing_kept))
    except BadParameter as error:
        raise click.UsageError(f"--{error.where}: {error}.") from None
    was = "nobody knows how many" if made.lost is None else f"{made.lost:,}"
    click.echo(
        f"The log goes on in {made.shard}, after {made.restored:,} entries that were put back; "
        f"{was} had been signed. Tell the auditors, the offices and the data protection officer."
    )


@command.command(epilog="Example: visitsync audit search --household h… --from 2026-10-01 --csv")
@click.option("--household", help="Entries about this household.")
@click.option("--actor", help="Who acted: staff:ID, office:ID or operator:NAME.")
@click.option("--office", help="What it did, what its staff did, and what names it.")
@click.option(
    "--purpose",
    type=click.Choice(list(VOCABULARY.purposes)),
    metavar="PURPOSE",
    help="What for.",
)
@click.option("--kind", type=click.Choice(sorted(KINDS)), metavar="KIND", help="What was done.")
@click.option("--decision", help="Such as shown, masked or refused.")
@click.option("--from", "start", type=_TIME, metavar="TIME", help="The first instant, in Japan.")
@click.option("--until", type=_TIME, metavar="TIME", help="The first instant after it.")
@click.option("--cursor", help="Where the page before ended.")
@click.option("--json", "form", flag_value="json", help="Print it as JSON.")
@click.option("--ndjson", "form", flag_value="ndjson", help="A line of JSON for each.")
@click.option("--csv", "form", flag_value="csv", help="CSV for a spreadsheet.")
def search(
    *,
    start: dt.datetime | None,
    until: dt.datetime | None,
    cursor: str | None,
    form: str | None,
    **sought: Any,  # noqa: ANN401 -- texts, by the names of a search
) -> None:
    """Find entries of the access log. This too is logged, before anything is shown.

    Without --csv or --ndjson it shows a page; those write all that is found.
    """
    wanted = LogSearch(**sought, from_=_in_japan(start), until=_in_japan(until))
    try:
        if form in {"csv", "ndjson"}:
            if cursor is not None:
                raise click.UsageError("A file holds all that is found; leave --cursor out.")
            run(_search_into_file(wanted, "csv" if form == "csv" else "ndjson"))
            return
        page = run(_search(wanted, cursor))
    except BadParameter as error:
        raise click.UsageError(f"--{error.where} {error}.") from None
    if form == "json":
        output.as_json(page)
        return
    log_entries.entries(output.stdout(), page.entries)
    if page.next is not None:
        click.echo(f"More: add --cursor {page.next}", err=True)


@command.command(epilog="Example: visitsync audit statistics --from 2026-10-01 --until 2026-11-01")
@click.option("--from", "start", required=True, type=_DAY, help="The first day.")
@click.option("--until", required=True, type=_DAY, help="The day after the last.")
@click.option("--json", "form", flag_value="json", help="Print it as JSON.")
@click.option("--ndjson", "form", flag_value="ndjson", help="A line of JSON for each.")
@click.option("--csv", "form", flag_value="csv", help="CSV for a spreadsheet.")
def statistics(*, start: dt.datetime, until: dt.datetime, form: str | None) -> None:
    """Count what people looked at, beside their colleagues' median. This too is logged.

    Saturdays and Sundays are days off; public holidays are not known.
    """
    try:
        found = run(_statistics(start.date(), until.date()))
    except BadParameter as error:
        raise click.UsageError(f"--{error.where} {error}.") from None
    if form == "json":
        output.as_json(found)
    elif form is not None:
        written = log_files.statistics("csv" if form == "csv" else "ndjson", found)
        click.echo(written, nl=False)
    else:
        log_entries.statistics(output.stdout(), found)


async def _reopen(second: str, reason: str, lost: str | None, *, nothing_kept: bool) -> Reopened:
    return await reopening.reopen(
        settings.load(), at_hand.operator(), second, reason, lost, nothing_kept=nothing_kept
    )


async def _search(sought: LogSearch, cursor: str | None) -> LogPage:
    """A page with something on it, or the last one."""
    async with at_hand.opened() as context:
        while True:
            page = await log_search.search(context, at_hand.operator(), sought, cursor)
            if page.entries or page.next is None:
                return page
            cursor = page.next


async def _search_into_file(sought: LogSearch, form: Form) -> None:
    async with at_hand.opened() as context:
        pages = await log_search.export(context, at_hand.operator(), sought, form)
        click.echo(log_files.head(form), nl=False)
        async for page in pages:
            click.echo(log_files.lines(form, page), nl=False)


async def _statistics(start: dt.date, until: dt.date) -> LogStatistics:
    async with at_hand.opened() as context:
        return await log_statistics.statistics(context, at_hand.operator(), start, until)


def _in_japan(at: dt.datetime | None) -> dt.datetime | None:
    return None if at is None else at.replace(tzinfo=JST)


async def _export(file: BinaryIO, start: dt.date, until: dt.date) -> int:
    size = 0
    async with at_hand.opened() as context:
        pieces = await access_log.export(context, at_hand.operator(), start, until)
        file.truncate(0)
        try:
            async for piece in pieces:
                size += file.write(piece)
        except BaseException:
            file.truncate(0)  # so that nobody takes a part of the log for all of it
            raise
    return size


async def _tiles(folder: Path, start: dt.date, until: dt.date) -> int:
    count = 0
    async with at_hand.opened() as context:
        async for tile in await access_log.tiles(context, at_hand.operator(), start, until):
            file = folder / tile.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(tile.data)
            count += 1
    return count


async def _prove(shard: str, seq: int) -> bytes:
    async with at_hand.opened() as context:
        return await log_proofs.prove(context, at_hand.operator(), shard, seq)


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
