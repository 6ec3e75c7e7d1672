"""Blocks: the person hidden from sees nothing, and no slip in a name leaves a family open."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from build import CARE
from service.protected import (
    CHIEF,
    DEPUTY,
    HELPER,
    OFFICER,
    OTHER,
    PROTECTOR,
    UNKNOWN,
    WORKER,
    a_home,
    as_staff,
    blocked,
    logged,
)

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.service import blocks, closing
from visitsync.service.blocks import BlockDraft
from visitsync.service.context import Context
from visitsync.service.timelines import view


async def test_the_person_named_sees_nothing_from_the_next_request_on(context: Context) -> None:
    home = await a_home(context)
    assert (await view(context, WORKER, home, CARE)).entries
    assert (await view(context, HELPER, home, CARE)).entries

    block = await blocked(context, home, "viewer:worker", "viewer:helper")

    for one in (WORKER, HELPER):
        with pytest.raises(UnknownHousehold):
            await view(context, one, home, CARE)
    await closing.ask(context, OFFICER, "block", block)
    with pytest.raises(NotAllowed):
        await closing.approve(context, OFFICER, "block", block)
    await closing.approve(context, DEPUTY, "block", block)
    assert (await view(context, WORKER, home, CARE)).entries
    assert len(await logged(context, "block_recorded")) == 1
    assert len(await logged(context, "block_closed")) == 1


async def test_malformed_input_is_no_look_and_says_nothing_of_a_household(
    context: Context,
) -> None:
    """Who may know of it is told to mend it, unlogged; whoever else gets the answer for none."""
    home = await a_home(context)
    wrong = BlockDraft(who=("viewer:nobody",))
    with pytest.raises(BadParameter):
        await blocks.record(context, OFFICER, home, wrong)
    assert await logged(context, "denied") == []
    await blocked(context, home, "viewer:deputy")
    for caller, at in ((DEPUTY, home), (OFFICER, UNKNOWN)):
        with pytest.raises(UnknownHousehold):
            await blocks.record(context, caller, at, wrong)
    assert len(await logged(context, "denied")) == 2


async def test_who_is_blocked_cannot_take_part_in_ending_it(context: Context) -> None:
    home = await a_home(context)
    block = await blocked(context, home, "viewer:chief")
    for step in (closing.ask, closing.approve):
        with pytest.raises(UnknownHousehold):
            await step(context, CHIEF, "block", block)
    await closing.ask(context, OFFICER, "block", block)
    with pytest.raises(UnknownHousehold):
        await closing.approve(context, CHIEF, "block", block)


@pytest.mark.parametrize("who", ["officer", "chief", "protector"])
async def test_officers_supervisors_and_child_protection_workers_record_them(
    context: Context, who: str
) -> None:
    home = await a_home(context)
    await blocks.record(context, as_staff(who), home, BlockDraft(who=("viewer:other",)))


async def test_nobody_else_does(context: Context) -> None:
    home = await a_home(context)
    for one in (WORKER, HELPER, OTHER):
        for at in (home, UNKNOWN):
            with pytest.raises(NotAllowed):
                await blocks.record(context, one, at, BlockDraft(who=("viewer:other",)))
    with pytest.raises(UnknownHousehold):
        await blocks.record(context, PROTECTOR, UNKNOWN, BlockDraft(who=("viewer:other",)))


@pytest.mark.parametrize(
    "said",
    [
        {"who": ()},
        {"who": ("viewer:wroker",)},
        {"who": ("viewer:other", "office:none")},
        {"who": ("role:case_worker@agency:city",)},
        {"who": ("other",)},
        {"who": ("viewer:other",), "from_": dt.datetime(2026, 1, 1)},  # noqa: DTZ001 -- no offset
    ],
)
async def test_a_slip_is_refused(context: Context, said: dict[str, Any]) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter):
        await blocks.record(context, OFFICER, home, BlockDraft(**said))


async def test_a_block_is_not_closed_as_a_shield(context: Context) -> None:
    home = await a_home(context)
    block = await blocked(context, home, "viewer:other")
    with pytest.raises(UnknownHousehold):
        await closing.ask(context, OFFICER, "shield", block)
    with pytest.raises(NotNow):
        await closing.approve(context, OFFICER, "block", block)
