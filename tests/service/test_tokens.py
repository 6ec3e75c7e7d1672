"""Tokens: shown once, stored as a digest, scoped, expiring and revoked at once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from build import CARE, OFFICE, OPERATOR, WORKER, a_visit, applied, consented, handed_in, home_of
from build import ndjson as records

from visitsync.errors import BadParameter, NotAllowed, NotSignedIn
from visitsync.service import submissions, tokens
from visitsync.service.caller import Scope
from visitsync.service.context import Context
from visitsync.service.reports import Terms
from visitsync.service.timelines import view


async def test_a_token_tells_whose_it_is_and_what_for(context: Context) -> None:
    await applied(context)
    office = await tokens.issue(context, OPERATOR, subject=f"office:{OFFICE}", days=1)
    auditor = await tokens.issue(context, OPERATOR, subject="staff:auditor", days=1)
    worker = await tokens.issue(context, OPERATOR, subject="staff:worker", days=400)

    found = [
        await tokens.authenticate(context, one.secret, request="r1", address="192.0.2.1")
        for one in (office, auditor, worker)
    ]

    assert [(one.kind, one.id, set(one.scopes)) for one in found] == [
        ("office", OFFICE, {"submit"}),
        ("staff", "auditor", {"audit"}),
        ("staff", "worker", {"read", "record"}),
    ]
    assert found[0].request == "r1"
    assert office.secret not in repr(office)


async def test_the_secret_is_stored_nowhere(context: Context) -> None:
    await applied(context)
    issued = await tokens.issue(context, OPERATOR, subject="staff:worker", days=1)

    async with context.database.reading() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM token"))).all()
    assert issued.secret not in repr(rows)
    (listed,) = await tokens.listed(context)
    assert (listed.token, listed.subject, listed.revoked_at) == (issued.token, "worker", None)


@pytest.mark.parametrize(
    ("subject", "scopes", "days"),
    [
        ("staff:nobody", (), 1),
        ("office:none", (), 1),
        ("staff:nobody", ("read",), 1),
        ("office:none", ("submit",), 1),
        ("worker", (), 1),
        ("staff:worker", (), 0),
        ("staff:worker", (), 401),
        ("staff:worker", ("rule",), 1),
        (f"office:{OFFICE}", ("read",), 1),
        ("staff:worker", ("read", "submit"), 1),
    ],
)
async def test_what_makes_no_sense_is_refused(
    context: Context, subject: str, scopes: tuple[Scope, ...], days: int
) -> None:
    await applied(context)
    with pytest.raises(BadParameter):
        await tokens.issue(context, OPERATOR, subject=subject, scopes=scopes, days=days)


async def test_unknown_and_expired_tokens_are_refused(context: Context) -> None:
    await applied(context)
    issued = await tokens.issue(context, OPERATOR, subject="staff:worker", days=1)
    for wrong in ("", "vst_x", issued.secret + "x", issued.secret.upper()):
        with pytest.raises(NotSignedIn):
            await tokens.authenticate(context, wrong)

    async with context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE token SET expires_at = issued_at"))
    with pytest.raises(NotSignedIn):
        await tokens.authenticate(context, issued.secret)


async def test_a_revoked_token_ends_though_it_was_looked_at_before(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await consented(context, home)
    worker = await tokens.issue(context, OPERATOR, subject="staff:worker", days=1)
    office = await tokens.issue(context, OPERATOR, subject=f"office:{OFFICE}", days=1)
    viewer = await tokens.authenticate(context, worker.secret)
    sender = await tokens.authenticate(context, office.secret)
    assert (await view(context, viewer, home, CARE)).entries
    keyed = Terms(idempotency_key="once")
    await submissions.submit(context, sender, OFFICE, records([a_visit(1)]), keyed)

    for issued in (worker, office):
        await tokens.revoke(context, OPERATOR, issued.token)

    with pytest.raises(NotSignedIn):
        await view(context, viewer, home, CARE)
    with pytest.raises(NotSignedIn):
        await submissions.submit(context, sender, OFFICE, records([a_visit(2)]))
    with pytest.raises(NotSignedIn):
        await submissions.submit(context, sender, OFFICE, records([a_visit(1)]), keyed)
    again = await handed_in(context, [a_visit(2)])
    assert again.counts.created == 1, "what a revoked token handed in was not stored"
    with pytest.raises(BadParameter):
        await tokens.revoke(context, OPERATOR, "none")


async def test_only_operators_issue_and_revoke(context: Context) -> None:
    await applied(context)
    with pytest.raises(NotAllowed):
        await tokens.issue(context, WORKER, subject="staff:worker", days=1)
    with pytest.raises(NotAllowed):
        await tokens.revoke(context, WORKER, "t")
