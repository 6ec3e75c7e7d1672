"""``visitsync witness``: keep the log's newest head outside, and cosign it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from visitsync.cli.office_client import witnessed
from visitsync.cli.terminal.tokens import token_from


@click.command(
    short_help="Keep the log's newest head outside, and cosign it.",
    epilog="Example: visitsync witness --url https://visitsync.example.jp --token-file token.txt"
    " --name office/shiomi-ph-01 --key key.pub /var/lib/witness",
)
@click.option("--url", required=True, help="The service, such as https://visitsync.example.jp.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the office's or auditor's token; else VISITSYNC_TOKEN.",
)
@click.option("--key", help="The log's public key, or a file that holds it; the first time.")
@click.option("--name", default="witness", help="Your name in signatures; the first time.")
@click.argument("home", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def command(  # noqa: PLR0913 -- click passes each option by name
    now: Callable[[], float],
    /,
    *,
    url: str,
    token_file: Path | None,
    key: str | None,
    name: str,
    home: Path,
) -> None:
    """Ask for the newest head of the access log, and check that it extends the one in DIR.

    It is kept then, and a cosignature handed in. Run it every day; keep DIR outside the server.

    Exit status: 0 the log only grew, 1 it contradicts what was kept (DIR holds both heads; tell
    the auditors), 2 it could not be looked at.
    """
    token = token_from(token_file)
    given = Path(key).read_text(encoding="utf-8") if key and Path(key).is_file() else key
    click.echo(witnessed.look(url, token, home, now=now, name=name, key=given).vkey)
