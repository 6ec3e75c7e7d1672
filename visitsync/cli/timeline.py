"""``visitsync timeline``: the combined timeline in the terminal."""

from __future__ import annotations

import click

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal import timeline as picture
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import UnknownHousehold
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import timelines
from visitsync.service.caller import Caller
from visitsync.service.views import View
from visitsync.web.answers import timeline_of


@click.command(epilog="Example: visitsync timeline hagraxwg… --as u01 --purpose care_coordination")
@click.argument("household")
@click.option("--as", "user", required=True, help="The member of staff who looks.")
@click.option("--purpose", required=True, type=click.Choice(list(VOCABULARY.purposes)))
@click.option("--lang", type=click.Choice(["ja", "en"]), help="By default the locale's.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option(
    "--accept-protected", is_flag=True, help="With --json: what reads it heeds `protected`."
)
def command(  # noqa: PLR0913 -- one for each option
    *,
    household: str,
    user: str,
    purpose: str,
    lang: str | None,
    as_json: bool,
    accept_protected: bool,
) -> None:
    """Show HOUSEHOLD as USER sees it for PURPOSE. The look is logged like any other."""
    try:
        view = run(_view(household, user, purpose, acknowledged=accept_protected or not as_json))
    except UnknownHousehold:
        click.echo(
            f"visitsync: there is no such household, or none that {user} may see for this"
            " purpose; whoever asks must check the id and the purpose.",
            err=True,
        )
        raise click.exceptions.Exit(1) from None
    timeline = timeline_of(view)
    if as_json:
        output.as_json(timeline)
    else:
        language = spoken() if lang is None else "ja" if lang == "ja" else "en"
        picture.show(output.stdout(), timeline, language)


async def _view(household: str, user: str, purpose: str, *, acknowledged: bool) -> View:
    async with at_hand.opened() as context:
        caller = Caller.as_staff(user, at_hand.operator().id)
        return await timelines.view(context, caller, household, purpose, acknowledged=acknowledged)
