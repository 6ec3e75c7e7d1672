"""Past a shield by law or emergency (C7): only that shield, only when somebody else confirmed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from service.lawful import (
    CENTRE,
    GUIDE,
    PROTECTION,
    a_lawful_home,
    bodies,
    epoch,
    invoked,
    reached,
    requested,
)
from service.protected import (
    CHIEF,
    DEPUTY,
    OFFICER,
    OTHER,
    PROTECTOR,
    SECOND_CHIEF,
    WORKER,
    addresses,
    closed,
    logged,
    long_ago,
    shielded,
)
from service.test_emergencies import JUSTIFIED, UNJUSTIFIED, asked, told

from visitsync.errors import NotAllowed, NotNow, UnknownHousehold
from visitsync.service import emergency_reviews, invocations, openings
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.openings import Kind, ShieldOpening

CITY = "agency:city"


async def opened(context: Context, kind: Kind, one: str, shield: str, by: Caller = OFFICER) -> int:
    made = await openings.confirm(context, by, kind, one, ShieldOpening(shield=shield))
    return made.version


async def refused(  # noqa: PLR0913, PLR0917 -- what is opened, for what, by whom
    context: Context, kind: Kind, one: str, shield: str, by: Caller, why: type[Exception]
) -> str | None:
    before = await bodies(context, kind)
    with pytest.raises(why) as error:
        await opened(context, kind, one, shield, by)
    assert await bodies(context, kind) == before
    return getattr(error.value, "where", None)


async def test_an_invocation_opens_the_address_past_the_shield_it_names_alone(
    context: Context,
) -> None:
    home = await a_lawful_home(context)
    one = await invoked(context, home)
    assert await addresses(context, GUIDE, home, PROTECTION)
    shield = await shielded(context, home)
    assert await addresses(context, GUIDE, home, PROTECTION) == []
    before = await epoch(context, home)

    assert await opened(context, "invocation", one, shield) == 2

    assert await addresses(context, GUIDE, home, PROTECTION)
    assert await epoch(context, home) == before + 1
    (_, body) = await bodies(context, "invocation")
    assert (body["shield"], body["confirmed_by"], body["confirmer_role"]) == (
        shield,
        "officer",
        "protection_officer",
    )
    (entry,) = await logged(context, "shield_opened")
    assert entry["basis"] == f"{one}@2 C7:{shield}"
    assert ("staff:deputy", "shield_opened", one) in await told(context, DEPUTY)
    # Nobody else sees more by it.
    assert await addresses(context, WORKER, home) == []
    # A second shield hides it again, and one confirmation is for one shield.
    second = await shielded(context, home)
    assert await addresses(context, GUIDE, home, PROTECTION) == []
    assert await opened(context, "invocation", one, second) == 3
    assert await addresses(context, GUIDE, home, PROTECTION) == []
    await closed(context, "shield", shield)
    assert await addresses(context, GUIDE, home, PROTECTION)
    await invocations.end(context, WORKER, one)
    assert await reached(context, GUIDE, home) == set()


async def test_a_grant_opens_it_and_can_be_reviewed_afterwards(context: Context) -> None:
    home = await a_lawful_home(context)
    first, second = await shielded(context, home), await shielded(context, home)
    access = await asked(context, home, categories=("contact", "identity", "services"))
    assert await opened(context, "break_glass", access.id, first, CHIEF) == 2
    assert await addresses(context, OTHER, home, PROTECTION) == []
    await closed(context, "shield", second)
    assert await addresses(context, OTHER, home, PROTECTION)

    with pytest.raises(NotAllowed, match="opened the address"):
        await emergency_reviews.review(context, CHIEF, access.id, JUSTIFIED)
    made = await emergency_reviews.review(context, OFFICER, access.id, JUSTIFIED)

    assert made.version == 3
    assert await addresses(context, OTHER, home, PROTECTION)
    body = (await bodies(context, "break_glass"))[-1]
    assert (body["review"], body["shield"], body["confirmed_by"]) == ("justified", first, "chief")


async def test_who_asked_or_looks_does_not_confirm(context: Context) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    one = await invoked(context, home, SECOND_CHIEF, CHIEF)
    access = await asked(context, home, "chief", categories=("contact", "identity"))

    await refused(context, "invocation", one, shield, SECOND_CHIEF, NotAllowed)
    await refused(context, "break_glass", access.id, shield, CHIEF, NotAllowed)

    assert await addresses(context, GUIDE, home, PROTECTION) == []
    assert await addresses(context, CHIEF, home, PROTECTION) == []
    # Who approved it may: they are neither.
    await opened(context, "invocation", one, shield, CHIEF)
    assert await addresses(context, GUIDE, home, PROTECTION)


async def test_whom_a_list_names_by_their_role_does_not_confirm(context: Context) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    one = await invoked(context, home, recipients=(CENTRE, "role:supervisor@agency:city"))
    await refused(context, "invocation", one, shield, SECOND_CHIEF, NotAllowed)
    await opened(context, "invocation", one, shield, OFFICER)


async def test_who_confirmed_for_an_agency_sees_nothing_by_it_themselves(context: Context) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    one = await invoked(context, home, recipients=(CITY,))
    await opened(context, "invocation", one, shield, OFFICER)
    assert await addresses(context, OFFICER, home, PROTECTION) == []
    assert await addresses(context, OTHER, home, PROTECTION)


async def test_other_roles_confirm_nothing(context: Context) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    one = await invoked(context, home)
    for caller in (WORKER, PROTECTOR, GUIDE, OTHER):
        await refused(context, "invocation", one, shield, caller, NotAllowed)
        await refused(context, "break_glass", one, shield, caller, NotAllowed)


async def test_only_a_shield_of_the_household_that_is_in_force(context: Context) -> None:
    home = await a_lawful_home(context)
    one = await invoked(context, home)
    over = await shielded(context, home)
    await closed(context, "shield", over)
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    later = await shielded(context, home, from_=tomorrow)
    protects: dict[str, Any] = {
        "from": "2020-02-01T00:00:00+00:00",
        "until": None,
        "closed_at": None,
        "allowed": [],
        "withhold_notes": True,
    }
    await long_ago(context, "shield", "h" + "b" * 26, "s9", **protects)

    for shield in ("none", "s9", "s\x00", one):
        await refused(context, "invocation", one, shield, OFFICER, UnknownHousehold)
    for shield in (over, later):
        where = await refused(context, "invocation", one, shield, OFFICER, NotNow)
        assert where == "shield"


async def test_what_has_ended_or_opens_no_address_is_not_confirmed(context: Context) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    over = await invoked(context, home)
    await invocations.end(context, WORKER, over)
    without = await invoked(context, home, categories=("notes",))
    waits = await requested(context, home)
    access = await asked(context, home, categories=("contact",))
    await emergency_reviews.review(context, OFFICER, access.id, UNJUSTIFIED)

    assert await refused(context, "invocation", over, shield, OFFICER, NotNow) == "ended"
    assert await refused(context, "invocation", without, shield, OFFICER, NotNow) == "no_contact"
    assert await refused(context, "break_glass", access.id, shield, DEPUTY, NotNow) == "ended"
    await refused(context, "invocation", waits, shield, OFFICER, UnknownHousehold)


@pytest.mark.parametrize(
    ("by", "role", "sees"),
    [
        ("other", "supervisor", False),  # the viewer
        ("worker", "supervisor", False),  # who asked
        ("officer", "case_worker", False),
        ("officer", None, False),
        (None, "protection_officer", False),
        ("officer", "protection_officer", True),  # the control
    ],
)
async def test_a_confirmation_stored_by_who_may_not_opens_nothing(
    context: Context, by: str | None, role: str | None, *, sees: bool
) -> None:
    home = await a_lawful_home(context)
    shield = await shielded(context, home)
    now = dt.datetime.now(dt.UTC)
    valid = {
        "from": (now - dt.timedelta(hours=1)).isoformat(),
        "until": (now + dt.timedelta(days=1)).isoformat(),
    }
    await long_ago(
        context,
        "invocation",
        home,
        "i1",
        basis="child_abuse_13_4",
        requested_by="worker",
        approved_by="chief",
        approver_role="supervisor",
        recipients=[CITY],
        categories=["contact", "identity"],
        valid=valid,
        shield=shield,
        confirmed_by=by,
        confirmer_role=role,
    )
    assert bool(await addresses(context, OTHER, home, PROTECTION)) is sees
