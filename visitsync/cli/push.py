"""``visitsync push``: hand files in over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import click

from visitsync.cli.office_client import witnessed
from visitsync.cli.office_client.handing_in import Answer, Desk, Handed, Terms
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run, spoken
from visitsync.cli.terminal.tokens import token_from

_TIMEOUT: Final = aiohttp.ClientTimeout(total=300, sock_connect=10)
_LEFT_OUT: Final = ("rejected", "conflict", "not_taken")
"""The counts of rows that were not taken."""


@click.command(
    short_help="Hand files in over HTTP.",
    epilog="Example: visitsync push --office shiomi-ph-01 --url https://visitsync.example.jp"
    " --token-file token.txt PH_202609.txt PH_202609_fees.csv",
)
@click.option("--office", required=True, help="The office that hands in.")
@click.option("--url", required=True, help="The service, such as https://visitsync.example.jp.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the office's token; else the environment's VISITSYNC_TOKEN.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would happen; nothing is taken.")
@click.option("--all-or-nothing", is_flag=True, help="Take nothing if any row is rejected.")
@click.option("--canonical", is_flag=True, help="FILE is NDJSON of canonical reports.")
@click.option(
    "--witness",
    "home",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of visitsync witness: look at the access log's newest head too.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def command(  # noqa: PLR0913 -- click passes each option by name
    now: Callable[[], float],
    /,
    *,
    office: str,
    url: str,
    token_file: Path | None,
    dry_run: bool,
    all_or_nothing: bool,
    canonical: bool,
    home: Path | None,
    as_json: bool,
    files: tuple[Path, ...],
) -> None:
    """Hand FILEs in as one submission; repeating it changes nothing.

    Files named together are read together, so that a fee file joins its visits. Exit status: 0 if
    every row was taken, 1 if any was not.
    """
    if canonical and len(files) > 1:
        raise click.UsageError("Canonical reports are handed in one file at a time.")
    token = token_from(token_file)
    handed = [Handed(file.name, file.read_bytes()) for file in files]
    terms = Terms(dry_run=dry_run, all_or_nothing=all_or_nothing, canonical=canonical)
    answer = run(_push(url, office, token, handed, terms))
    if as_json:
        output.as_json(answer.document)
    else:
        _tell(answer)
    if home is not None:
        witnessed.look(url, token, home, now=now)
    report = answer.document.get("report", {}) if answer.refused else answer.document
    if answer.refused or any(report["counts"][one] for one in _LEFT_OUT):
        raise click.exceptions.Exit(1)


async def _push(url: str, office: str, token: str, files: Sequence[Handed], terms: Terms) -> Answer:
    total = sum(len(file.content) for file in files)
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        desk = Desk(session=session, url=url, office=office, token=token, language=spoken())
        with output.bar(office, total) as advance:
            return await desk.hand_in(files, terms, advance)


def _tell(answer: Answer) -> None:
    document = answer.document
    if answer.refused:
        where = f" ({document['where']})" if document.get("where") else ""
        output.stderr().print(f"{document['title']}: {document['detail']}{where}", markup=False)
        if "report" not in document:
            return
        document = document["report"]
    tell_report(document)


def tell_report(report: dict[str, Any]) -> None:
    """The counts, and what the office must look at, as a table."""
    out = output.stdout()
    counts = {name: number for name, number in report["counts"].items() if number}
    said = ", ".join(f"{number} {name}" for name, number in counts.items()) or "nothing to take"
    remark = " (dry run)" if report["dry_run"] else ""
    if report["repeated"]:
        remark = " (known already: this is the first answer again, nothing was changed)"
    out.print(f"{report['office']}: {said}{remark}", markup=False, soft_wrap=True)
    problems = [
        (
            one["file"],
            "" if one["row"] is None else str(one["row"]),
            one["column"] or "",
            one["code"],
            one["message"],
        )
        for one in report["problems"]
    ]
    if problems:
        out.print(output.table(("file", "row", "column", "code", "what to do"), problems))
    for column in report["unread_columns"]:
        out.print(f"nobody reads the column: {column}", markup=False)
