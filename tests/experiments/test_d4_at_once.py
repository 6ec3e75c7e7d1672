"""D4 (Nanbu): five weeks lay between the application and the flag."""

from __future__ import annotations

import statistics
import time

import pytest
from service.protected import (
    HELPER,
    OFFICER,
    WORKER,
    a_home,
    addresses,
    as_staff,
    closed,
    shielded,
)

from visitsync.service import shields
from visitsync.service.context import Context
from visitsync.service.shields import Confirmation, ShieldDraft
from visitsync.store import facts, protection

HOUR = 3_600_000_000
AT_MOST = 1.0
"""Seconds from the call to an answer that is asked for after it."""


async def test_d4_one_call_by_an_office_hides_the_address_from_the_next_request_in_1_s(
    context: Context,
) -> None:
    home = await a_home(context)
    took = []
    for _ in range(5):
        assert await addresses(context, WORKER, home), "the control: it is shown before"
        start = time.perf_counter()
        shield = (await shields.record(context, HELPER, home, ShieldDraft())).id
        seen = await addresses(context, WORKER, home)
        took.append(time.perf_counter() - start)
        assert seen == []
        await closed(context, "shield", shield)
    assert statistics.median(took) <= AT_MOST, took


@pytest.mark.parametrize("who", ["worker", "chief", "helper", "protector", "officer"])
async def test_d4_whoever_works_with_the_family_begins_it_in_one_call(
    context: Context, who: str
) -> None:
    home = await a_home(context)
    await shields.record(context, as_staff(who), home, ShieldDraft())
    assert await addresses(context, WORKER, home) == []


async def test_d4_a_shield_provisional_for_over_a_day_is_listed_and_no_other(
    context: Context,
) -> None:
    home = await a_home(context)
    await shielded(context, home)
    async with context.database.writing() as connection:
        newest = (await protection.every(connection, "shield"))[-1]
        hours = {"s-23": 23, "s-25": 25, "s-confirmed": 100}
        rows = [
            newest._replace(id=one, recorded_at=newest.recorded_at - ago * HOUR)
            for one, ago in hours.items()
        ]
        await facts.add(connection, rows)
    await shields.confirm(context, OFFICER, "s-confirmed", Confirmation())

    found = (await shields.ageing(context, OFFICER)).shields

    over = [one.shield for one in found if "provisional_over_1_day" in one.because]
    assert over == ["s-25"]
