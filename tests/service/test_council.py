"""Council cases: members see by law, ex-members nothing; kept by the coordinating desk alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from build import CARE, NURSES, OFFICE
from service.lawful import (
    CENTRE,
    GUIDE,
    GUIDES_CHIEF,
    NURSE,
    a_case,
    a_lawful_home,
    epoch,
    reached,
    stop_the_clock,
)
from service.protected import (
    AUDITOR,
    CHIEF,
    DEPUTY,
    HELPER,
    OFFICER,
    PROTECTOR,
    UNKNOWN,
    WORKER,
    blocked,
    logged,
)

from visitsync.consent.catalogue import LEGAL_BASES
from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.service import council
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.council import CaseDraft, CaseMembers

MONTH = dt.timedelta(days=30)
NURSES_SEAT = f"office:{NURSES}"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


async def test_members_see_what_the_law_opens_from_the_next_question_on(context: Context) -> None:
    home = await a_lawful_home(context)
    before = await epoch(context, home)
    assert await reached(context, GUIDE, home) == set()

    await a_case(context, home)

    seen = await reached(context, GUIDE, home)
    assert {rule for rule, _ in seen} == {"C5"}
    assert {category for _, category in seen} <= set(LEGAL_BASES["council_25_2"].categories)
    assert ("C5", "notes") in seen
    assert await reached(context, GUIDE, home, CARE) == seen
    # Of the same agency, but not in the council; and in the council, but not in this case.
    assert await reached(context, GUIDES_CHIEF, home) == set()
    assert await reached(context, NURSE, home) == set()
    assert await epoch(context, home) == before + 1
    (entry,) = await logged(context, "council_case_recorded")
    assert entry["basis"].endswith("@1")


async def test_who_is_no_member_any_more_sees_nothing(context: Context) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)
    before = await epoch(context, home)

    made = await council.change_members(context, CHIEF, case, CaseMembers(members=(NURSES_SEAT,)))

    assert made.version == 2
    assert await reached(context, GUIDE, home) == set()
    assert ("C5", "notes") in await reached(context, NURSE, home)
    assert await epoch(context, home) == before + 1
    assert len(await logged(context, "council_case_changed")) == 1


async def test_a_closed_case_opens_nothing_and_stays_closed(context: Context) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)

    await council.close(context, OFFICER, case)

    assert await reached(context, GUIDE, home) == set()
    for work in (
        council.close(context, OFFICER, case),
        council.change_members(context, OFFICER, case, CaseMembers(members=(CENTRE,))),
    ):
        with pytest.raises(NotNow) as refused:
            await work
        assert refused.value.where == "closed"
    assert len(await logged(context, "council_case_closed")) == 1
    assert len(await logged(context, "denied")) == 3


@pytest.mark.parametrize("clock_back", [7_200.0])
async def test_a_case_ends_in_the_instant_in_which_it_began(context: Context) -> None:
    home = await a_lawful_home(context)
    await stop_the_clock(context)
    case = await a_case(context, home)
    assert await reached(context, GUIDE, home) != set()

    await council.close(context, OFFICER, case)

    assert await reached(context, GUIDE, home) == set()


async def test_a_case_has_its_own_period(context: Context) -> None:
    home = await a_lawful_home(context)
    later = await a_case(context, home, from_=now() + MONTH, until=now() + 2 * MONTH)
    assert await reached(context, GUIDE, home) == set()
    await a_case(context, home, from_=now() - 2 * MONTH, until=now() - MONTH)
    assert await reached(context, GUIDE, home) == set()
    await a_case(context, home, from_=now() - MONTH, until=now() + MONTH)
    assert await reached(context, GUIDE, home) != set()

    # One that has not begun is closed, too, and names nobody for the instant that is left of it.
    await council.close(context, OFFICER, later)

    found = await council.of_household(context, OFFICER, home, "protection")
    (one,) = (each for each in found.cases if each.id == later)
    assert [len(each.members) for each in one.versions] == [1, 0]
    assert not one.open


@pytest.mark.parametrize(
    "members",
    [
        (),
        ("agency:nobody",),
        ("office:nobody",),
        ("role:supervisor@agency:nobody",),
        ("role:mayor@agency:city",),
        ("viewer:guide",),
        ("agency:cgc@x",),
        (CENTRE, "everybody"),
        (f"office:{OFFICE}",),  # a contracted office that is no member of the council
    ],
    ids=str,
)
async def test_only_who_is_in_the_directory_and_the_council_is_a_member(
    context: Context, members: tuple[str, ...]
) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)
    for work in (
        council.record(context, PROTECTOR, home, CaseDraft(members=members)),
        council.change_members(context, PROTECTOR, case, CaseMembers(members=members)),
    ):
        with pytest.raises(BadParameter) as refused:
            await work
        assert refused.value.where == "members"
    assert len(await logged(context, "council_case_recorded")) == 1
    assert not await logged(context, "council_case_changed")


async def test_a_period_that_is_none_is_refused(context: Context) -> None:
    home = await a_lawful_home(context)
    for said in ({"until": now() - MONTH}, {"from_": now(), "until": now() - MONTH}):
        with pytest.raises(BadParameter):
            await a_case(context, home, **said)


async def steps(context: Context, caller: Caller, home: str, case: str) -> list[Any]:
    return [
        council.record(context, caller, home, CaseDraft(members=(CENTRE,))),
        council.change_members(context, caller, case, CaseMembers(members=(NURSES_SEAT,))),
        council.of_household(context, caller, home, "protection"),
        council.close(context, caller, case),
    ]


async def test_the_desk_alone_keeps_the_cases(context: Context) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)
    for caller in (WORKER, HELPER, AUDITOR, GUIDE, NURSE):
        for at, one in ((home, case), (UNKNOWN, "none")):
            for work in await steps(context, caller, at, one):
                with pytest.raises(NotAllowed):
                    await work
    for caller in (PROTECTOR, CHIEF, OFFICER):
        one = await a_case(context, home)
        for work in await steps(context, caller, home, one):
            await work


async def test_who_may_not_know_of_it_or_is_blocked_gets_the_answer_for_none(
    context: Context,
) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)
    await blocked(context, home, "viewer:deputy", "agency:cgc")
    before = len(await logged(context, "denied"))
    answers = set()
    tries = 0
    for caller, at, one in (
        (GUIDES_CHIEF, home, case),
        (DEPUTY, home, case),
        (OFFICER, UNKNOWN, "none"),
        (OFFICER, "h\x00", "c\x00"),
    ):
        for work in await steps(context, caller, at, one):
            with pytest.raises(UnknownHousehold) as refused:
                await work
            answers.add(str(refused.value))
            tries += 1

    assert len(answers) == 1
    assert len(await logged(context, "denied")) == before + tries
    # Their own block takes the members' sight as well.
    assert await reached(context, GUIDE, home) == set()


async def test_a_block_by_agency_keeps_the_desk_from_it(context: Context) -> None:
    """A colleague of the person hidden from does not choose who may look."""
    home = await a_lawful_home(context)
    await blocked(context, home, "agency:city")
    for work in await steps(context, PROTECTOR, home, "none"):
        with pytest.raises(UnknownHousehold):
            await work


async def test_the_list_has_every_version_and_is_logged(context: Context) -> None:
    home = await a_lawful_home(context)
    case = await a_case(context, home)
    await council.change_members(context, CHIEF, case, CaseMembers(members=(NURSES_SEAT,)))
    await council.close(context, OFFICER, case)
    before = len(await logged(context, "list_read"))

    found = await council.of_household(context, PROTECTOR, home, CARE)

    (one,) = found.cases
    assert (one.id, one.open) == (case, False)
    assert [each.version for each in one.versions] == [1, 2, 3]
    assert [each.members for each in one.versions[:2]] == [(CENTRE,), (NURSES_SEAT,)]
    assert [each.until is None for each in one.versions] == [True, True, False]
    assert len(await logged(context, "list_read")) == before + 1
    with pytest.raises(BadParameter):
        await council.of_household(context, PROTECTOR, home, "curiosity")
    with pytest.raises(UnknownHousehold):
        await council.of_household(context, PROTECTOR, home, "billing")
