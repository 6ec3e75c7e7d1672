"""A stored directive that the rules cannot read refuses everything, and makes nothing fail."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from build import CARE, OFFICE, a_consent, as_office
from service.test_recording import (
    EVERYTHING,
    HELPER,
    MOTHER,
    SCAN,
    STRANGER,
    WORKER,
    a_home,
    recorded,
)

from visitsync.errors import NotNow, UnknownHousehold
from visitsync.service import consents, directives, effects, evidence_reading, standings, uses
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.explaining import explain
from visitsync.service.explanations import Asked
from visitsync.service.looking_back import Period
from visitsync.service.standings import DirectiveStanding
from visitsync.service.timelines import view
from visitsync.service.writing import change
from visitsync.store import epochs, facts, proposals
from visitsync.store.facts import Fact
from visitsync.store.proposals import Proposal

OPERATOR: Final = Caller.operator("tests")
READABLE: Final = consents.body(a_consent(STRANGER), 0)
BODIES: Final[dict[str, Any]] = {
    "damaged": "{",
    "empty": "",
    "no_object": "[]",
    "of_a_newer_release": {**READABLE, "conditions": []},
    "of_a_newer_vocabulary": {**READABLE, "categories": ["attendance", "genome"]},
    "without_an_effect": {name: READABLE[name] for name in READABLE if name != "effect"},
    "of_other_types": {
        **READABLE,
        **{key: [["x"], {}] for key in ("sources", "registrations", "data", "valid")},
    },
    "without_an_end": {**READABLE, "data": {"from": 1, "until": [1]}},
}

every_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)


async def stored(context: Context, home: str, body: Any, name: str = "d0", version: int = 1) -> str:
    """Store a directive as it never should stand there."""
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    async with change(context, OPERATOR) as made:
        one = Fact(consents.KIND, name, version, made.at, home, text)
        await facts.add(made.connection, [one])
        await epochs.bump(made.connection, {epochs.of_household(home)})
        told: dict[str, Any] = {"private": {}, "public": {}}
        await made.log(OPERATOR, "directive_recorded", household=home, **told)
    return name


async def listed(context: Context, home: str) -> dict[str, DirectiveStanding]:
    found = await standings.of_household(context, WORKER, home, CARE)
    return {one.id: one for one in found.directives}


async def onlookers(context: Context, home: str) -> dict[str, set[str]]:
    """By member of staff, the rules by which they see something."""
    found = await explain(context, WORKER, home, Asked(purpose=CARE))
    return {
        one.viewer: {
            why.rule for sight in one.sights for each in sight.programs for why in each.why
        }
        for one in found.people
    }


@every_body
async def test_it_is_listed_as_a_refusal_of_everything_and_the_rest_as_usual(
    context: Context, body: Any
) -> None:
    home = await a_home(context)
    given = await directives.record(context, WORKER, a_consent(home), SCAN)
    refusal = await recorded(context, home, effect="deny", **EVERYTHING)
    before = await listed(context, home)
    name = await stored(context, home, body)

    found = await listed(context, home)

    one = found.pop(name)
    assert found == before
    assert {found[given.id].state, found[refusal.id].state} == {"in_force", "refused"}
    assert (one.state, one.effect, one.grantor) == ("unreadable", "deny", None)
    assert {one.sources, one.recipients, one.purposes, one.categories} == {"*"}


@every_body
async def test_it_refuses_everything(context: Context, body: Any) -> None:
    home = await a_home(context)
    await recorded(context, home)
    assert (await view(context, WORKER, home, CARE)).entries
    assert "worker" in await onlookers(context, home)

    await stored(context, home, body)

    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
    seen = await onlookers(context, home)
    assert "worker" not in seen
    assert seen["helper"] == {"C1"}  # their own work is theirs all the same
    assert (await view(context, HELPER, home, CARE)).entries


@every_body
async def test_what_a_consent_would_change_beside_it_is_nothing(
    context: Context, body: Any
) -> None:
    home = await a_home(context)
    await stored(context, home, body)
    found = await effects.of_draft(context, WORKER, a_consent(home))
    assert found.people == ()
    asked = Asked(purpose=CARE, draft=a_consent(home))
    assert "worker" not in {
        one.viewer for one in (await explain(context, WORKER, home, asked)).people
    }


@every_body
async def test_nobody_withdraws_what_nobody_can_read(context: Context, body: Any) -> None:
    home = await a_home(context)
    name = await stored(context, home, body)
    for ask in (directives.withdraw, effects.of_withdrawal):
        with pytest.raises(NotNow) as refused:
            await ask(context, WORKER, name, MOTHER)
        assert refused.value.where == "unreadable"


@every_body
async def test_a_newer_version_that_cannot_be_read_is_the_one_that_counts(
    context: Context, body: Any
) -> None:
    home = await a_home(context)
    given = await directives.record(context, WORKER, a_consent(home), SCAN)
    await stored(context, home, body, given.id, 2)

    one = (await listed(context, home))[given.id]
    assert (one.state, one.version, one.evidence) == ("unreadable", 2, "paper")
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
    assert (await evidence_reading.of_directive(context, WORKER, given.id, CARE)).evidence == SCAN


@every_body
async def test_a_proposal_that_cannot_be_read_is_never_confirmed(
    context: Context, body: Any
) -> None:
    home = await a_home(context, second_person=True)
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    async with context.database.writing() as connection:
        await proposals.add(connection, Proposal("d0", home, 0, "staff:chief", text))

    assert (await listed(context, home))["d0"].state == "unreadable"
    with pytest.raises(NotNow):
        await directives.confirm(context, WORKER, "d0")


@every_body
async def test_an_offices_mirror_goes_on(context: Context, body: Any) -> None:
    home = await a_home(context)
    given = await recorded(context, home)
    await view(context, WORKER, home, CARE)
    await stored(context, home, body, given.id, 2)

    (one,) = (await uses.uses(context, as_office(OFFICE), OFFICE, Period())).uses
    assert one.basis == (f"C3 {given.id}@1",)
