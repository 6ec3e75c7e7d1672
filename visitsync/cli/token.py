"""``visitsync token``: issue, list and revoke API tokens."""

from __future__ import annotations

import click

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal import output
from visitsync.cli.terminal.running import run
from visitsync.errors import BadParameter
from visitsync.schema.visit import JST
from visitsync.service import tokens
from visitsync.service.caller import SCOPES, Scope
from visitsync.service.tokens import Issued, Listed


@click.group(
    short_help="Issue, list and revoke API tokens.",
    epilog="Example: visitsync token issue --office shiomi-ph-01 --days 365",
)
def command() -> None:
    """Tokens with which offices' systems and staff reach the service."""


@command.command(epilog="Example: visitsync token issue --staff u01 --days 30")
@click.option("--office", help="The office it is for.")
@click.option("--staff", help="The member of staff it is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(list(SCOPES)),
    help="What it is good for; by default what its holder usually needs.",
)
@click.option("--days", type=click.IntRange(1, 400), default=90, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def issue(
    *, office: str | None, staff: str | None, scopes: tuple[Scope, ...], days: int, as_json: bool
) -> None:
    """Issue a token. It is shown once and stored nowhere: hand it over in person."""
    if (office is None) == (staff is None):
        raise click.UsageError("Name either --office or --staff.")
    subject = f"office:{office}" if office is not None else f"staff:{staff}"
    issued = run(_issue(subject, scopes, days))
    if as_json:
        output.as_json(issued)
        return
    click.echo(issued.secret)
    click.echo(
        f"Token {issued.token} expires on {issued.expires_at.astimezone(JST):%Y-%m-%d}.", err=True
    )


@command.command("list", epilog="Example: visitsync token list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def list_(*, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    known = run(_listed())
    if as_json:
        output.as_json(known)
        return
    rows = [
        (
            one.token,
            f"{one.kind} {one.subject}",
            " ".join(one.scopes),
            f"{one.expires_at:%Y-%m-%d}",
            f"{one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else "",
        )
        for one in known
    ]
    output.stdout().print(output.table(("token", "for", "scopes", "expires", "revoked"), rows))


@command.command(epilog="Example: visitsync token revoke 0197a3c2")
@click.argument("token")
def revoke(*, token: str) -> None:
    """End TOKEN (its id, as listed) at once."""
    try:
        run(_revoke(token))
    except BadParameter:
        raise click.BadParameter("there is no such token; see `visitsync token list`.") from None
    click.echo(f"Token {token} is revoked.")


async def _issue(subject: str, scopes: tuple[Scope, ...], days: int) -> Issued:
    async with at_hand.opened() as context:
        return await tokens.issue(
            context, at_hand.operator(), subject=subject, scopes=scopes, days=days
        )


async def _listed() -> tuple[Listed, ...]:
    async with at_hand.opened() as context:
        return await tokens.listed(context)


async def _revoke(token: str) -> None:
    async with at_hand.opened() as context:
        await tokens.revoke(context, at_hand.operator(), token)
