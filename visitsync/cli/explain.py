"""``visitsync explain``: who can see a household, and why, in the terminal."""

from __future__ import annotations

import datetime as dt

import click

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import explanation as picture
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run, spoken
from visitsync.errors import UnknownHousehold
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import explaining
from visitsync.service.caller import Caller
from visitsync.service.explanations import Asked, Explanation


@click.command(epilog="Example: visitsync explain hagraxwg… --as u01 --purpose care_coordination")
@click.argument("household")
@click.option("--as", "user", required=True, help="The member of staff who asks.")
@click.option("--purpose", required=True, type=click.Choice(list(VOCABULARY.purposes)))
@click.option("--viewer", help="Only what this member of staff can see.")
@click.option(
    "--known-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="As it was known then, in Japan's time; for protection officers and auditors.",
)
@click.option("--lang", type=click.Choice(["ja", "en"]), help="By default the locale's.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(  # noqa: PLR0913 -- an argument for each option
    *,
    household: str,
    user: str,
    purpose: str,
    viewer: str | None,
    known_at: dt.datetime | None,
    lang: str | None,
    as_json: bool,
) -> None:
    """Show who can see HOUSEHOLD and why, as USER may know it. It is logged like any other look."""
    then = None if known_at is None else known_at.replace(tzinfo=JST)
    asked = Asked(purpose=purpose, viewer=viewer, known_at=then)
    try:
        found = run(_explained(household, user, asked))
    except UnknownHousehold:
        click.echo(
            f"visitsync: there is no such household, or none that {user} may ask about for this"
            " purpose; whoever asks must check the id and the purpose.",
            err=True,
        )
        raise click.exceptions.Exit(1) from None
    if as_json:
        output.as_json(found)
    else:
        language = spoken() if lang is None else "ja" if lang == "ja" else "en"
        picture.show(output.stdout(), found, language)


async def _explained(household: str, user: str, asked: Asked) -> Explanation:
    async with at_hand.opened() as context:
        caller = Caller.as_staff(user, at_hand.operator().id)
        return await explaining.explain(context, caller, household, asked)
