"""Who can see a household, and why: the same evaluator, and nothing told of what is not known."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    NURSES,
    OFFICE,
    OPERATOR,
    OTHER_WORKER,
    SUPERVISOR,
    WORKER,
    a_consent,
    a_directory,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
)

from visitsync.errors import BadParameter, NotAllowed, UnknownHousehold
from visitsync.schema.directory import Staff
from visitsync.service import directives
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.explaining import explain
from visitsync.service.explanations import Asked, Explanation
from visitsync.service.timelines import view
from visitsync.store import epochs, facts
from visitsync.store.facts import Fact

OFFICER = Caller.as_staff("officer", "tests")
STRANGER = "h" + "a" * 26
ASKED = Asked(purpose=CARE)


async def a_home(context: Context) -> str:
    officer = Staff(id="officer", name="保護 五郎", role="protection_officer", agency="city")
    await applied(context, staff=(*a_directory().staff, officer))
    await handed_in(context, [a_visit(1), a_visit(2)])
    return await home_of(context)


def seen(found: Explanation) -> dict[tuple[str, str, str], set[tuple[str, str]]]:
    """By viewer, purpose and program: the categories with the rule that shows them."""
    return {
        (person.viewer, sight.purpose, insight.program): {
            (why.category, why.rule) for why in insight.why
        }
        for person in found.people
        for sight in person.sights
        for insight in sight.programs
    }


async def test_without_a_consent_only_offices_see_their_own(context: Context) -> None:
    home = await a_home(context)
    found = await explain(context, WORKER, home, ASKED)

    assert {who for who, _, _ in seen(found)} == {"helper"}
    assert ("attendance", "C1") in seen(found)["helper", CARE, "multiples"]
    (helper,) = found.people
    assert (helper.name, helper.roles, helper.agency) == (
        "支援 三郎",
        ("program_office",),
        "NPO法人ためし",
    )


async def test_a_consent_is_named_for_each_category(context: Context) -> None:
    home = await a_home(context)
    recorded = await consented(context, home)
    found = await explain(context, WORKER, home, ASKED)

    whys = [
        why
        for person in found.people
        if person.viewer == "worker"
        for sight in person.sights
        for insight in sight.programs
        for why in insight.why
    ]
    assert {why.ref for why in whys} == {f"{recorded.id}@1"}
    shown = (await view(context, WORKER, home, CARE)).entries[0]
    assert {(why.category, why.ref) for why in whys} == {(w.category, w.ref) for w in shown.why}


async def test_a_draft_shows_what_recording_it_would(context: Context) -> None:
    home = await a_home(context)
    draft = a_consent(home)
    simulated = await explain(context, WORKER, home, Asked(purpose=CARE, draft=draft))
    before = await explain(context, WORKER, home, ASKED)
    assert {who for who, _, _ in seen(before)} == {"helper"}
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    await directives.record(context, OPERATOR, draft)

    assert seen(simulated) == seen(await explain(context, WORKER, home, ASKED))
    assert simulated.with_draft


async def test_a_refusal_as_a_draft_never_shows_more(context: Context) -> None:
    home = await a_home(context)
    await consented(context, home)
    everything: dict[str, Any] = dict.fromkeys(
        ("sources", "recipients", "purposes", "categories"), "*"
    )
    refusal = a_consent(home, effect="deny", **everything)

    before = seen(await explain(context, WORKER, home, ASKED))
    after = seen(await explain(context, WORKER, home, Asked(purpose=CARE, draft=refusal)))

    assert after.keys() < before.keys()
    assert all(after[one] <= before[one] for one in after)


async def test_what_was_known_then_can_be_shown_again(context: Context) -> None:
    home = await a_home(context)
    consent = await consented(context, home)
    await directives.withdraw(context, OPERATOR, consent.id)
    now = seen(await explain(context, OFFICER, home, ASKED))
    then = await explain(context, OFFICER, home, Asked(purpose=CARE, known_at=consent.recorded_at))

    assert not [who for who, _, _ in now if who == "worker"]
    assert [who for who, _, _ in seen(then) if who == "worker"]
    long_ago = Asked(purpose=CARE, known_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert (await explain(context, OFFICER, home, long_ago)).people == ()


async def test_a_caseload_that_ended_is_known_as_it_was(context: Context) -> None:
    home = await a_home(context)
    consent = await consented(context, home)
    officer = Staff(id="officer", name="保護 五郎", role="protection_officer", agency="city")
    idle = [msgspec.structs.replace(one, caseload=()) for one in a_directory().staff]
    await applied(context, staff=(*idle, officer))

    then = Asked(purpose=CARE, known_at=consent.recorded_at)
    assert "worker" in {who for who, _, _ in seen(await explain(context, OFFICER, home, then))}
    assert "worker" not in {who for who, _, _ in seen(await explain(context, OFFICER, home, ASKED))}


async def test_one_viewer_can_be_asked_about(context: Context) -> None:
    home = await a_home(context)
    await consented(context, home)
    found = await explain(context, WORKER, home, Asked(purpose=CARE, viewer="helper"))
    assert [one.viewer for one in found.people] == ["helper"]
    with pytest.raises(BadParameter) as unknown:
        await explain(context, WORKER, home, Asked(purpose=CARE, viewer="helpre"))
    assert unknown.value.where == "viewer"


async def test_the_answer_is_the_same_whether_hidden_records_are_there_or_not(
    context: Context,
) -> None:
    """A program of which the worker may know nothing looks alike with and without records."""
    home = await a_home(context)
    await consented(context, home)
    before = await explain(context, WORKER, home, ASKED)
    person = a_visit(1).persons
    nurse = a_visit(9, office=NURSES, program="nurturing_support", persons=person)
    await handed_in(context, [nurse], office=NURSES)
    async with context.database.reading() as connection:
        query = sa.text("SELECT DISTINCT household FROM visit")
        homes = {row[0] for row in await connection.execute(query)}
    assert homes == {home}, "the nurses' record must stand in the same household"

    after = await explain(context, WORKER, home, ASKED)

    assert after.people == before.people


async def test_supervisors_and_protection_officers_may_ask(context: Context) -> None:
    home = await a_home(context)
    for caller in (SUPERVISOR, OFFICER):
        assert (await explain(context, caller, home, ASKED)).people


async def blocked(context: Context, home: str, *who: str) -> None:
    body = {"who": list(who), "from": "2020-01-01T00:00:00+00:00", "until": None, "closed_at": None}
    written = msgspec.json.encode(body).decode()
    async with context.log.writing() as turn:
        head = await turn.hold()
        await facts.add(turn.connection, [Fact("block", "b1", 1, head.now, home, written)])
        await epochs.bump(turn.connection, {epochs.of_household(home)})


@pytest.mark.parametrize("who", ["viewer:worker", "agency:city"])
async def test_whom_a_block_names_is_told_nothing(context: Context, who: str) -> None:
    home = await a_home(context)
    await consented(context, home)
    await explain(context, WORKER, home, ASKED)
    await blocked(context, home, who)
    with pytest.raises(UnknownHousehold):
        await explain(context, WORKER, home, ASKED)


async def test_a_household_of_others_and_one_that_is_not_are_one_answer(context: Context) -> None:
    home = await a_home(context)
    said = []
    for household in (home, STRANGER, "no id at all"):
        with pytest.raises(UnknownHousehold) as refused:
            await explain(context, OTHER_WORKER, household, ASKED)
        said.append((str(refused.value), refused.value.where))
    assert len(set(said)) == 1


async def test_the_past_and_drafts_are_for_those_who_need_them(context: Context) -> None:
    home = await a_home(context)
    helper = Caller.as_staff("helper", "tests")
    past = Asked(purpose=CARE, known_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(NotAllowed):
        await explain(context, WORKER, home, past)
    with pytest.raises(NotAllowed):
        await explain(context, helper, home, Asked(purpose=CARE, draft=a_consent(home)))
    to_come = Asked(purpose=CARE, known_at=dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
    with pytest.raises(BadParameter):
        await explain(context, OFFICER, home, to_come)
    unreadable = Asked(purpose=CARE, draft=a_consent(home, categories=()))
    with pytest.raises(BadParameter):
        await explain(context, WORKER, home, unreadable)


async def test_looking_back_needs_no_more_than_the_scope_audit(context: Context) -> None:
    home = await a_home(context)
    consent = await consented(context, home)
    past = Asked(purpose="audit", known_at=consent.recorded_at)
    for who, may in (("auditor", True), ("officer", True), ("worker", False), ("helper", False)):
        caller = Caller(kind="staff", id=who, scopes=frozenset({"audit"}))
        if may:
            assert "worker" in {
                one for one, _, _ in seen(await explain(context, caller, home, past))
            }
        for asked in (
            Asked(purpose="audit"),
            Asked(purpose="audit", draft=a_consent(home)),
            Asked(purpose="audit", known_at=consent.recorded_at, draft=a_consent(home)),
            *(() if may else (past,)),
        ):
            with pytest.raises(NotAllowed):
                await explain(context, caller, home, asked)
    for scope in ("submit", "record", "operate"):
        caller = Caller(kind="staff", id="auditor", scopes=frozenset({scope}))
        with pytest.raises(NotAllowed):
            await explain(context, caller, home, past)


async def test_every_explanation_stands_in_the_log(context: Context) -> None:
    home = await a_home(context)
    await explain(context, WORKER, home, ASKED)
    with pytest.raises(UnknownHousehold):
        await explain(context, OTHER_WORKER, home, ASKED)
    async with context.database.reading() as connection:
        rows = await connection.execute(sa.text("SELECT leaf FROM log_entry ORDER BY seq DESC"))
        leaves = [msgspec.json.decode(row[0]) for row in rows][:2]
    assert [(one["kind"], one["decision"]) for one in leaves] == [
        ("denied", "refused"),
        ("explained", "shown"),
    ]
    assert OFFICE not in str(leaves)
