"""What is about to end is told once, and to nobody from whom the family is hidden."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest
from build import OPERATOR, consented
from service.protected import (
    CHIEF,
    OFFICER,
    OTHER,
    WORKER,
    a_home,
    blocked,
    long_ago,
    shielded,
)

from visitsync.schema.protection import MESSAGES
from visitsync.service import directives, messages, reminding, shields
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.reminding import remind
from visitsync.service.shields import Confirmation
from visitsync.store import emergencies
from visitsync.store.emergencies import Emergency

NOW = dt.datetime.now(dt.UTC)


def ahead(days: float) -> dt.datetime:
    return NOW + dt.timedelta(days=days)


async def told(context: Context, caller: Caller) -> list[tuple[str, str]]:
    """What somebody was told, and about what, in the order of the kinds."""
    found = await messages.mine(context, caller)
    return sorted((one.kind, one.about) for one in found.messages)


async def test_a_consent_is_told_of_30_and_7_days_before_to_who_answers_for_it(
    context: Context,
) -> None:
    home = await a_home(context, valid_until=ahead(20))
    assert await remind(context) == 1
    ((kind, about),) = await told(context, WORKER)
    assert kind == "consent_ends_within_30_days"
    assert await remind(context) == 0
    nearer = await consented(context, home, valid_until=ahead(5))

    assert await remind(context) == 1

    assert ("consent_ends_within_7_days", nearer.id) in await told(context, WORKER)
    assert ("consent_ends_within_30_days", about) in await told(context, WORKER)
    for one in (OTHER, CHIEF, OFFICER):
        assert await told(context, one) == []


async def test_nobody_is_reminded_of_a_consent_that_was_withdrawn_or_is_far_from_its_end(
    context: Context,
) -> None:
    home = await a_home(context, valid_until=ahead(31))
    gone = await consented(context, home, valid_until=ahead(5))
    await directives.withdraw(context, OPERATOR, gone.id)
    await consented(context, home, effect="deny", valid_until=ahead(5))

    assert await remind(context) == 0


async def test_a_shield_is_told_of_at_each_step_also_past_its_date_and_is_never_lifted(
    context: Context,
) -> None:
    home = await a_home(context)
    body: dict[str, Any] = {
        "from": "2020-01-01T00:00:00+00:00",
        "closed_at": None,
        "allowed": [],
        "withhold_notes": True,
    }
    for name, days in (("s-30", 29), ("s-7", 6), ("s-past", -1), ("s-far", 40)):
        until = ahead(days).isoformat()
        await long_ago(context, "shield", home, name, until=until, **body)
        await shields.confirm(context, OFFICER, name, Confirmation())

    assert await remind(context) == 9  # three steps, two officers and the case worker

    due = [
        ("shield_ends_within_30_days", "s-30"),
        ("shield_ends_within_7_days", "s-7"),
        ("shield_past_its_date", "s-past"),
    ]
    assert await told(context, OFFICER) == due
    assert await told(context, WORKER) == due
    assert await told(context, OTHER) == []

    again = Confirmation(until=ahead(6.5))
    await shields.confirm(context, OFFICER, "s-past", again)
    assert await remind(context) == 3
    assert ("shield_ends_within_7_days", "s-past") in await told(context, OFFICER)


async def test_who_answers_for_it_is_told_of_which_household_as_long_as_they_do(
    context: Context,
) -> None:
    home = await a_home(context, valid_until=ahead(20))
    await remind(context)
    (one,) = (await messages.mine(context, WORKER)).messages
    assert one.household == home

    await blocked(context, home, "viewer:worker")

    (one,) = (await messages.mine(context, WORKER)).messages
    assert one.household is None


async def test_officers_are_told_of_no_household(context: Context) -> None:
    home = await a_home(context)
    body = {"from": "2020-01-01T00:00:00+00:00", "until": None, "closed_at": None}
    await long_ago(context, "shield", home, "s-1", allowed=[], withhold_notes=True, **body)
    await remind(context)

    (one,) = (await messages.mine(context, OFFICER)).messages

    assert (one.about, one.household) == ("s-1", None)


async def test_a_provisional_shield_is_told_of_after_a_day(context: Context) -> None:
    home = await a_home(context)
    await shielded(context, home)
    assert await remind(context) == 0
    body = {"from": "2020-01-01T00:00:00+00:00", "until": None, "closed_at": None}
    await long_ago(context, "shield", home, "s-1", allowed=[], withhold_notes=True, **body)

    await remind(context)

    assert await told(context, OFFICER) == [("shield_provisional", "s-1")]


async def test_a_block_is_told_of_to_officers_only_and_never_to_whom_it_names(
    context: Context,
) -> None:
    home = await a_home(context, valid_until=ahead(5))
    body = {"from": "2020-01-01T00:00:00+00:00", "until": ahead(6).isoformat(), "closed_at": None}
    await long_ago(context, "block", home, "b-1", who=["viewer:deputy", "viewer:worker"], **body)

    assert await remind(context) == 1  # the other officer is whom it names

    assert await told(context, OFFICER) == [("block_ends_within_7_days", "b-1")]
    assert await told(context, WORKER) == []  # not even that a consent ends


async def test_a_block_that_nobody_can_read_hides_the_household_from_all_reminders(
    context: Context,
) -> None:
    home = await a_home(context, valid_until=ahead(5))
    await blocked(context, home, "viewer:deputy")
    await long_ago(context, "block", home, "b-1", who=7)

    assert await remind(context) == 0


async def test_what_cannot_be_read_keeps_nobody_from_the_rest(context: Context) -> None:
    home = await a_home(context, valid_until=ahead(5))
    await long_ago(context, "directive", home, "d-1", valid=3, effect="permit")
    await long_ago(context, "directive", home, "d-2", valid={"until": "soon"}, effect="permit")
    await long_ago(context, "shield", home, "s-1", until="soon")

    await remind(context)

    assert [kind for kind, _ in await told(context, WORKER)] == [
        "consent_ends_within_7_days",
        "shield_provisional",
    ]


async def test_reviews_that_are_overdue_are_told_of_without_anybody_asking(
    context: Context,
) -> None:
    await a_home(context)
    asked = Emergency(
        id="g-1",
        household="h",
        viewer="other",
        agency="city",
        office=None,
        reason="missing",
        categories="attendance",
        hours=1,
        asked_at=1,
    )
    async with context.database.writing() as connection:
        await emergencies.add(connection, asked)
        await emergencies.update(connection, "g-1", granted_at=1, due_at=2)

    await remind(context)

    assert ("break_glass_overdue", "g-1") in await told(context, OFFICER)


def test_every_kind_has_its_words() -> None:
    steps = ("ends_within_30_days", "ends_within_7_days", "past_its_date")
    kinds = {f"{what}_{step}" for what in ("shield", "block") for step in steps}
    kinds |= {f"consent_{step}" for step in steps[:2]} | {"shield_provisional"}
    assert kinds <= MESSAGES.keys()


async def test_a_failure_does_not_end_the_reminding(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = asyncio.Event()
    count = 0

    async def failing(_: Context) -> int:
        nonlocal count
        count += 1
        if count == 2:
            tries.set()
        raise KeyError

    monkeypatch.setattr(reminding, "remind", failing)
    task = asyncio.create_task(reminding.keep_reminding(context, seconds=0.0))
    async with asyncio.timeout(10):
        await tries.wait()
    task.cancel()
