"""The main line over HTTP, on the embedded database and on PostgreSQL."""

from __future__ import annotations

import time

import aiohttp
from web.conftest import Town
from web.family import WORKER, consent, settle
from web.test_households import look
from web.test_submissions import canonical, post

from visitsync.cli.installation import first_start
from visitsync.cli.installation.at_hand import operator
from visitsync.service import directives
from visitsync.service.context import Context
from visitsync.web.serving import served


async def test_hand_in_consent_look_and_withdraw(context: Context) -> None:
    file = await first_start.settle(context)
    assert file is not None
    async with (
        served(context, "127.0.0.1", 0, time.time) as url,
        aiohttp.ClientSession(url) as session,
    ):
        town = Town(context, url, first_start.tokens_of(file), session, context.settings.data_dir)
        household = await settle(town)
        nothing = await look(town, household, WORKER)
        given = await consent(town, household, "household_support", "nurturing_support")
        shown = await look(town, household, WORKER)
        await directives.withdraw(context, operator(), given.id)
        after = await look(town, household, WORKER)
        first = await post(town, b"\n".join(canonical()), Idempotency_Key="k")
        again = await post(town, b"\n".join(canonical()), Idempotency_Key="k")
        async with session.get("/readyz") as response:
            assert (await response.json())["status"] == "ready"

    assert nothing == after
    assert nothing[0] == 404
    assert shown[0] == 200
    assert (first[1]["counts"]["created"], again[1]["repeated"]) == (3, True)
