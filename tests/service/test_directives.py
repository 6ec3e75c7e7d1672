"""Consents and refusals: what cannot be read is refused, what is recorded holds at once."""

from __future__ import annotations

import datetime as dt

import pytest
from build import CARE, OPERATOR, WORKER, a_consent, a_visit, applied, consented, handed_in, home_of

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.service import directives
from visitsync.service.context import Context
from visitsync.service.ids import registration_id
from visitsync.service.timelines import view


async def a_home(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    return await home_of(context)


async def test_a_refusal_trumps_a_consent_until_it_is_withdrawn(context: Context) -> None:
    home = await a_home(context)
    await consented(context, home)
    refusal = await consented(
        context,
        home,
        effect="deny",
        sources="*",
        recipients="*",
        purposes="*",
        categories="*",
    )
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    await directives.withdraw(context, OPERATOR, refusal.id)

    assert (await view(context, WORKER, home, CARE)).entries


async def test_a_consent_for_some_days_shows_the_visits_of_those_days(context: Context) -> None:
    home = await a_home(context)
    await consented(context, home, data_from=dt.date(2026, 4, 3))

    (entry,) = (await view(context, WORKER, home, CARE)).entries

    assert entry.fields["date"] == "2026-04-03"


async def test_a_consent_can_name_registrations(context: Context) -> None:
    home = await a_home(context)
    index = context.keyring.ids
    other = registration_id(index, "multiples-01", "F-9", "")
    await consented(context, home, registrations=(other,))
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    own = registration_id(index, "multiples-01", "F-1", "")
    await consented(context, home, registrations=(own,))

    assert len((await view(context, WORKER, home, CARE)).entries) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"categories": ("services",)},
        {"categories": ()},
        {"categories": "*"},
        {"purposes": ("curiosity",)},
        {"recipients": ("everybody",)},
        {"sources": ("program:none",)},
        {"grantor": ""},
        {"effect": "deny", "recipients": ()},
        {"valid_until": dt.datetime(2000, 1, 1, tzinfo=dt.UTC)},
        {"valid_from": dt.datetime(2000, 1, 1)},  # noqa: DTZ001 -- that it has no offset is wrong
    ],
)
async def test_what_could_not_be_read_is_not_recorded(
    context: Context, changed: dict[str, object]
) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter):
        await consented(context, home, **changed)


async def test_withdrawing_twice_or_nothing_is_refused(context: Context) -> None:
    home = await a_home(context)
    consent = await consented(context, home)
    withdrawn = await directives.withdraw(context, OPERATOR, consent.id)

    assert (withdrawn.id, withdrawn.version) == (consent.id, 2)
    assert withdrawn.recorded_at > consent.recorded_at or withdrawn.version > consent.version
    with pytest.raises(NotNow):
        await directives.withdraw(context, OPERATOR, consent.id)
    with pytest.raises(UnknownHousehold):
        await directives.withdraw(context, OPERATOR, "none")


async def test_only_for_households_that_there_are_and_by_operators(context: Context) -> None:
    home = await a_home(context)
    with pytest.raises(UnknownHousehold):
        await consented(context, "h" + "a" * 26)
    with pytest.raises(NotAllowed):
        await directives.record(context, WORKER, a_consent(home))
    with pytest.raises(NotAllowed):
        await directives.withdraw(context, WORKER, "d")
