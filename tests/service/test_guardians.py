"""Parental authority and court orders: dated, never a permit, and no consent of who lost it."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from build import CARE, OPERATOR, a_consent, a_filed_consent, consented
from service.protected import (
    AUDITOR,
    CHIEF,
    CLERK,
    HELPER,
    OFFICER,
    OTHER,
    UNKNOWN,
    WORKER,
    a_city,
    a_home,
    blocked,
    logged,
    long_ago,
    shielded,
)
from service.test_recording import denials

from visitsync.errors import BadParameter, DirectoryError, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.protection import AUTHORITIES, ORDERS
from visitsync.schema.visit import JST
from visitsync.service import (
    accesses,
    authority,
    directives,
    effects,
    guardians,
    links,
    staffing,
    standings,
)
from visitsync.service.authority import GUARDIAN, ORDER, CourtOrder, Guardian
from visitsync.service.context import Context
from visitsync.service.directives import Withdrawal
from visitsync.service.looking_back import Period
from visitsync.service.timelines import view
from visitsync.store import households
from visitsync.store.facts import Fact

TODAY = dt.datetime.now(JST).date()
DAY = dt.timedelta(days=1)
LONG_AGO = dt.date(2020, 1, 1)


def a_guardian(person: str = "guardian", kind: str = "joint", **dates: dt.date) -> Guardian:
    return Guardian(person=person, authority=kind, basis="register", **{"from_": LONG_AGO, **dates})


def an_order(order: str = "authority_suspended", against: str | None = "guardian", **dates: dt.date
) -> CourtOrder:  # fmt: skip
    return CourtOrder(order=order, against=against, **{"from_": LONG_AGO, **dates})


async def test_authority_alone_shows_nothing(context: Context) -> None:
    home = await a_home(context, purposes=("protection",))
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    await guardians.record_guardian(context, WORKER, home, a_guardian(kind="sole"))
    await guardians.record_order(context, WORKER, home, an_order("sole_authority", None))

    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)


def stored(kind: str, name: str, version: int, said: Guardian | CourtOrder) -> Fact:
    return Fact(kind, name, version, 1, "h", msgspec.json.encode(said).decode())


@pytest.mark.parametrize("kind", sorted(AUTHORITIES))
def test_which_authority_is_none(kind: str) -> None:
    known = [stored(GUARDIAN, "g-1", 1, a_guardian("father", kind))]
    assert authority.has_lost(known, "father", TODAY) == (kind in {"none", "suspended"})
    assert not authority.has_lost(known, "mother", TODAY)


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_which_orders_take_it_and_which_keep_away(order: str) -> None:
    known = [stored(ORDER, "c-1", 1, an_order(order, "father"))]
    lost = order in {"authority_suspended", "authority_lost"}
    away = order in {"protection_order", "approach_forbidden", "contact_limited"}
    assert authority.has_lost(known, "father", TODAY) == lost
    assert not authority.has_lost(known, "mother", TODAY)
    assert authority.keeps_away(known, TODAY) == away
    assert not authority.keeps_away(known, LONG_AGO - DAY)


@pytest.mark.parametrize(
    ("from_", "until", "holds"),
    [
        (TODAY, None, True),
        (TODAY + DAY, None, False),
        (LONG_AGO, TODAY, False),
        (LONG_AGO, TODAY + DAY, True),
        (TODAY, TODAY, False),
    ],
)
def test_it_counts_on_its_days(from_: dt.date, until: dt.date | None, holds: bool) -> None:  # noqa: FBT001 -- a table
    said = msgspec.structs.replace(a_guardian("father", "none"), from_=from_, until=until)
    known = [stored(GUARDIAN, "g-1", 1, said)]
    assert authority.has_lost(known, "father", TODAY) == holds


def test_the_newest_version_counts_in_whatever_order_they_come() -> None:
    lost = stored(GUARDIAN, "g-1", 1, a_guardian("father", "suspended"))
    regained = stored(GUARDIAN, "g-1", 2, a_guardian("father", "joint"))
    for known in ([lost, regained], [regained, lost]):
        assert not authority.has_lost(known, "father", TODAY)
    assert authority.has_lost([lost], "father", TODAY)


async def test_who_has_no_authority_gives_no_consent_and_may_always_refuse(
    context: Context,
) -> None:
    home = await a_home(context)
    await guardians.record_guardian(context, WORKER, home, a_guardian("father", "none"))
    await guardians.record_order(context, WORKER, home, an_order("authority_lost", "uncle"))
    for person in ("father", "uncle"):
        permit = a_consent(home, grantor=person)
        with pytest.raises(NotNow, match="parental authority"):
            await directives.record(context, OPERATOR, permit)
        with pytest.raises(NotNow, match="parental authority"):
            await effects.of_draft(context, WORKER, permit)
    await effects.of_draft(context, WORKER, a_consent(home, grantor="mother"))

    refusal = await consented(context, home, grantor="father", effect="deny")
    assert refusal.effective == "at_once"


async def test_a_consent_that_waits_is_not_confirmed_once_its_grantor_lost_authority(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_home(context)

    async def asks(_: object) -> bool:
        return True

    monkeypatch.setattr("visitsync.service.directives.directory.asks_for_second_person", asks)
    waiting = await directives.record(context, OPERATOR, a_consent(home, grantor="father"))
    await guardians.record_guardian(context, WORKER, home, a_guardian("father", "suspended"))

    with pytest.raises(NotNow, match="parental authority"):
        await directives.confirm(context, WORKER, waiting.id)


async def test_who_has_no_authority_withdraws_their_own_consent_and_nobody_elses(
    context: Context,
) -> None:
    home = await a_home(context)
    own = await consented(context, home, grantor="father")
    hers = await consented(context, home, grantor="mother")
    await guardians.record_guardian(context, WORKER, home, a_guardian("father", "none"))
    said = Withdrawal(reason="changed_mind", by="father")

    before = await denials(context)
    with pytest.raises(NotNow):
        await directives.withdraw(context, WORKER, hers.id, said)
    with pytest.raises(NotNow):
        await effects.of_withdrawal(context, WORKER, hers.id, said)
    assert await denials(context) == before + 2
    assert (await directives.withdraw(context, WORKER, own.id, said)).version == 2
    mother = Withdrawal(reason="changed_mind", by="mother")
    assert (await directives.withdraw(context, WORKER, hers.id, mother)).version == 2


async def test_the_list_says_whose_consent_to_ask_for_again_and_who_said_what(
    context: Context,
) -> None:
    home = await a_home(context, grantor="father")
    await consented(context, home, grantor="mother", effect="deny", sources=("program:multiples",))
    for person in ("father", "mother", "grandmother"):
        await guardians.record_guardian(context, WORKER, home, a_guardian(person))
    before = await standings.of_household(context, WORKER, home, CARE)
    assert all("authority_lost" not in one.ask_again for one in before.directives)

    await guardians.record_order(context, WORKER, home, an_order(against="father"))

    after = await standings.of_household(context, WORKER, home, CARE)
    again = {one.grantor for one in after.directives if "authority_lost" in one.ask_again}
    assert again == {"father"}
    found = await guardians.of_household(context, WORKER, home, CARE)
    said = {one.said.person: one.decided for one in found.guardians if one.said}
    assert said == {"father": ("permit",), "mother": ("deny",), "grandmother": ()}
    (order,) = found.orders
    assert order.holds


async def test_an_end_is_a_new_version_and_shows_in_the_list(context: Context) -> None:
    home = await a_home(context)
    made = await guardians.record_guardian(context, WORKER, home, a_guardian("father", "none"))
    order = await guardians.record_order(context, CHIEF, home, an_order())
    ended = await guardians.end(context, WORKER, GUARDIAN, made.id, TODAY)
    await guardians.end(context, WORKER, ORDER, order.id, LONG_AGO)

    assert (ended.id, ended.version) == (made.id, 2)
    found = await guardians.of_household(context, WORKER, home, CARE)
    assert not found.guardians[0].holds
    assert not found.orders[0].holds
    await directives.record(context, OPERATOR, a_consent(home, grantor="father"))
    with pytest.raises(BadParameter):
        await guardians.end(context, WORKER, GUARDIAN, made.id, LONG_AGO - DAY)
    kinds = [
        len(await logged(context, one)) for one in ("guardian_recorded", "court_order_recorded")
    ]
    assert kinds == [2, 2]


async def test_an_order_that_keeps_somebody_away_asks_for_a_shield_and_hands_nothing_over(
    context: Context,
) -> None:
    home = await a_home(context)
    order = "protection_order"
    assert not await mirror_is_withheld(context, home)

    first = await guardians.record_order(context, WORKER, home, an_order(order, "father"))
    await shielded(context, home)
    second = await guardians.record_order(context, WORKER, home, an_order(order, "father"))

    assert (first.advice, second.advice) == (("begin_shield",), ())
    assert await mirror_is_withheld(context, home)


async def test_the_mirror_of_a_family_is_withheld_by_the_order_alone(context: Context) -> None:
    home = await a_home(context)
    await guardians.record_order(context, WORKER, home, an_order("protection_order", "father"))
    assert await mirror_is_withheld(context, home)


async def mirror_is_withheld(context: Context, home: str) -> bool:
    found = await accesses.accesses(context, AUDITOR, home, "audit", Period())
    return found.withheld_for_guardians


async def test_only_who_decides_for_the_family_records_and_reads_it(context: Context) -> None:
    home = await a_home(context)
    made = await guardians.record_guardian(context, WORKER, home, a_guardian())
    for other in (OTHER, CLERK, OFFICER, HELPER, AUDITOR):
        for refused in (
            guardians.record_guardian(context, other, home, a_guardian()),
            guardians.record_order(context, other, home, an_order()),
            guardians.end(context, other, GUARDIAN, made.id, TODAY),
            guardians.of_household(context, other, home, CARE),
        ):
            with pytest.raises((UnknownHousehold, NotAllowed)):
                await refused
    for where in (UNKNOWN, "x"):
        with pytest.raises(UnknownHousehold):
            await guardians.record_guardian(context, WORKER, where, a_guardian())
    with pytest.raises(UnknownHousehold):
        await guardians.end(context, WORKER, GUARDIAN, "none", TODAY)
    with pytest.raises(UnknownHousehold):
        await guardians.end(context, WORKER, ORDER, made.id, TODAY)
    assert await logged(context, "denied")
    await blocked(context, home, "viewer:worker")
    with pytest.raises(UnknownHousehold):
        await guardians.of_household(context, WORKER, home, CARE)


async def test_what_nobody_knows_is_not_recorded(context: Context) -> None:
    home = await a_home(context)
    for wrong in (
        guardians.record_guardian(context, WORKER, home, a_guardian(kind="king")),
        guardians.record_guardian(context, WORKER, home, a_guardian(until=LONG_AGO - DAY)),
        guardians.record_order(context, WORKER, home, an_order("wish")),
        guardians.record_order(context, WORKER, home, an_order(against=None)),
        guardians.of_household(context, WORKER, home, "curiosity"),
    ):
        with pytest.raises(BadParameter):
            await wrong
    with pytest.raises(UnknownHousehold):
        await guardians.of_household(context, WORKER, home, "billing")


async def test_what_nobody_can_read_lets_nobody_consent_and_is_listed(context: Context) -> None:
    await a_city(context)
    home = await a_home(context)
    await long_ago(context, GUARDIAN, home, "g-1", person=7)
    await long_ago(context, ORDER, home, "c-1", order=7)
    with pytest.raises(NotNow):
        await directives.record(context, OPERATOR, a_consent(home, grantor="mother"))

    found = await guardians.of_household(context, WORKER, home, CARE)

    assert [(one.said, one.holds) for one in found.guardians] == [(None, False)]
    assert [(one.said, one.holds) for one in found.orders] == [(None, True)]
    assert await mirror_is_withheld(context, home)
    with pytest.raises(BadParameter):
        await guardians.end(context, WORKER, GUARDIAN, "g-1", TODAY)


async def test_the_directory_file_brings_no_consent_of_theirs_either(context: Context) -> None:
    home = await a_home(context)
    await guardians.record_guardian(context, WORKER, home, a_guardian("father", "none"))
    one = a_filed_consent("d-file", "h", "father")
    async with context.database.writing() as connection:
        with pytest.raises(DirectoryError, match="parental authority"):
            await staffing.directives(
                connection, [one], {"h": frozenset({home})}, 1_800_000_000_000_000
            )
        mother = msgspec.structs.replace(one, grantor="mother")
        await staffing.directives(
            connection, [mother], {"h": frozenset({home})}, 1_800_000_000_000_000
        )


async def test_each_half_of_what_is_split_keeps_what_is_known_of_guardians(
    context: Context,
) -> None:
    home = await a_home(context)
    await guardians.record_guardian(context, WORKER, home, a_guardian("father", "none"))
    await guardians.record_order(context, WORKER, home, an_order("protection_order", "father"))
    async with context.database.reading() as connection:
        own = (await households.members(connection, [home]))[home]

    half = await links.undo(context, OPERATOR, own[0].id)

    with pytest.raises(NotNow, match="parental authority"):
        await directives.record(context, OPERATOR, a_consent(half, grantor="father"))
    assert await mirror_is_withheld(context, half)
