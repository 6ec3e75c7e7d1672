"""Laws invoked by two people: what one person does alone opens nothing, whoever they are."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import CARE, OFFICE, SECOND_OFFICE
from service.lawful import (
    CENTRE,
    GUIDE,
    GUIDES_CHIEF,
    REASON,
    a_draft,
    a_lawful_home,
    bodies,
    epoch,
    invoked,
    reached,
    requested,
    stop_the_clock,
)
from service.protected import (
    AUDITOR,
    CHIEF,
    DEPUTY,
    HELPER,
    NEIGHBOUR,
    OFFICER,
    OTHER,
    PROTECTOR,
    SECOND_CHIEF,
    UNKNOWN,
    WORKER,
    blocked,
    logged,
    long_ago,
    shielded,
)
from service.test_emergencies import told

from visitsync.errors import (
    BadParameter,
    DatabaseUnavailable,
    NotAllowed,
    NotNow,
    UnknownHousehold,
    VisitsyncError,
)
from visitsync.service import council, directives, invocations, openings
from visitsync.service import invoked as listed
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.council import CaseDraft
from visitsync.service.openings import ShieldOpening
from visitsync.store import invocations as store
from visitsync.store.invocations import Request

DAY = 86_400_000_000


def ahead(**time: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(**time)


async def test_it_opens_once_a_second_person_approved_and_no_more_than_was_asked(
    context: Context,
) -> None:
    home = await a_lawful_home(context)
    one = await requested(context, home)
    assert await reached(context, GUIDE, home) == set()
    assert await bodies(context, "invocation") == []
    before = await epoch(context, home)

    made = await invocations.approve(context, CHIEF, one)

    assert (made.id, made.version) == (one, 1)
    opened = {"attendance", "services", "notes", "contact", "identity"}
    assert await reached(context, GUIDE, home) == {("C5", each) for each in opened}
    assert await reached(context, GUIDE, home, CARE) == {("C5", each) for each in opened}
    assert await reached(context, OTHER, home) == set()
    assert await epoch(context, home) == before + 1
    (body,) = await bodies(context, "invocation")
    assert (body["requested_by"], body["approved_by"]) == ("worker", "chief")
    assert body["approver_role"] == "supervisor"
    (asked,) = await logged(context, "invocation_requested")
    (approved,) = await logged(context, "invocation_approved")
    assert asked["basis"] == f"{one} child_abuse_13_4"
    assert approved["basis"] == f"{one}@1 child_abuse_13_4"


async def test_the_role_of_an_officer_is_recorded(context: Context) -> None:
    home = await a_lawful_home(context)
    await invoked(context, home, by=OFFICER)
    (body,) = await bodies(context, "invocation")
    assert body["approver_role"] == "protection_officer"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"basis": "council_25_2"}, "basis"),
        ({"basis": "curiosity"}, "basis"),
        ({"categories": ()}, "categories"),
        ({"categories": ("economy",)}, "categories"),
        ({"categories": ("everything",)}, "categories"),
        ({"basis": "council_25_3", "categories": ("notes", "contact")}, "categories"),
        ({"recipients": ()}, "recipients"),
        ({"recipients": ("agency:nobody",)}, "recipients"),
        ({"recipients": ("viewer:guide",)}, "recipients"),
        ({"valid_until": dt.timedelta(days=184, minutes=5)}, "valid_until"),
        ({"valid_until": dt.timedelta(minutes=-1)}, "valid_until"),
        ({"reason": " \n"}, "reason"),
    ],
    ids=str,
)
async def test_what_the_law_does_not_give_is_not_asked_for(
    context: Context, changed: dict[str, Any], where: str
) -> None:
    home = await a_lawful_home(context)
    if where == "valid_until":
        changed = {where: dt.datetime.now(dt.UTC) + changed[where]}
    with pytest.raises(BadParameter) as refused:
        await requested(context, home, **changed)
    assert refused.value.where == where
    assert not await logged(context, "invocation_requested")


async def test_half_a_year_is_not_too_long(context: Context) -> None:
    home = await a_lawful_home(context)
    await invoked(context, home, valid_until=ahead(days=183.99))
    assert await reached(context, GUIDE, home) != set()


async def test_nobody_approves_what_they_asked_for(context: Context) -> None:
    home = await a_lawful_home(context)
    for caller in (CHIEF, OFFICER):
        one = await requested(context, home, caller)
        with pytest.raises(NotAllowed):
            await invocations.approve(context, caller, one)
        assert await reached(context, GUIDE, home) == set()
    one = await requested(context, home, CHIEF)
    await invocations.approve(context, SECOND_CHIEF, one)
    assert await reached(context, GUIDE, home) != set()


async def test_who_may_ask_approve_and_end(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await requested(context, home)
    for caller in (HELPER, AUDITOR, NEIGHBOUR):
        with pytest.raises(NotAllowed):
            await requested(context, home, caller)
        with pytest.raises(NotAllowed):
            await invocations.end(context, caller, one)
    for caller in (WORKER, PROTECTOR, HELPER, AUDITOR, GUIDE):
        for name in (one, "none"):
            with pytest.raises(NotAllowed):
                await invocations.approve(context, caller, name)
    for caller in (WORKER, PROTECTOR, CHIEF, OFFICER):
        await invocations.end(context, caller, await invoked(context, home, PROTECTOR, DEPUTY))


async def test_who_may_not_know_of_it_or_is_blocked_gets_the_answer_for_none(
    context: Context,
) -> None:
    home = await a_lawful_home(context)
    held = await invoked(context, home)
    waits = await requested(context, home)
    shield = await shielded(context, home)
    await blocked(context, home, "viewer:deputy", "office:nurses-01")
    before = len(await logged(context, "denied"))
    answers = set()
    tries = 0
    for caller, at, names in (
        (OTHER, home, None),
        (GUIDES_CHIEF, home, (waits, held)),
        (DEPUTY, home, (waits, held)),
        (OFFICER, UNKNOWN, ("none", "none")),
        (OFFICER, "h\x00", ("i\x00", "i\x00")),
    ):
        work: list[Awaitable[Any]] = [
            invocations.ask(context, caller, at, a_draft()),
            listed.of_household(context, caller, at, "protection"),
        ]
        if names is not None:
            said = ShieldOpening(shield=shield)
            work += [
                invocations.approve(context, caller, names[0]),
                invocations.end(context, caller, names[1]),
                openings.confirm(context, caller, "invocation", names[1], said),
                openings.confirm(context, caller, "break_glass", names[1], said),
            ]
        for each in work:
            with pytest.raises(UnknownHousehold) as refused:
                await each
            answers.add(str(refused.value))
            tries += 1
    assert len(answers) == 1
    assert len(await logged(context, "denied")) == before + tries


async def test_a_block_by_agency_keeps_who_would_decide_from_it(context: Context) -> None:
    home = await a_lawful_home(context)
    waits = await requested(context, home)
    await blocked(context, home, "agency:city")
    with pytest.raises(UnknownHousehold):
        await invocations.approve(context, OFFICER, waits)


async def asked_long_ago(context: Context, home: str, ago: int, **said: Any) -> str:
    """A request of some microseconds ago."""
    body = {
        "basis": "child_abuse_13_4",
        "recipients": [CENTRE],
        "categories": ["notes"],
        "until": ahead(days=90).isoformat(),
        **said,
    }
    async with context.log.writing() as turn:
        at = (await turn.hold()).now - ago
        row = Request("i1", home, at, "worker", msgspec.json.encode(body).decode())
        await store.add(turn.connection, row)
    return "i1"


async def test_a_request_lapses_after_a_week(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await asked_long_ago(context, home, 7 * DAY + 1_000_000)
    with pytest.raises(NotNow) as refused:
        await invocations.approve(context, CHIEF, one)
    assert refused.value.where == "lapsed"
    assert await reached(context, GUIDE, home) == set()
    found = await listed.of_household(context, CHIEF, home, CARE)
    assert [each.state for each in found.invocations] == ["lapsed"]


async def test_within_the_week_it_does_not(context: Context) -> None:
    home = await a_lawful_home(context)
    await invocations.approve(context, CHIEF, await asked_long_ago(context, home, 7 * DAY - DAY))
    assert await reached(context, GUIDE, home) != set()


async def test_one_whose_end_has_passed_is_not_approved(context: Context) -> None:
    home = await a_lawful_home(context)
    past = ahead(minutes=-1).isoformat()
    one = await asked_long_ago(context, home, DAY, until=past)
    with pytest.raises(NotNow):
        await invocations.approve(context, CHIEF, one)


async def test_it_is_approved_once(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await invoked(context, home)
    with pytest.raises(NotNow) as refused:
        await invocations.approve(context, OFFICER, one)
    assert refused.value.where == "approved"
    assert len(await bodies(context, "invocation")) == 1


async def test_of_two_who_approve_at_once_one_does(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await requested(context, home)
    answers = await asyncio.gather(
        *(invocations.approve(context, caller, one) for caller in (CHIEF, OFFICER, DEPUTY)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, NotNow) for each in answers) == 2
    assert len(await bodies(context, "invocation")) == 1
    assert len(await logged(context, "invocation_approved")) == 1


async def test_an_approval_of_which_a_part_fails_is_not_there_at_all(context: Context) -> None:
    """Fact, messages and log entry are of one transaction."""
    home = await a_lawful_home(context)
    one = await requested(context, home)
    before = await epoch(context, home)
    async with context.database.writing() as connection:
        await connection.execute(sa.text("ALTER TABLE message RENAME TO gone"))

    with pytest.raises(DatabaseUnavailable):
        await invocations.approve(context, CHIEF, one)

    assert await bodies(context, "invocation") == []
    assert await logged(context, "invocation_approved") == []
    assert await epoch(context, home) == before
    async with context.database.writing() as connection:
        await connection.execute(sa.text("ALTER TABLE gone RENAME TO message"))
    await invocations.approve(context, CHIEF, one)
    assert await reached(context, GUIDE, home) != set()


async def test_it_ends_at_once_by_one_person_and_for_good(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await invoked(context, home)
    before = await epoch(context, home)

    made = await invocations.end(context, WORKER, one)

    assert made.version == 2
    assert await reached(context, GUIDE, home) == set()
    assert await epoch(context, home) == before + 1
    first, last = await bodies(context, "invocation")
    assert last["valid"]["until"] < first["valid"]["until"]
    assert {**first, "valid": None} == {**last, "valid": None}
    for again in (invocations.end, invocations.approve):
        with pytest.raises(NotNow):
            await again(context, CHIEF, one)
    assert len(await logged(context, "invocation_ended")) == 1


@pytest.mark.parametrize("clock_back", [7_200.0])
async def test_it_ends_in_the_instant_in_which_it_began(context: Context) -> None:
    home = await a_lawful_home(context)
    await stop_the_clock(context)
    one = await invoked(context, home)
    assert await reached(context, GUIDE, home) != set()

    await invocations.end(context, WORKER, one)

    assert await reached(context, GUIDE, home) == set()


async def test_a_request_is_no_directive_and_a_directive_is_none(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await requested(context, home)
    with pytest.raises(UnknownHousehold):
        await directives.confirm(context, CHIEF, one)
    with pytest.raises(UnknownHousehold):
        await invocations.end(context, CHIEF, one)
    assert await bodies(context, "invocation") == []


async def test_the_source_offices_are_told_without_a_word_of_the_family(context: Context) -> None:
    home = await a_lawful_home(context)
    await blocked(context, home, f"office:{SECOND_OFFICE}")
    one = await requested(context, home)
    assert await told(context, HELPER) == []
    assert ("staff:officer", "invocation_asked", one) in await told(context, OFFICER)

    await invocations.approve(context, CHIEF, one)

    assert await told(context, HELPER) == [(f"office:{OFFICE}", "invocation_approved", one)]
    async with context.database.reading() as connection:
        asked = sa.text("SELECT reader FROM message WHERE kind = 'invocation_approved'")
        rows = (await connection.execute(asked)).all()
    assert [row.reader for row in rows] == [f"office:{OFFICE}"]


async def test_why_it_was_asked_for_is_sealed_and_read_by_who_decides(context: Context) -> None:
    home = await a_lawful_home(context)
    held = await invoked(context, home)
    waits = await requested(context, home)

    for caller, reason in ((CHIEF, REASON), (OFFICER, REASON), (WORKER, None), (PROTECTOR, None)):
        found = await listed.of_household(context, caller, home, CARE)
        assert REASON not in repr(found)
        told_ = {each.id: (each.state, each.reason) for each in found.invocations}
        assert told_ == {held: ("in_force", None), waits: ("waiting", reason)}
    async with context.database.reading() as connection:
        for table in ("invocation_request", "fact", "message"):
            rows = await connection.execute(sa.text(f"SELECT * FROM {table}"))  # noqa: S608 -- ours
            assert REASON not in str(rows.all())
        leaves = await connection.execute(sa.text("SELECT leaf FROM log_entry"))
        assert REASON not in str(leaves.all())
    await invocations.end(context, CHIEF, held)
    found = await listed.of_household(context, CHIEF, home, CARE)
    assert found.invocations[0].state == "ended"


async def test_stored_as_approved_by_who_asked_it_opens_nothing(context: Context) -> None:
    home = await a_lawful_home(context)
    body: dict[str, Any] = {
        "basis": "child_abuse_13_4",
        "requested_by": "chief",
        "approver_role": "supervisor",
        "recipients": [CENTRE],
        "categories": ["notes"],
        "valid": {"from": ahead(days=-1).isoformat(), "until": ahead(days=1).isoformat()},
        "shield": None,
        "confirmed_by": None,
        "confirmer_role": None,
    }
    await long_ago(context, "invocation", home, "i1", approved_by="chief", **body)
    assert await reached(context, GUIDE, home) == set()
    # The control: approved by somebody else it does. Of another id: one unreadable fact hides
    # nothing of the others.
    await long_ago(context, "invocation", home, "i2", approved_by="officer", **body)
    assert await reached(context, GUIDE, home) != set()


EVERYBODY = (
    *(WORKER, OTHER, CHIEF, SECOND_CHIEF, HELPER, NEIGHBOUR, AUDITOR, PROTECTOR, OFFICER),
    *(DEPUTY, GUIDE, GUIDES_CHIEF),
)


async def alone(context: Context, caller: Caller, home: str, shield: str, seed: int) -> int:
    """Whatever one person tries, in some order; answers how much of it was not refused."""
    chance = random.Random(seed)  # noqa: S311 -- any order will do
    names = ["none"]
    done = 0

    async def ask() -> None:
        basis = chance.choice(("child_abuse_13_4", "council_25_3", "privacy_69_2_3"))
        draft = a_draft(
            basis=basis,
            categories=("attendance",),
            recipients=(CENTRE, "agency:city", "agency:npo"),
        )
        names.append((await invocations.ask(context, caller, home, draft)).id)

    def said() -> ShieldOpening:
        return ShieldOpening(shield=shield)

    steps: tuple[Callable[[], Awaitable[Any]], ...] = (
        ask,
        lambda: invocations.approve(context, caller, names[-1]),
        lambda: invocations.approve(context, caller, chance.choice(names)),
        lambda: invocations.end(context, caller, names[-1]),
        lambda: openings.confirm(context, caller, "invocation", names[-1], said()),
        lambda: openings.confirm(context, caller, "break_glass", names[-1], said()),
        lambda: directives.confirm(context, caller, names[-1]),
        lambda: council.close(context, caller, names[-1]),
        lambda: council.record(
            context, caller, home, CaseDraft(members=(CENTRE,), until=ahead(seconds=-1))
        ),
    )
    for step in [ask, *chance.choices(steps, k=12), steps[1]]:
        try:
            await step()
            done += 1
        except VisitsyncError:
            pass
    return done


async def test_no_single_person_brings_a_law_into_force(context: Context) -> None:
    """Whoever they are and whatever they try, in whatever order: no fact, and nothing opens."""
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    done = 0
    for seed, caller in enumerate(EVERYBODY):
        # The requests of those before wait too, but not by their ids: nobody else approves here.
        done += await alone(context, caller, home, shield, seed)
    assert done >= 5
    assert await bodies(context, "invocation") == []
    for caller in EVERYBODY:
        assert not {one for one in await reached(context, caller, home) if one[0] == "C5"}

    # The control: the same with one other person in it.
    await invoked(context, home)
    assert await reached(context, GUIDE, home) != set()
