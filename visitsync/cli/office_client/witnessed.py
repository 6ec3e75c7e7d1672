"""One look of a witness, from a command: what it saw, in a sentence, and the exit status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiohttp
import click

from visitsync.cli.office_client.witnessing import Fork, Saw, Witness, witness
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import BadNote, BadParameter, OperatorError

_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=10)
_GREW: Final = {
    "en": "{shard}: {size} entries, {new} more than last time; nothing of before was changed.",
    "ja": "{shard}：{size}件（前回から{new}件増）。前回までの記録は変わっていません。",
}
_FIRST: Final = {
    "en": "{shard}: {size} entries. This head is kept from now on.",
    "ja": "{shard}：{size}件。この控えを今後の比較に使います。",
}
_FORK: Final = {
    "en": "The access log contradicts what was kept ({why}). Leave {home} as it is, and tell the "
    "auditors.",
    "ja": "アクセスログが控えと食い違っています（{why}）。{home} をそのまま残し、"
    "監査担当に知らせてください。",
}


def look(  # noqa: PLR0913 -- where, as whom, and what is needed the first time
    url: str,
    token: str,
    home: Path,
    *,
    now: Callable[[], float],
    name: str = "witness",
    key: str | None = None,
) -> Witness:
    """Look at the log once, and say what was seen.

    Raises:
        click.exceptions.Exit: 1, where it contradicts what was kept; 2, where it could not be
            looked at.
    """
    try:
        return _look(Witness(home, name, key), url, token, now)
    except (OperatorError, BadParameter) as error:
        where = f" ({error.where})" if error.where else ""
        click.echo(f"visitsync: {error}{where}", err=True)
        raise click.exceptions.Exit(2) from None
    except (Fork, BadNote) as error:
        click.echo(_FORK[spoken()].format(why=error, home=home), err=True)
        raise click.exceptions.Exit(1) from None


def _look(one: Witness, url: str, token: str, now: Callable[[], float]) -> Witness:
    async def looking() -> list[Saw]:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            return await witness(session, url, token, one, now)

    for each in run(looking()):
        sentence = (_GREW if each.before else _FIRST)[spoken()]
        new = each.size - each.before
        click.echo(sentence.format(shard=each.shard, size=each.size, new=new), err=True)
    return one
