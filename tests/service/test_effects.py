"""A preview changes nothing and equals what happens afterwards; a withdrawal never shows more."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from build import CARE, LABELS, OFFICE, a_consent, a_directory, handed_in, of_second_office
from service.test_recording import (
    EVERYTHING,
    FATHER,
    MOTHER,
    OTHER,
    STRANGER,
    WORKER,
    a_home,
    denials,
    recorded,
)

from visitsync.errors import BadParameter, NotAllowed, NotNow, UnknownHousehold
from visitsync.schema.directory import Municipality
from visitsync.service import directives, directory, effects
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.effects import Preview
from visitsync.service.ids import registration_id
from visitsync.service.timelines import view

PAST, SOON = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
DRAFTS: tuple[dict[str, Any], ...] = (
    {},
    {"categories": ("attendance",), "sources": ("program:multiples",)},
    {"sources": (f"office:{OFFICE}",), "recipients": ("agency:city",)},
    {"purposes": ("protection", "eligibility"), "recipients": ("role:supervisor@agency:city",)},
    {"data_from": dt.date(2026, 4, 3), "data_until": dt.date(2026, 4, 5)},
    {"data_until": dt.date(2020, 1, 1)},
    {"valid_from": SOON},
    {"effect": "deny", **EVERYTHING},
    {"effect": "deny", **EVERYTHING, "categories": ("services",), "data_from": dt.date(2026, 4, 3)},
    {"effect": "deny", **EVERYTHING, "sources": ("program:household_support",)},
)
Reached = set[tuple[str, str, str, str]]


def gained(found: Preview) -> Reached:
    """Viewer, purpose, program and category."""
    return {
        (who.viewer, one.purpose, one.program, category)
        for who in found.people
        for one in who.gains
        for category in one.categories
    }


def lost(found: Preview) -> Reached:
    return gained(
        msgspec.structs.replace(
            found,
            people=tuple(
                msgspec.structs.replace(one, gains=one.loses, loses=one.gains)
                for one in found.people
            ),
        )
    )


async def shown(context: Context, home: str) -> Reached:
    """What the worker really sees for one purpose."""
    try:
        entries = (await view(context, WORKER, home, CARE)).entries
    except UnknownHousehold:
        return set()
    return {
        ("worker", CARE, one.fields["program"], why.category) for one in entries for why in one.why
    }


@pytest.mark.parametrize("changed", DRAFTS, ids=str)
async def test_a_preview_changes_nothing_and_equals_what_happens_afterwards(
    context: Context, changed: dict[str, Any]
) -> None:
    home = await a_home(context)
    await handed_in(context, [of_second_office(1), of_second_office(2)], "helpers-01")
    base = await recorded(context, home, categories=("attendance", "services"))
    before = await shown(context, home)
    preview = await effects.of_draft(context, WORKER, a_consent(home, **changed))
    assert await shown(context, home) == before

    made = await recorded(context, home, **changed)

    after = await shown(context, home)
    if "valid_from" not in changed:
        assert after - before <= gained(preview)
        assert before - after <= lost(preview)
    # Undone, all comes back that went; what is withdrawn shows no more than it showed.
    undoing = await effects.of_withdrawal(context, WORKER, made.id, MOTHER)
    assert (gained(undoing), lost(undoing)) == (lost(preview), gained(preview))
    if changed.get("effect") != "deny":
        assert not gained(undoing)
    await directives.withdraw(context, WORKER, made.id, MOTHER)
    assert await shown(context, home) == before
    without = await effects.of_withdrawal(context, WORKER, base.id, FATHER)
    assert not gained(without)


async def test_it_names_people_programs_and_categories_whether_there_are_records_or_not(
    context: Context,
) -> None:
    home = await a_home(context)
    found = await effects.of_draft(context, WORKER, a_consent(home))

    assert {one.viewer for one in found.people} == {"worker"}
    (worker,) = found.people
    assert (worker.name, worker.roles, worker.agency) == ("担当 花子", ("case_worker",), "試験市")
    # The second office has handed in nothing for them; that does not show.
    assert {one.program for one in worker.gains} == {"multiples", "household_support"}
    assert worker.gains[0].categories == ("attendance", "services", "identity")
    assert not found.needs_second_person


async def test_a_second_consent_for_other_days_is_told_by_the_day(context: Context) -> None:
    home = await a_home(context)
    await recorded(context, home, data_from=dt.date(2026, 5, 1))
    old = await recorded(context, home, data_until=dt.date(2026, 5, 1))

    found = await effects.of_withdrawal(context, WORKER, old.id, FATHER)

    assert ("worker", CARE, "multiples", "attendance") in lost(found)


async def test_a_frozen_list_reaches_its_registrations_alone(context: Context) -> None:
    home = await a_home(context)
    one = registration_id(context.keyring.ids, OFFICE, "F-1", "")
    found = await effects.of_draft(context, WORKER, a_consent(home, registrations=(one,)))
    assert {program for _, _, program, _ in gained(found)} == {"multiples"}


async def test_a_consent_that_begins_later_is_told_as_it_will_be(context: Context) -> None:
    home = await a_home(context)
    found = await effects.of_draft(context, WORKER, a_consent(home, valid_from=SOON))
    assert found.at == SOON
    assert gained(found)


async def test_what_waits_for_a_second_person_is_said(context: Context) -> None:
    home = await a_home(context, second_person=True)
    assert (await effects.of_draft(context, WORKER, a_consent(home))).needs_second_person
    refusal = a_consent(home, effect="deny", **EVERYTHING)
    assert not (await effects.of_draft(context, WORKER, refusal)).needs_second_person

    made = await recorded(context, home)
    assert (await effects.of_withdrawal(context, WORKER, made.id, FATHER)).people == ()


async def test_only_who_may_record_asks(context: Context) -> None:
    home = await a_home(context)
    made = await recorded(context, home)
    before = await denials(context)
    for work in (
        effects.of_draft(context, OTHER, a_consent(home)),
        effects.of_draft(context, WORKER, a_consent(STRANGER)),
        effects.of_withdrawal(context, OTHER, made.id, FATHER),
        effects.of_withdrawal(context, WORKER, "d", FATHER),
    ):
        with pytest.raises(UnknownHousehold):
            await work
    assert await denials(context) == before + 4
    with pytest.raises(NotAllowed):
        await effects.of_draft(context, Caller.as_staff("worker", "tests"), a_consent(home))
    with pytest.raises(BadParameter):
        await effects.of_draft(context, WORKER, a_consent(home, sources=("office:none",)))


async def test_only_her_own_refusal_is_previewed(context: Context) -> None:
    home = await a_home(context)
    refusal = await recorded(context, home, effect="deny", **EVERYTHING)
    before = await denials(context)
    with pytest.raises(NotNow) as refused:
        await effects.of_withdrawal(context, WORKER, refusal.id, FATHER)
    assert refused.value.where == "not_theirs"
    assert await denials(context) == before + 1


async def test_staff_who_are_gone_have_no_name(context: Context) -> None:
    home = await a_home(context)
    people = tuple(one for one in a_directory().staff if one.id != "helper")
    city = Municipality(name="試験市", kana="シケンシ", code="999016")
    wanted = Wanted(directory=a_directory(staff=people, municipality=city), households=LABELS)
    await directory.apply(context, Caller.operator("tests"), wanted)
    found = await effects.of_draft(context, WORKER, a_consent(home, recipients=("agency:npo",)))
    assert found.people == ()
