"""Address shields: begun alone and at once, seen by nobody else, ended by two people only."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from build import CARE, a_child, a_guardian, a_visit, handed_in
from service.protected import (
    AUDITOR,
    CHIEF,
    CLERK,
    DEPUTY,
    HELPER,
    NEIGHBOUR,
    OFFICER,
    OTHER,
    PROTECTOR,
    UNKNOWN,
    WORKER,
    a_home,
    addresses,
    as_staff,
    blocked,
    closed,
    logged,
    long_ago,
    said,
    shielded,
    shift,
)

from visitsync.consent.withholding import WITHHELD_TEXT
from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.service import closing, shields
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.shields import Confirmation, ShieldDraft
from visitsync.service.timelines import view
from visitsync.service.views import Page
from visitsync.store import epochs

UTC = dt.UTC
WEEK = 7 * 86_400_000_000


@pytest.mark.parametrize("who", ["worker", "chief", "helper", "protector", "officer"])
async def test_whoever_knows_the_family_hides_it_alone_and_for_the_next_request(
    context: Context, who: str
) -> None:
    """D4: no form, no second desk, no waiting."""
    home = await a_home(context)
    assert await addresses(context, WORKER, home)

    await shielded(context, home, as_staff(who))

    seen = await view(context, WORKER, home, CARE)
    assert seen.entries
    assert await addresses(context, WORKER, home) == []
    assert all("office" not in entry.fields["source"] for entry in seen.entries)
    assert all("notes" not in entry.fields.get("notes", {}) for entry in seen.entries)
    (entry,) = await logged(context, "shield_recorded")
    assert (entry["actor"], entry["decision"]) == (f"staff:{who}", "provisional")
    assert "purpose" not in entry


async def test_the_child_protection_worker_is_allowed_unless_said_otherwise(
    context: Context,
) -> None:
    home = await a_home(
        context, recipients=("agency:city",), purposes=("care_coordination", "protection")
    )
    await shielded(context, home)

    assert (await said(context, "shield"))["allowed"] == [
        "role:child_protection_worker@agency:city"
    ]
    assert await addresses(context, WORKER, home) == []


@pytest.mark.parametrize("caller", [OTHER, NEIGHBOUR], ids=lambda one: one.id)
async def test_who_does_not_know_the_family_is_told_nothing(
    context: Context, caller: Caller
) -> None:
    home = await a_home(context)
    told = set()
    for one in (home, UNKNOWN, "x"):
        with pytest.raises(UnknownHousehold) as refused:
            await shields.record(context, caller, one, ShieldDraft())
        told.add(str(refused.value))

    assert len(told) == 1
    assert not await logged(context, "shield_recorded")


@pytest.mark.parametrize("caller", [AUDITOR, CLERK], ids=lambda one: one.id)
async def test_other_roles_begin_none_and_learn_nothing(context: Context, caller: Caller) -> None:
    home = await a_home(context)
    for one in (home, UNKNOWN):
        with pytest.raises(NotAllowed):
            await shields.record(context, caller, one, ShieldDraft())


async def test_a_token_without_the_scope_begins_none(context: Context) -> None:
    home = await a_home(context)
    with pytest.raises(NotAllowed):
        await shields.record(context, Caller.as_staff("worker", "tests"), home, ShieldDraft())


async def test_who_is_blocked_by_name_gets_the_answer_of_no_household_and_it_is_logged(
    context: Context,
) -> None:
    home = await a_home(context)
    await blocked(context, home, "viewer:worker", "viewer:officer")
    before = len(await logged(context, "denied"))
    for one in (WORKER, OFFICER):
        with pytest.raises(UnknownHousehold):
            await shields.record(context, one, home, ShieldDraft())

    assert len(await logged(context, "denied")) == before + 2


@pytest.mark.parametrize(
    "draft",
    [
        {"allowed": ()},
        {"allowed": ("viewer:worker",)},
        {"allowed": ("role:child_protection_worker@agency:elsewhere",)},
        {"allowed": ("role:child_protection_worker@agency:city", "everybody")},
        {
            "from_": dt.datetime(2026, 1, 1, tzinfo=UTC),
            "until": dt.datetime(2025, 1, 1, tzinfo=UTC),
        },
        {"from_": dt.datetime(2026, 1, 1)},  # noqa: DTZ001 -- that it has no offset is wrong
        {"until": dt.datetime(2030, 1, 1)},  # noqa: DTZ001 -- the same
        {"from_": dt.datetime(9999, 12, 1, tzinfo=UTC)},
    ],
)
async def test_what_the_rules_could_not_read_is_not_recorded(
    context: Context, draft: dict[str, Any]
) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter):
        await shielded(context, home, **draft)
    assert await addresses(context, WORKER, home)


async def test_passing_its_date_lifts_nothing(context: Context) -> None:
    home = await a_home(context)
    await shielded(
        context,
        home,
        from_=dt.datetime(2020, 1, 1, tzinfo=UTC),
        until=dt.datetime(2021, 1, 1, tzinfo=UTC),
    )

    assert await addresses(context, WORKER, home) == []
    (one,) = (await shields.ageing(context, OFFICER)).shields
    assert one.because == ("past_its_date",)


async def test_two_people_close_it(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    with pytest.raises(NotNow, match="Nobody asks"):
        await closing.approve(context, CHIEF, "shield", shield)
    await closing.ask(context, CHIEF, "shield", shield)
    with pytest.raises(NotNow, match="already"):
        await closing.ask(context, WORKER, "shield", shield)
    with pytest.raises(NotAllowed):
        await closing.approve(context, CHIEF, "shield", shield)
    for one in (WORKER, PROTECTOR, HELPER):
        with pytest.raises(NotAllowed):
            await closing.approve(context, one, "shield", shield)
    assert await addresses(context, WORKER, home) == []

    closed_now = await closing.approve(context, OFFICER, "shield", shield)

    assert (closed_now.id, closed_now.version) == (shield, 2)
    assert await addresses(context, WORKER, home)
    for again in (closing.ask, closing.approve):
        with pytest.raises(NotNow, match="closed"):
            await again(context, DEPUTY, "shield", shield)
    kinds = [len(await logged(context, one)) for one in ("closing_requested", "shield_closed")]
    assert kinds == [1, 1]


async def test_a_request_lapses_after_a_week(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    await closing.ask(context, CHIEF, "shield", shield)
    await shift(context, "closing", asked_at=WEEK + 1_000_000)
    with pytest.raises(NotNow, match="Nobody asks"):
        await closing.approve(context, OFFICER, "shield", shield)

    await closing.ask(context, WORKER, "shield", shield)
    await closing.approve(context, OFFICER, "shield", shield)


async def test_who_does_not_know_the_family_closes_nothing(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    for one in (shield, "none"):
        with pytest.raises(UnknownHousehold):
            await closing.ask(context, OTHER, "shield", one)
        with pytest.raises(NotAllowed):
            await closing.approve(context, OTHER, "shield", one)
    await blocked(context, home, "viewer:deputy")
    with pytest.raises(UnknownHousehold):
        await closing.ask(context, DEPUTY, "shield", shield)


async def test_each_of_several_shields_hides_for_itself(context: Context) -> None:
    home = await a_home(context)
    first = await shielded(context, home)
    await shielded(
        context, home, allowed=("role:child_protection_worker@agency:city", "viewer:worker")
    )
    assert await addresses(context, WORKER, home) == []

    await closed(context, "shield", first)

    assert await addresses(context, WORKER, home)


async def test_a_page_shows_no_note_that_the_whole_timeline_withholds(context: Context) -> None:
    """What only another report knows to be where they live counts on every page."""
    home = await a_home(context)
    note = {"notes": "次はことりへ。"}
    living = msgspec.structs.replace(a_guardian(), address="汐見市ことり4-21")
    await handed_in(context, [a_visit(3, notes=note), a_visit(4, persons=(living, a_child()))])

    async def first_note() -> object:
        third = dt.date(2026, 4, 4)
        page = Page(start=third, until=third)
        found = await view(context, WORKER, home, CARE, page, acknowledged=True)
        (entry,) = found.entries
        return entry.fields["notes"]

    assert await first_note() == note
    await shielded(context, home, withhold_notes=False)
    assert await first_note() == {"notes": WITHHELD_TEXT}


async def test_the_protection_officer_is_told_which_wait_for_somebody(context: Context) -> None:
    home = await a_home(context)
    now = dt.datetime.now(UTC)
    body: dict[str, Any] = {
        "from": "2020-01-01T00:00:00+00:00",
        "closed_at": None,
        "allowed": ["role:child_protection_worker@agency:city"],
        "withhold_notes": True,
    }
    ends = {
        "s-open": None,
        "s-30": now + dt.timedelta(days=20),
        "s-7": now + dt.timedelta(days=3),
        "s-far": now + dt.timedelta(days=300),
    }
    for one, end in ends.items():
        until = None if end is None else end.isoformat()
        await long_ago(context, "shield", home, one, **body, until=until)
    await shielded(context, home)

    found = {one.shield: one.because for one in (await shields.ageing(context, OFFICER)).shields}
    assert found == {
        "s-open": ("provisional_over_1_day",),
        "s-30": ("provisional_over_1_day", "ends_within_30_days"),
        "s-7": ("provisional_over_1_day", "ends_within_7_days"),
        "s-far": ("provisional_over_1_day",),
    }

    await shields.confirm(context, OFFICER, "s-open", Confirmation())
    later = Confirmation(until=now + dt.timedelta(days=200))
    confirmed = await shields.confirm(context, PROTECTOR, "s-7", later)
    await closed(context, "shield", "s-30")

    assert confirmed.version == 2
    left = {one.shield for one in (await shields.ageing(context, OFFICER)).shields}
    assert left == {"s-far"}
    for caller in (WORKER, CHIEF, AUDITOR):
        with pytest.raises(NotAllowed):
            await shields.ageing(context, caller)
    await blocked(context, home, "viewer:deputy")
    assert (await shields.ageing(context, DEPUTY)).shields == ()


async def test_confirming_needs_a_role_and_a_date_ahead(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    for one in (WORKER, HELPER):
        with pytest.raises(NotAllowed):
            await shields.confirm(context, one, shield, Confirmation())
    for wrong in (dt.datetime(2020, 1, 1, tzinfo=UTC), dt.datetime(2090, 1, 1)):  # noqa: DTZ001 -- no offset
        with pytest.raises(BadParameter):
            await shields.confirm(context, OFFICER, shield, Confirmation(until=wrong))
    with pytest.raises(UnknownHousehold):
        await shields.confirm(context, OFFICER, "none", Confirmation())


async def test_each_step_raises_the_epoch_so_that_no_look_under_way_slips_through(
    context: Context,
) -> None:
    home = await a_home(context)
    scope = epochs.of_household(home)

    async def raised() -> bool:
        """Whether a look that was decided before is refused its entry."""
        async with context.database.reading() as connection:
            value = (await epochs.read(connection, [scope]))[scope]
        higher = value > seen[-1]
        seen.append(value)
        return higher

    seen = [-1]
    assert await raised()
    shield = await shielded(context, home)
    assert await raised()
    block = await blocked(context, home, "viewer:other")
    assert await raised()
    await closed(context, "shield", shield)
    assert await raised()
    await closed(context, "block", block)
    assert await raised()
