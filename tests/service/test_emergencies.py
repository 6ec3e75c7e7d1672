"""Break-glass: for hours, with a reason and a proof, told at once, reviewed, and limited (H27)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import FAMILY, LABELS, OFFICE, OPERATOR, SECOND_OFFICE
from service.protected import (
    AUDITOR,
    CHIEF,
    DEPUTY,
    HELPER,
    OFFICER,
    OTHER,
    SECOND_CHIEF,
    UNKNOWN,
    a_city,
    a_home,
    addresses,
    as_staff,
    blocked,
    logged,
    said,
    shielded,
    shift,
)

from visitsync.errors import (
    BadParameter,
    NotAllowed,
    NotNow,
    NotProven,
    TooManyRequests,
    UnknownHousehold,
)
from visitsync.service import directory, emergencies, emergency_reviews, messages, tokens
from visitsync.service.caller import Caller, Scope
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.emergencies import MOST_A_DAY, EmergencyAccess, EmergencyDraft
from visitsync.service.emergency_reviews import ReviewDraft
from visitsync.service.timelines import view

HOUR = 3_600_000_000
READ: tuple[Scope, ...] = ("read",)
TEXT = "近所から子の泣き声と物音の通報があり連絡がとれない"
PROTECTION = "protection"
JUSTIFIED = ReviewDraft(outcome="justified", text="通報の記録を確認した")
UNJUSTIFIED = ReviewDraft(outcome="unjustified", text="通報の記録がない")


async def signed_in(context: Context, who: str = "other") -> tuple[Caller, str]:
    """Somebody with a token, and its secret."""
    issued = await tokens.issue(context, OPERATOR, subject=f"staff:{who}", days=1)
    return await tokens.authenticate(context, issued.secret), issued.secret


def a_draft(proof: str, **changed: Any) -> EmergencyDraft:
    parts: dict[str, Any] = {
        "reason": "child_in_danger",
        "text": TEXT,
        "categories": ("notes", "identity"),
        "hours": 2,
        "proof": proof,
    }
    return EmergencyDraft(**{**parts, **changed})


async def asked(context: Context, home: str, who: str = "other", **changed: Any) -> EmergencyAccess:
    caller, secret = await signed_in(context, who)
    return await emergencies.ask(context, caller, home, a_draft(secret, **changed))


async def told(context: Context, caller: Caller) -> list[tuple[str, str, str]]:
    found = await messages.mine(context, caller, limit=1000)
    return [(one.to, one.kind, one.about) for one in found.messages]


async def test_a_grant_opens_what_was_asked_for_and_only_for_protecting(context: Context) -> None:
    home = await a_home(context)
    with pytest.raises(UnknownHousehold):
        await view(context, OTHER, home, PROTECTION)

    access = await asked(context, home)

    seen = await view(context, OTHER, home, PROTECTION)
    assert access.status == "granted"
    assert {why.rule for entry in seen.entries for why in entry.why} == {"C6"}
    assert {why.category for entry in seen.entries for why in entry.why} == {
        "attendance",
        "identity",
        "notes",
    }
    assert all("health" not in entry.fields for entry in seen.entries)
    with pytest.raises(UnknownHousehold):
        await view(context, OTHER, home, "care_coordination")
    with pytest.raises(UnknownHousehold):
        await view(context, as_staff("neighbour"), home, PROTECTION)
    assert access.until is not None
    body = await said(context, "break_glass")
    assert body["until"] == access.until.isoformat()
    assert (body["review"], body["shield"], body["reason_code"]) == (
        "open",
        None,
        "child_in_danger",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": "curiosity"},
        {"reason": ""},
        {"categories": ()},
        {"categories": ("everything",)},
        {"text": "   "},
    ],
)
async def test_a_reason_that_is_none_is_refused(context: Context, changed: dict[str, Any]) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter):
        await asked(context, home, **changed)
    assert not await logged(context, "break_glass")


async def test_longer_than_four_hours_is_not_recorded(context: Context) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter):
        await asked(context, home, hours=5)
    with pytest.raises(UnknownHousehold):
        await view(context, OTHER, home, PROTECTION)


async def test_only_the_callers_own_secret_proves_who_they_are(context: Context) -> None:
    home = await a_home(context)
    caller, secret = await signed_in(context)
    _, second = await signed_in(context)
    _, foreign = await signed_in(context, "chief")
    host = Caller.as_staff("other", "tests")
    for who, proof in ((caller, "vst_x"), (caller, foreign), (caller, second), (host, secret)):
        with pytest.raises(NotProven):
            await emergencies.ask(context, who, home, a_draft(proof))

    assert len(await logged(context, "denied")) == 4
    assert not await logged(context, "break_glass")
    await emergencies.ask(context, caller, home, a_draft(secret))


async def test_a_revoked_token_opens_nothing(context: Context) -> None:
    home = await a_home(context)
    caller, secret = await signed_in(context)
    await tokens.revoke(context, OPERATOR, str(caller.token))
    with pytest.raises(Exception, match="revoked"):
        await emergencies.ask(context, caller, home, a_draft(secret))


async def test_no_household_and_one_they_are_blocked_from_are_answered_alike(
    context: Context,
) -> None:
    home = await a_home(context)
    await blocked(context, home, "viewer:other", f"office:{OFFICE}")
    answers = set()
    for who, at in (("other", home), ("other", UNKNOWN), ("other", "x"), ("helper", home)):
        with pytest.raises(UnknownHousehold) as refused:
            await asked(context, at, who)
        answers.add(str(refused.value))

    assert len(answers) == 1
    assert len(await logged(context, "denied")) == 4
    assert await told(context, OFFICER) == []


@pytest.mark.parametrize("who", ["clerk", "auditor"])
async def test_a_role_without_the_purpose_opens_nothing(context: Context, who: str) -> None:
    await a_city(context)
    issued = await tokens.issue(context, OPERATOR, subject=f"staff:{who}", days=1, scopes=READ)
    caller = await tokens.authenticate(context, issued.secret)
    with pytest.raises(NotAllowed):
        await emergencies.ask(context, caller, UNKNOWN, a_draft(issued.secret))


async def test_staff_of_an_office_whose_contract_ended_open_nothing(context: Context) -> None:
    home = await a_home(context)
    known = await directory.current(context)
    ended = tuple(
        msgspec.structs.replace(one, contract_to=dt.date(2025, 3, 31)) if one.id == OFFICE else one
        for one in known.office
    )
    wanted = Wanted(directory=msgspec.structs.replace(known, office=ended), households=LABELS)
    await directory.apply(context, OPERATOR, wanted)

    with pytest.raises(UnknownHousehold):
        await asked(context, home, "helper")


async def test_what_a_shield_hides_stays_hidden(context: Context) -> None:
    """H27, locator: nobody gets an address by breaking the glass."""
    home = await a_home(context)
    await shielded(context, home)

    await asked(context, home, categories=("contact", "identity", "notes", "services"))

    seen = await view(context, OTHER, home, PROTECTION)
    assert seen.entries
    assert await addresses(context, OTHER, home, PROTECTION) == []
    assert all("office" not in entry.fields["source"] for entry in seen.entries)
    assert all("visitors" not in entry.fields for entry in seen.entries)


async def test_the_source_offices_and_the_officers_are_told_at_once(context: Context) -> None:
    home = await a_home(context)
    await blocked(context, home, f"office:{SECOND_OFFICE}")

    access = await asked(context, home)

    assert await told(context, HELPER) == [(f"office:{OFFICE}", "break_glass", access.id)]
    for one in ("officer", "deputy"):
        assert await told(context, as_staff(one)) == [(f"staff:{one}", "break_glass", access.id)]
    for caller in (OTHER, CHIEF, as_staff("neighbour")):
        assert await told(context, caller) == []
    async with context.database.reading() as connection:
        rows = (await connection.execute(sa.text("SELECT DISTINCT reader FROM message"))).all()
    assert {row.reader for row in rows} == {f"office:{OFFICE}", "staff:officer", "staff:deputy"}


async def test_thirty_in_a_row_meet_the_limit_and_each_is_told(context: Context) -> None:
    """H27: limits hold, 30 alerts, no identity in them."""
    home = await a_home(context)
    caller, secret = await signed_in(context)
    granted = 0
    waits = set()
    for _ in range(30):
        try:
            await emergencies.ask(context, caller, home, a_draft(secret))
            granted += 1
        except TooManyRequests as refused:
            waits.add(refused.seconds)

    assert granted == MOST_A_DAY
    assert waits == {24 * 3600}
    alerts = await told(context, OFFICER)
    assert len(alerts) == 30
    assert {kind for _, kind, _ in alerts} == {"break_glass", "break_glass_refused"}
    assert len(await logged(context, "break_glass")) == 30
    await shift(context, "emergency", asked_at=25 * HOUR)
    assert (await emergencies.ask(context, caller, home, a_draft(secret))).status == "granted"


async def test_the_limit_counts_every_household(context: Context) -> None:
    home = await a_home(context)
    caller, secret = await signed_in(context)
    for _ in range(MOST_A_DAY):
        await emergencies.ask(context, caller, home, a_draft(secret))
    async with context.database.reading() as connection:
        found = await connection.execute(
            sa.text("SELECT id FROM household WHERE id <> :one"), {"one": home}
        )
        others = [row.id for row in found]
    for other in others:
        with pytest.raises(TooManyRequests):
            await emergencies.ask(context, caller, other, a_draft(secret))


async def test_a_message_says_nothing_of_anybody(context: Context) -> None:
    home = await a_home(context)
    await asked(context, home)
    async with context.database.reading() as connection:
        stored = repr((await connection.execute(sa.text("SELECT * FROM message"))).all())
        stored += repr((await connection.execute(sa.text("SELECT * FROM emergency"))).all())
        stored += repr((await connection.execute(sa.text("SELECT leaf FROM log_entry"))).all())
    messages_only = repr((await messages.mine(context, OFFICER)).messages)

    assert home not in messages_only
    assert "other" not in messages_only
    for person in FAMILY:
        assert str(person.name) not in stored
    assert TEXT not in stored
    assert TEXT not in repr(a_draft("secret"))
    assert "secret" not in repr(a_draft("secret"))


async def test_a_message_is_read_once_for_the_first_time_and_pages_lose_none(
    context: Context,
) -> None:
    home = await a_home(context)
    for _ in range(3):
        await asked(context, home)
    first = await messages.mine(context, OFFICER, limit=2)
    second = await messages.mine(context, OFFICER, limit=2, cursor=first.cursor)
    again = await messages.mine(context, OFFICER)

    ids = [one.id for one in (*first.messages, *second.messages)]
    assert ids == [one.id for one in again.messages]
    assert len(set(ids)) == 3
    assert second.cursor is None
    assert all(one.read_at is None for one in (*first.messages, *second.messages))
    assert all(one.read_at is not None for one in again.messages)
    with pytest.raises(BadParameter):
        await messages.mine(context, OFFICER, limit=0)


async def test_somebody_else_reviews_it_once(context: Context) -> None:
    home = await a_home(context)
    access = await asked(context, home, "chief")
    with pytest.raises(NotAllowed):
        await emergency_reviews.review(context, CHIEF, access.id, JUSTIFIED)
    for one in (OTHER, HELPER, AUDITOR):
        with pytest.raises(NotAllowed):
            await emergency_reviews.review(context, one, access.id, JUSTIFIED)
    with pytest.raises(UnknownHousehold):
        await emergency_reviews.review(context, OFFICER, "none", JUSTIFIED)
    (shown,) = (await emergency_reviews.waiting(context, OFFICER)).reviews
    assert (shown.id, shown.viewer, shown.text, shown.status) == (access.id, "chief", TEXT, "open")
    assert (await emergency_reviews.waiting(context, CHIEF)).reviews == ()

    await emergency_reviews.review(context, SECOND_CHIEF, access.id, JUSTIFIED)

    assert (await emergency_reviews.waiting(context, OFFICER)).reviews == ()
    assert (await view(context, CHIEF, home, PROTECTION)).entries
    with pytest.raises(NotNow):
        await emergency_reviews.review(context, OFFICER, access.id, UNJUSTIFIED)
    assert len(await logged(context, "break_glass_reviewed")) == 1


async def test_an_unjustified_one_ends_at_once(context: Context) -> None:
    home = await a_home(context)
    access = await asked(context, home)
    assert (await view(context, OTHER, home, PROTECTION)).entries

    reviewed = await emergency_reviews.review(context, OFFICER, access.id, UNJUSTIFIED)

    assert reviewed.version == 2
    with pytest.raises(UnknownHousehold):
        await view(context, OTHER, home, PROTECTION)


async def test_who_the_family_is_hidden_from_reviews_nothing_of_it(context: Context) -> None:
    home = await a_home(context)
    access = await asked(context, home)
    await blocked(context, home, "viewer:deputy")

    assert (await emergency_reviews.waiting(context, DEPUTY)).reviews == ()
    with pytest.raises(UnknownHousehold):
        await emergency_reviews.review(context, DEPUTY, access.id, JUSTIFIED)


async def test_an_overdue_review_is_escalated_once_and_makes_the_next_one_need_a_second_person(
    context: Context,
) -> None:
    home = await a_home(context)
    first = await asked(context, home)
    await shift(context, "emergency", asked_at=80 * HOUR, granted_at=80 * HOUR, due_at=80 * HOUR)
    for _ in range(2):
        (shown,) = (await emergency_reviews.waiting(context, OFFICER)).reviews
        assert shown.status == "overdue"
    overdue = [one for one in await told(context, OFFICER) if one[1] == "break_glass_overdue"]
    assert overdue == [("staff:officer", "break_glass_overdue", first.id)]

    second = await asked(context, home)

    assert (second.status, second.until) == ("waiting", None)
    assert ("staff:officer", "break_glass_asked", second.id) in await told(context, OFFICER)
    with pytest.raises(NotNow):
        await emergency_reviews.review(context, OFFICER, second.id, JUSTIFIED)
    for one in (OTHER, HELPER, AUDITOR):
        with pytest.raises(NotAllowed):
            await emergencies.approve(context, one, second.id)
    granted = await emergencies.approve(context, CHIEF, second.id)
    assert granted.status == "granted"
    with pytest.raises(NotAllowed):
        await emergency_reviews.review(context, CHIEF, second.id, JUSTIFIED)
    with pytest.raises(NotNow):
        await emergencies.approve(context, OFFICER, second.id)
    await emergency_reviews.review(context, OFFICER, first.id, JUSTIFIED)
    assert (await asked(context, home)).status == "granted"


async def test_the_next_grant_that_is_asked_for_escalates_too(context: Context) -> None:
    home = await a_home(context)
    await asked(context, home)
    await shift(context, "emergency", due_at=80 * HOUR)
    await asked(context, home, "chief")

    kinds = [kind for _, kind, _ in await told(context, OFFICER)]
    assert kinds.count("break_glass_overdue") == 1


async def test_nobody_grants_their_own_and_not_after_an_hour(context: Context) -> None:
    home = await a_home(context)
    await asked(context, home, "chief")
    await shift(context, "emergency", due_at=80 * HOUR)
    waiting = await asked(context, home, "chief")
    with pytest.raises(NotAllowed):
        await emergencies.approve(context, CHIEF, waiting.id)
    await shift(context, "emergency", asked_at=2 * HOUR)
    with pytest.raises(NotNow):
        await emergencies.approve(context, OFFICER, waiting.id)
    assert waiting.id not in {
        one.id for one in (await emergency_reviews.waiting(context, OFFICER)).reviews
    }


async def test_counts_for_auditors_and_officers(context: Context) -> None:
    home = await a_home(context)
    first = await asked(context, home)
    await asked(context, home, "helper")
    await emergency_reviews.review(context, OFFICER, first.id, UNJUSTIFIED)

    for one in (AUDITOR, OFFICER):
        counts = (await emergency_reviews.statistics(context, one)).counts
        assert [(c.agency, c.office, c.reason, c.outcome, c.count) for c in counts] == [
            ("city", "", "child_in_danger", "unjustified", 1),
            ("npo", OFFICE, "child_in_danger", "open", 1),
        ]
    for one in (CHIEF, OTHER):
        with pytest.raises(NotAllowed):
            await emergency_reviews.statistics(context, one)


async def test_a_supervisor_decides_on_their_own_agency_only(context: Context) -> None:
    home = await a_home(context)
    access = await asked(context, home, "helper")

    assert (await emergency_reviews.waiting(context, CHIEF)).reviews == ()
    with pytest.raises(UnknownHousehold):
        await emergency_reviews.review(context, CHIEF, access.id, JUSTIFIED)
