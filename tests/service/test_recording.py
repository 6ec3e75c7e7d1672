"""Case workers record and withdraw: only for their own households, each with a receipt."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import (
    CARE,
    LABELS,
    OFFICE,
    OPERATOR,
    a_consent,
    a_directory,
    a_filed_consent,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
)

from visitsync.audit import NoteVerifier, Receipt, open_receipt
from visitsync.errors import BadParameter, NotAllowed, NotNow, Tampered, UnknownHousehold
from visitsync.schema.directory import Municipality
from visitsync.service import directives, directory
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directives import Recorded, Withdrawal
from visitsync.service.directory import Wanted
from visitsync.service.evidence import Evidence
from visitsync.service.gathering import gather
from visitsync.service.timelines import decided, view
from visitsync.service.writing import change
from visitsync.store import data_keys, epochs, facts
from visitsync.store.facts import Fact
from visitsync.store.tables import log_entry

STRANGER = "h" + "a" * 26
SCAN = Evidence(kind="paper", media_type="application/pdf", content=b"%PDF-1.7 signed " * 99)
MOTHER = Withdrawal(reason="changed_mind", by="p1")
FATHER = Withdrawal(reason="changed_mind", by="p2")
EVERYTHING: dict[str, Any] = dict.fromkeys(("sources", "recipients", "purposes", "categories"), "*")


def staff(name: str) -> Caller:
    return Caller(kind="staff", id=name, scopes=frozenset({"read", "record"}))


WORKER, OTHER, CHIEF, AUDITOR, HELPER = map(
    staff, ("worker", "other", "chief", "auditor", "helper")
)


async def a_home(context: Context, **city: Any) -> str:
    municipality = Municipality(name="試験市", kana="シケンシ", code="999016", **city)
    people = [
        msgspec.structs.replace(one, caseload=("H2",)) if one.id == "auditor" else one
        for one in a_directory().staff
    ]
    await applied(context, municipality=municipality, staff=tuple(people))
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [a_visit(3, case_no="F-2", persons=())])
    return await home_of(context)


async def recorded(context: Context, home: str, **changed: Any) -> Recorded:
    return await directives.record(context, WORKER, a_consent(home, **changed))


def opened(context: Context, made: Recorded) -> Receipt:
    assert made.receipt is not None
    return open_receipt(made.receipt, [NoteVerifier(context.log.vkey)])


async def denials(context: Context) -> int:
    async with context.database.reading() as connection:
        leaves = (await connection.execute(sa.select(log_entry.c.leaf))).scalars()
        return sum('"kind":"denied"' in one for one in leaves)


async def test_a_worker_records_for_their_household_and_the_next_look_shows_it(
    context: Context,
) -> None:
    home = await a_home(context)
    made = await recorded(context, home)

    assert made.effective == "at_once"
    assert (await view(context, WORKER, home, CARE)).entries
    # A supervisor over who answers for it does so too.
    await directives.record(context, CHIEF, a_consent(home))


async def test_a_receipt_says_what_where_and_when_and_names_nobody(context: Context) -> None:
    home = await a_home(context)
    made = await recorded(context, home)
    told = opened(context, made)

    assert (told.what, told.directive, told.effect) == ("recorded", f"{made.id}@1", "permit")
    assert told.categories == ("attendance", "services", "identity")
    async with context.database.reading() as connection:
        row = (
            await connection.execute(
                sa.select(log_entry.c.leaf).where(
                    log_entry.c.shard == told.shard, log_entry.c.seq == told.index
                )
            )
        ).scalar_one()
    assert msgspec.json.decode(row)["basis"] == f"{made.id}@1"
    assert msgspec.json.decode(row)["time"] == told.at
    assert made.receipt is not None
    assert home not in made.receipt
    assert "p1" not in made.receipt.split()


async def test_not_theirs_and_not_there_are_one_answer_and_logged(context: Context) -> None:
    home = await a_home(context)
    made = await recorded(context, home)
    before = await denials(context)
    messages = set()
    for work in (
        directives.record(context, OTHER, a_consent(home)),
        directives.record(context, OTHER, a_consent(STRANGER)),
        directives.record(context, WORKER, a_consent(STRANGER)),
        directives.withdraw(context, OTHER, made.id, MOTHER),
        directives.withdraw(context, OTHER, "d", MOTHER),
        directives.confirm(context, OTHER, made.id),
    ):
        with pytest.raises(UnknownHousehold) as refused:
            await work
        messages.add(str(refused.value))
    assert len(messages) == 1
    assert await denials(context) == before + 6


async def test_a_role_that_decides_for_nobody_is_refused(context: Context) -> None:
    await a_home(context)
    second = await home_of(context, "F-2")
    with pytest.raises(NotAllowed):
        await directives.record(context, AUDITOR, a_consent(second))
    for nobody in (HELPER, Caller.as_staff("worker", "tests")):
        with pytest.raises((NotAllowed, UnknownHousehold)):
            await directives.record(context, nobody, a_consent(second))
    office = Caller(kind="office", id=OFFICE, scopes=frozenset({"record"}))
    with pytest.raises(NotAllowed):
        await directives.record(context, office, a_consent(second))


async def test_who_is_blocked_decides_nothing(context: Context) -> None:
    home = await a_home(context)
    block = {
        "who": ["viewer:worker"],
        "from": "2020-01-01T00:00:00+00:00",
        "until": None,
        "closed_at": None,
    }
    async with change(context, OPERATOR) as made:
        body = msgspec.json.encode(block).decode()
        await facts.add(made.connection, [Fact("block", "b1", 1, made.at, home, body)])
        await epochs.bump(made.connection, {epochs.of_household(home)})
    with pytest.raises(UnknownHousehold):
        await recorded(context, home)


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"categories": ("services",)}, "directive"),
        ({"sources": ("office:none",)}, "sources"),
        ({"recipients": ("role:case_worker@agency:none",)}, "recipients"),
        ({"recipients": ("agency:city", "office:none")}, "recipients"),
        ({"recipients": ("agency:somebody@city",)}, "recipients"),
        ({"recipients": ("role:case_worker@agency:somebody@agency:city",)}, "recipients"),
        ({"registrations": ("r1",)}, "registrations"),
        *(
            ({name: ()}, name)
            for name in ("sources", "recipients", "purposes", "categories", "registrations")
        ),
    ],
)
async def test_what_names_nothing_is_not_recorded(
    context: Context, changed: dict[str, Any], where: str
) -> None:
    home = await a_home(context)
    with pytest.raises(BadParameter) as refused:
        await recorded(context, home, **changed)
    assert refused.value.where == where


async def test_any_guardian_withdraws_a_consent(context: Context) -> None:
    home = await a_home(context)
    made = await recorded(context, home)
    gone = await directives.withdraw(context, WORKER, made.id, FATHER)

    assert opened(context, gone).what == "withdrawn"
    assert opened(context, gone).directive == f"{made.id}@2"
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
    before = await denials(context)
    with pytest.raises(NotNow) as refused:
        await directives.withdraw(context, WORKER, made.id, FATHER)
    assert refused.value.where == "withdrawn"
    assert await denials(context) == before + 1


async def test_what_was_decided_before_a_change_is_not_answered_after_it(
    context: Context,
) -> None:
    home = await a_home(context)
    made = await recorded(context, home)
    for change_it in (
        directives.withdraw(context, WORKER, made.id, FATHER),
        directives.record(context, WORKER, a_consent(home)),
    ):
        gathered = await gather(context, WORKER, [home])
        look = decided(context, gathered, WORKER, home, CARE)
        await change_it
        assert not await context.log.look(look.draft, gathered.known.epochs)


async def test_only_who_refused_withdraws_a_refusal(context: Context) -> None:
    home = await a_home(context)
    await recorded(context, home)
    refusal = await recorded(context, home, effect="deny", **EVERYTHING)
    before = await denials(context)
    with pytest.raises(BadParameter) as unnamed:
        await directives.withdraw(context, WORKER, refusal.id, None)
    assert unnamed.value.where == "by"
    assert await denials(context) == before
    with pytest.raises(NotNow) as refused:
        await directives.withdraw(context, WORKER, refusal.id, FATHER)
    assert refused.value.where == "not_theirs"
    assert await denials(context) == before + 1
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    await directives.withdraw(context, WORKER, refusal.id, MOTHER)
    assert (await view(context, WORKER, home, CARE)).entries


async def test_a_directory_that_is_applied_again_undoes_no_withdrawal(context: Context) -> None:
    home = await a_home(context)
    given = a_filed_consent("d1", "H1", "p1")
    wanted = Wanted(directory=a_directory(directive=(given,)), households=LABELS)
    await directory.apply(context, OPERATOR, wanted)
    assert (await view(context, WORKER, home, CARE)).entries
    await directives.withdraw(context, WORKER, f"d1.{home}", MOTHER)

    await directory.apply(context, OPERATOR, wanted)

    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)


# ── evidence ──────────────────────────────────────────────────────────────────────────────────────
async def test_evidence_is_sealed_in_its_place(context: Context) -> None:
    home = await a_home(context)
    made = await directives.record(context, WORKER, a_consent(home), SCAN)
    other = await directives.record(context, WORKER, a_consent(home), SCAN)

    async with context.database.reading() as connection:
        rows = (await connection.execute(sa.text("SELECT * FROM evidence"))).all()
        leaves = (await connection.execute(sa.select(log_entry.c.leaf))).scalars().all()
    assert not [row for row in rows if b"signed" in bytes(row.sealed)]
    hashes = {hashlib.sha256(bytes(row.sealed)).hexdigest() for row in rows}
    logged = {msgspec.json.decode(one).get("payload") for one in leaves}
    assert len(hashes) == 2
    assert hashes <= logged
    async with context.database.reading() as connection:
        keys = context.keyring.opened(await data_keys.of_households(connection, [home]))
    key = keys[home, "", "evidence"]
    sealed = {row.directive: bytes(row.sealed) for row in rows}
    plain = context.keyring.open_evidence(key, home, made.id, sealed[made.id], 1)
    assert msgspec.msgpack.decode(plain, type=Evidence) == SCAN
    with pytest.raises(Tampered):
        context.keyring.open_evidence(key, home, made.id, sealed[other.id], 1)


async def test_a_destroyed_key_is_never_made_anew(context: Context) -> None:
    home = await a_home(context)
    async with context.database.writing() as connection:
        gone = data_keys.Key(home, "", "evidence", 1, data_keys.DESTROYED, None)
        await data_keys.add(connection, [gone])
    with pytest.raises(Tampered):
        await directives.record(context, WORKER, a_consent(home), SCAN)


# ── a second person ───────────────────────────────────────────────────────────────────────────────
async def test_a_consent_waits_for_a_second_person_where_the_city_asks(context: Context) -> None:
    home = await a_home(context, second_person=True)
    made = await recorded(context, home)
    assert made.effective == opened(context, made).effective == "once_confirmed"
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
    with pytest.raises(NotAllowed):
        await directives.confirm(context, WORKER, made.id)
    with pytest.raises(UnknownHousehold):
        await directives.confirm(context, OTHER, made.id)

    confirmed = await directives.confirm(context, CHIEF, made.id)

    told = opened(context, confirmed)
    assert (told.what, told.effective, told.directive) == ("confirmed", "at_once", f"{made.id}@1")
    assert (await view(context, WORKER, home, CARE)).entries
    before = await denials(context)
    with pytest.raises(NotNow) as refused:
        await directives.confirm(context, CHIEF, made.id)
    assert refused.value.where == "not_waiting"
    assert await denials(context) == before + 1


async def test_a_refusal_never_waits(context: Context) -> None:
    home = await a_home(context)
    await consented(context, home)
    await a_home(context, second_person=True)
    assert (await view(context, WORKER, home, CARE)).entries

    refusal = await recorded(context, home, effect="deny", **EVERYTHING)

    assert refusal.effective == "at_once"
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
    with pytest.raises(NotNow):
        await directives.confirm(context, CHIEF, refusal.id)


async def test_what_is_withdrawn_while_it_waits_is_confirmed_by_nobody(context: Context) -> None:
    home = await a_home(context, second_person=True)
    made = await recorded(context, home)
    gone = await directives.withdraw(context, WORKER, made.id, FATHER)

    assert opened(context, gone).directive == f"{made.id}@1"
    with pytest.raises(NotNow):
        await directives.confirm(context, CHIEF, made.id)
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)
