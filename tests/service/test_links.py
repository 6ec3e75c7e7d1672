"""A link can be undone without loss, and rights never move with it."""

from __future__ import annotations

import pytest
from build import (
    CARE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_visit,
    applied,
    as_office,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.errors import BadParameter, NotAllowed, UnknownHousehold
from visitsync.service import links
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import gather
from visitsync.service.ids import registration_id
from visitsync.service.reports import Linked
from visitsync.service.timelines import view
from visitsync.store import households


async def linked(context: Context) -> tuple[str, str]:
    """One household of two offices, and the second one's registration."""
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    home = await home_of(context)
    assert home == await home_of(context, "S-1", SECOND_OFFICE)
    return home, registration_id(context.keyring.ids, SECOND_OFFICE, "S-1", "")


async def test_undone_each_half_shows_its_own(context: Context) -> None:
    home, registration = await linked(context)
    await consented(context, home)
    assert len((await view(context, WORKER, home, CARE)).entries) == 3

    new_home = await links.undo(context, OPERATOR, registration)

    assert await home_of(context, "S-1", SECOND_OFFICE) == new_home
    kept = (await view(context, WORKER, home, CARE)).entries
    assert [one.fields["program"] for one in kept] == ["multiples", "multiples"]
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, new_home, CARE)
    helper = Caller.as_staff("helper", "tests")
    with pytest.raises(UnknownHousehold):
        await view(context, helper, new_home, "service_delivery")


async def test_nothing_is_lost_and_later_reports_follow(context: Context) -> None:
    home, registration = await linked(context)
    new_home = await links.undo(context, OPERATOR, registration)

    again = await handed_in(context, [of_second_office(1), of_second_office(2)], SECOND_OFFICE)

    assert (again.counts.unchanged, again.counts.created) == (1, 1)
    gathered = await gather(context, WORKER, [new_home, home])
    assert len(gathered.of(new_home)) == 2
    assert len(gathered.of(home)) == 2
    async with context.database.reading() as connection:
        found = await households.links_of(connection, registration)
        pairs = await households.kept_apart(connection, [registration])
    assert [one.verdict for one in found] == ["undone", "same"]
    assert found[1].until_at == found[0].from_at
    other = registration_id(context.keyring.ids, "multiples-01", "F-1", "")
    assert pairs == {(registration, other)}


async def test_a_refusal_counts_for_both_halves_and_a_consent_for_the_old(
    context: Context,
) -> None:
    home, registration = await linked(context)
    await consented(context, home)
    await consented(
        context, home, effect="deny", sources="*", recipients="*", purposes="*", categories="*"
    )

    new_home = await links.undo(context, OPERATOR, registration)

    known = (await gather(context, WORKER, [new_home])).known
    assert [fact.kind for fact in known.facts if fact.household == new_home] == ["directive"]
    (refusal,) = [fact for fact in known.facts if fact.household == new_home]
    assert '"effect":"deny"' in refusal.body


async def test_what_stands_alone_stays(context: Context) -> None:
    _, registration = await linked(context)
    await links.undo(context, OPERATOR, registration)

    for wrong in (registration, "none"):
        with pytest.raises(BadParameter):
            await links.undo(context, OPERATOR, wrong)
    with pytest.raises(NotAllowed):
        await links.undo(context, WORKER, registration)


async def test_how_all_registrations_stand_is_told_to_the_operator_alone(context: Context) -> None:
    await linked(context)
    await handed_in(context, [a_visit(9, case_no="F-2", persons=OTHER_FAMILY)])
    assert await links.standing(context, OPERATOR) == Linked(new=2, linked=1, review=0)
    for caller in (WORKER, as_office(SECOND_OFFICE)):
        with pytest.raises(NotAllowed):
            await links.standing(context, caller)
