"""``visitsync notice``: what families are told before they sign."""

from __future__ import annotations

from pathlib import Path

import click

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import BadParameter
from visitsync.schema.notice import Notice, parse
from visitsync.service import notices


@click.group(
    short_help="What families are told before they sign.",
    epilog="Example: visitsync notice add notice-2026-04.toml",
)
def command() -> None:
    """The notices, by version, in Japanese and English."""


@command.command(epilog="Example: visitsync notice add notice-2026-04.toml")
@click.argument(
    "file", metavar="FILE.toml", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def add(*, file: Path) -> None:
    """Add the notice in FILE. Consents under an older one are then listed as to be asked again."""
    notice = parse(file.read_text(encoding="utf-8", errors="replace"))
    try:
        added = run(_add(notice))
    except BadParameter as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Notice {notice.version} is {'added' if added else 'known already'}.")


@command.command("list", epilog="Example: visitsync notice list --json")
@click.option("--json", "as_json", is_flag=True, help="Print whole texts as JSON.")
def list_(*, as_json: bool) -> None:
    """List the versions, the newest last."""
    known = run(_known())
    if as_json:
        output.as_json(known)
        return
    language = spoken()
    rows = [
        (one.version, "yes" if one.retroactive else "no", getattr(one.clause, language))
        for one in known
    ]
    output.stdout().print(output.table(("version", "earlier visits", "clause"), rows))


async def _add(notice: Notice) -> bool:
    async with at_hand.opened() as context:
        return await notices.add(context, at_hand.operator(), notice)


async def _known() -> tuple[Notice, ...]:
    async with at_hand.opened() as context:
        return await notices.known(context)
