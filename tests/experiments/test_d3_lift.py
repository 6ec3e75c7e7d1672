"""D3 (Okayama): a block was lifted for one request, and another officer issued too."""

from __future__ import annotations

import asyncio

import pytest
from build import CARE
from service.protected import (
    CHIEF,
    DEPUTY,
    HELPER,
    OFFICER,
    OTHER,
    WORKER,
    a_home,
    addresses,
    logged,
    shielded,
)

from visitsync.errors import NotNow, UnknownHousehold
from visitsync.service import lifts
from visitsync.service.context import Context
from visitsync.service.lifts import LiftDraft

AT_ONCE = 8


async def approved(context: Context, shield: str) -> str:
    draft = LiftDraft(recipient="viewer:worker", document="court_document", reason="提出")
    one = (await lifts.ask(context, WORKER, shield, draft)).id
    await lifts.approve(context, OFFICER, one)
    return one


async def test_d3_a_second_issue_is_refused_whoever_asks(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    one = await approved(context, shield)
    for caller in (OTHER, CHIEF, HELPER, OFFICER, DEPUTY):
        with pytest.raises(UnknownHousehold):
            await lifts.use(context, caller, one, CARE, acknowledged=True)

    assert (await lifts.use(context, WORKER, one, CARE, acknowledged=True)).persons

    with pytest.raises(NotNow):
        await lifts.use(context, WORKER, one, CARE, acknowledged=True)
    assert await addresses(context, WORKER, home) == []
    # The control: a lift of its own, by two people again, is another issue.
    again = await approved(context, shield)
    assert (await lifts.use(context, WORKER, again, CARE, acknowledged=True)).persons
    assert len(await logged(context, "lift_used")) == 2


async def test_d3_of_many_issues_at_once_one_comes_out(context: Context) -> None:
    home = await a_home(context)
    one = await approved(context, await shielded(context, home))
    answers = await asyncio.gather(
        *(lifts.use(context, WORKER, one, CARE, acknowledged=True) for _ in range(AT_ONCE)),
        return_exceptions=True,
    )
    issued = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert len(issued) == 1
    assert sum(isinstance(answer, NotNow) for answer in answers) == AT_ONCE - 1
    assert len(await logged(context, "lift_used")) == 1
