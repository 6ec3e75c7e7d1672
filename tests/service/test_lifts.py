"""A lift (D3): one document, one recipient, 15 minutes, two people, once."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from build import CARE, OPERATOR, a_guardian, a_visit, consented, handed_in
from service.protected import (
    AUDITOR,
    CHIEF,
    DEPUTY,
    HELPER,
    OFFICER,
    OTHER,
    WORKER,
    a_home,
    addresses,
    as_staff,
    blocked,
    closed,
    logged,
    shielded,
    shift,
)

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.service import (
    closing,
    emergencies,
    emergency_reviews,
    lifts,
    messages,
    shields,
    tokens,
)
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.emergencies import EmergencyDraft
from visitsync.service.emergency_reviews import ReviewDraft
from visitsync.service.lifts import LiftDraft
from visitsync.service.shields import Confirmation, ShieldDraft

MINUTE = 60_000_000
use = functools.partial(lifts.use, acknowledged=True)


def a_draft(**changed: Any) -> LiftDraft:
    parts: dict[str, Any] = {
        "recipient": "viewer:worker",
        "document": "court_document",
        "reason": "裁判所への提出",
    }
    return LiftDraft(**{**parts, **changed})


async def asked(context: Context, shield: str, **changed: Any) -> str:
    return (await lifts.ask(context, WORKER, shield, a_draft(**changed))).id


async def approved(context: Context, shield: str, **changed: Any) -> str:
    one = await asked(context, shield, **changed)
    await lifts.approve(context, OFFICER, one)
    return one


async def refused(context: Context, caller: Caller, one: str, where: str) -> None:
    """Using it is refused for this reason, and that stands in the log."""
    before = len(await logged(context, "denied"))
    with pytest.raises(NotNow) as error:
        await use(context, caller, one, CARE)
    assert error.value.where == where
    assert len(await logged(context, "denied")) == before + 1


async def test_it_answers_the_newest_address_once_and_the_shield_stands(context: Context) -> None:
    home = await a_home(context)
    moved = (a_guardian(address="試験市港町1-2-3", postal_code="0000999"),)
    await handed_in(context, [a_visit(150, persons=moved)])
    shield = await shielded(context, home)
    one = await approved(context, shield)

    lifted = await use(context, WORKER, one, CARE)

    assert (lifted.shield, lifted.document, lifted.protected) == (shield, "court_document", True)
    assert [(who.address, who.phone) for who in lifted.persons] == [
        ("試験市港町1-2-3", "000-8524-4921")
    ]
    assert "港町" not in repr(lifted)
    assert await addresses(context, WORKER, home) == []
    await refused(context, WORKER, one, "used")
    (entry,) = await logged(context, "lift_used")
    assert (entry["basis"], entry["records"], entry["purpose"]) == (f"{one} C7:{shield}", 1, CARE)


async def test_a_second_clerk_gets_nothing_of_it(context: Context) -> None:
    """Okayama: the block was lifted for one request, and another officer issued too."""
    home = await a_home(context)
    shield = await shielded(context, home)
    one = await approved(context, shield)
    before = len(await logged(context, "denied"))
    others = (OTHER, CHIEF, OFFICER, HELPER)
    for caller in others:
        for name in (one, "none"):
            with pytest.raises(UnknownHousehold):
                await use(context, caller, name, CARE)

    assert len(await logged(context, "denied")) == before + 2 * len(others)
    assert (await use(context, WORKER, one, CARE)).persons


async def test_after_fifteen_minutes_it_is_over(context: Context) -> None:
    home = await a_home(context)
    one = await approved(context, await shielded(context, home))
    await shift(context, "lift", approved_at=15 * MINUTE + 1_000_000)

    await refused(context, WORKER, one, "late")


async def test_without_a_second_person_it_opens_nothing(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    one = await asked(context, shield)
    await refused(context, WORKER, one, "not_approved")
    for caller in (WORKER, HELPER, AUDITOR):
        with pytest.raises(NotAllowed):
            await lifts.approve(context, caller, one)

    own = (await lifts.ask(context, CHIEF, shield, a_draft())).id
    for_chief = await asked(context, shield, recipient="viewer:chief")
    for each in (own, for_chief):
        with pytest.raises(NotAllowed):
            await lifts.approve(context, CHIEF, each)
    await lifts.approve(context, CHIEF, one)
    with pytest.raises(NotNow):
        await lifts.approve(context, OFFICER, one)
    with pytest.raises(UnknownHousehold):
        await lifts.approve(context, OFFICER, "none")


async def test_a_request_lapses_after_a_day(context: Context) -> None:
    home = await a_home(context)
    one = await asked(context, await shielded(context, home))
    await shift(context, "lift", asked_at=24 * 60 * MINUTE + 1_000_000)
    with pytest.raises(NotNow):
        await lifts.approve(context, OFFICER, one)


async def test_it_lifts_one_shield_and_permits_nothing(context: Context) -> None:
    home = await a_home(context)
    first = await shielded(context, home)
    second = await shielded(context, home)
    one = await approved(context, first)
    with pytest.raises(UnknownHousehold):
        await use(context, WORKER, one, CARE)
    await closed(context, "shield", second)
    with pytest.raises(UnknownHousehold):
        await use(context, WORKER, one, "eligibility")
    for_other = await approved(context, first, recipient="viewer:other")
    with pytest.raises(UnknownHousehold):
        await use(context, OTHER, for_other, CARE)

    assert (await use(context, WORKER, one, CARE)).persons, "what failed did not use it up"


async def test_neither_a_refusal_nor_a_block_is_lifted(context: Context) -> None:
    home = await a_home(context)
    one = await approved(context, await shielded(context, home))
    block = await blocked(context, home, "viewer:worker")
    with pytest.raises(UnknownHousehold):
        await use(context, WORKER, one, CARE)
    await closed(context, "block", block)
    await consented(
        context, home, effect="deny", sources="*", recipients="*", purposes="*", categories="*"
    )
    with pytest.raises(UnknownHousehold):
        await use(context, WORKER, one, CARE)


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": "viewer:nobody"},
        {"recipient": "agency:city"},
        {"recipient": "worker"},
        {"document": "a_letter"},
        {"reason": " "},
    ],
)
async def test_what_names_nobody_or_nothing_is_refused(
    context: Context, changed: dict[str, Any]
) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    with pytest.raises(BadParameter):
        await asked(context, shield, **changed)


async def test_who_does_not_know_the_family_asks_for_none(context: Context) -> None:
    home = await a_home(context)
    shield = await shielded(context, home)
    for name in (shield, "none"):
        with pytest.raises(UnknownHousehold):
            await lifts.ask(context, OTHER, name, a_draft())
        with pytest.raises(NotAllowed):
            await lifts.ask(context, AUDITOR, name, a_draft())
    await blocked(context, home, "viewer:deputy")
    one = await asked(context, shield)
    with pytest.raises(UnknownHousehold):
        await lifts.approve(context, DEPUTY, one)
    await closed_by_others(context, shield)
    with pytest.raises(NotNow):
        await asked(context, shield)


async def closed_by_others(context: Context, shield: str) -> None:
    await closing.ask(context, WORKER, "shield", shield)
    await closing.approve(context, OFFICER, "shield", shield)


async def test_a_wrong_purpose_or_an_office_is_refused(context: Context) -> None:
    home = await a_home(context)
    one = await approved(context, await shielded(context, home))
    with pytest.raises(BadParameter):
        await use(context, WORKER, one, "curiosity")
    with pytest.raises(NotAllowed):
        await use(context, Caller.operator("tests"), one, CARE)


@pytest.mark.parametrize("name", ["", "\x00", "l" * 500, "' or 1=1", "\ud800"])
async def test_what_can_be_no_id_is_answered_like_an_unknown_one(
    context: Context, name: str
) -> None:
    home = await a_home(context)
    caller = as_staff("officer")
    issued = await tokens.issue(context, OPERATOR, subject="staff:other", days=1)
    other = await tokens.authenticate(context, issued.secret)
    emergency = EmergencyDraft(
        reason="missing", text="不明", categories=("notes",), proof=issued.secret
    )
    review = ReviewDraft(outcome="justified", text="確認した")
    for asking in (
        shields.record(context, caller, name, ShieldDraft()),
        shields.confirm(context, caller, name, Confirmation()),
        closing.ask(context, caller, "block", name),
        closing.approve(context, caller, "shield", name),
        lifts.ask(context, caller, name, a_draft()),
        lifts.approve(context, caller, name),
        use(context, caller, name, CARE),
        emergencies.ask(context, other, name, emergency),
        emergencies.approve(context, caller, name),
        emergency_reviews.review(context, caller, name, review),
    ):
        with pytest.raises(UnknownHousehold):
            await asking
    assert (await messages.mine(context, caller, cursor=name)).messages == ()
    assert await addresses(context, WORKER, home)
