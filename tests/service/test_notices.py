"""Notices by version: what a directive must name, and which families are to be asked again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from build import CARE, LABELS, OPERATOR, a_consent, a_directory
from service.test_recording import (
    CHIEF,
    EVERYTHING,
    FATHER,
    MOTHER,
    OTHER,
    SCAN,
    STRANGER,
    WORKER,
    a_home,
    denials,
    recorded,
)

from visitsync.errors import BadParameter, DirectoryError, NotAllowed, UnknownHousehold
from visitsync.schema.directory import Directive, Municipality
from visitsync.schema.notice import Spoken, parse
from visitsync.service import directives, directory, effects, notices, standings
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.standings import DirectiveStanding
from visitsync.store.tables import log_entry

FILE = """
version = "2026-04"
retroactive = true
[text]
ja = "ご家族の同意について。これまでの訪問の記録も対象になります。"
en = "About your consent. It covers visits made before today too."
[clause]
ja = "これまでの訪問の記録も対象になります。"
en = "It covers visits made before today too."
"""
FIRST = parse(FILE)
SECOND = msgspec.structs.replace(FIRST, version="2026-10", retroactive=False)


async def listed(context: Context, home: str) -> dict[str, DirectiveStanding]:
    found = await standings.of_household(context, WORKER, home, CARE)
    return {one.id: one for one in found.directives}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retroactive = true", ""),
        ("retroactive = true", 'retroactive = true\nmore = "1"'),
        ('version = "2026-04"', 'version = "2026 04"'),
        ("About your consent. It covers", "About your consent. It never covers"),
        ("[clause]", "[clause"),
    ],
)
def test_a_notice_that_is_not_of_its_form_is_refused(old: str, new: str) -> None:
    with pytest.raises(DirectoryError):
        parse(FILE.replace(old, new))


async def test_a_version_is_added_once_and_never_changed(context: Context) -> None:
    assert await notices.add(context, OPERATOR, FIRST)
    assert not await notices.add(context, OPERATOR, FIRST)
    other = msgspec.structs.replace(FIRST, text=Spoken(ja=f"{FIRST.text.ja}。", en=FIRST.text.en))
    with pytest.raises(BadParameter):
        await notices.add(context, OPERATOR, other)
    await notices.add(context, OPERATOR, SECOND)

    assert await notices.known(context) == (FIRST, SECOND)
    with pytest.raises(NotAllowed):
        await notices.add(context, WORKER, FIRST)
    async with context.database.reading() as connection:
        leaves = (await connection.execute(sa.select(log_entry.c.leaf))).scalars().all()
    assert sum('"kind":"notice_recorded"' in one for one in leaves) == 3


async def test_once_a_notice_is_known_a_directive_names_a_known_one(context: Context) -> None:
    home = await a_home(context)
    await recorded(context, home, notice_version="2019")
    await notices.add(context, OPERATOR, FIRST)
    for work in (
        directives.record(context, WORKER, a_consent(home, notice_version="2019")),
        directives.record(context, OPERATOR, a_consent(home, notice_version="2019")),
        effects.of_draft(context, WORKER, a_consent(home, notice_version="2019")),
    ):
        with pytest.raises(BadParameter) as refused:
            await work
        assert refused.value.where == "notice_version"
    await recorded(context, home)


async def test_without_the_clause_no_consent_reaches_back(context: Context) -> None:
    home = await a_home(context)
    await notices.add(context, OPERATOR, SECOND)
    begins = dt.datetime(2026, 4, 1, 0, 0, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    changed: dict[str, Any] = {"notice_version": "2026-10", "valid_from": begins}
    with pytest.raises(BadParameter) as refused:
        await recorded(context, home, **changed, data_from=dt.date(2026, 3, 31))
    assert refused.value.where == "data_from"

    await recorded(context, home, **changed, data_from=dt.date(2026, 4, 1))
    await recorded(context, home, notice_version="2026-10", effect="deny", **EVERYTHING)


async def test_the_directory_names_known_notices_too(context: Context) -> None:
    await a_home(context)
    await notices.add(context, OPERATOR, FIRST)
    given = Directive(
        id="d1",
        household="H1",
        grantor="p1",
        effect="permit",
        sources=("program:multiples",),
        recipients=("role:case_worker@agency:city",),
        purposes=(CARE,),
        categories=("attendance",),
        notice_version="2019",
    )
    city = Municipality(name="試験市", kana="シケンシ", code="999016", second_person=True)

    async def apply(one: Directive, **changed: Any) -> None:
        wanted = a_directory(directive=(one,), **changed)
        await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))

    unreadable = msgspec.structs.replace(given, notice_version="2026-04", categories=())
    for wrong in (given, unreadable):
        with pytest.raises(DirectoryError):
            await apply(wrong)
    known = msgspec.structs.replace(given, notice_version="2026-04")
    with pytest.raises(DirectoryError):
        await apply(known, municipality=city)
    await apply(known)


async def test_each_directive_is_listed_as_it_stands(context: Context) -> None:
    home = await a_home(context)
    now = (await standings.of_household(context, WORKER, home, CARE)).at
    day = dt.timedelta(days=1)
    changes: dict[str, dict[str, Any]] = {
        "in_force": {},
        "ends_soon": {"valid_until": now + 29 * day},
        "ends_later": {"valid_until": now + 31 * day},
        "not_begun": {"valid_from": now + day},
        "expired": {"valid_from": now - 2 * day, "valid_until": now - day},
        "refused": {"effect": "deny", **EVERYTHING},
        "withdrawn": {},
    }
    made = {name: await recorded(context, home, **one) for name, one in changes.items()}
    await directives.withdraw(context, WORKER, made["withdrawn"].id, FATHER)
    scanned = await directives.record(context, WORKER, a_consent(home), SCAN)

    found = await listed(context, home)

    assert {name: found[one.id].state for name, one in made.items()} == {
        **{name: name for name in changes},
        "ends_soon": "in_force",
        "ends_later": "in_force",
    }
    assert found[made["ends_soon"].id].ask_again == ("expiring",)
    assert found[made["ends_later"].id].ask_again == ()
    assert found[made["ends_soon"].id].expires_at == now + 29 * day
    assert found[made["withdrawn"].id].version == 2
    assert found[made["withdrawn"].id].withdrawn_at is not None
    assert found[made["refused"].id].sources == "*"
    assert {one.evidence for name, one in found.items() if name != scanned.id} == {None}
    assert found[scanned.id].evidence == "paper"


async def test_a_new_notice_marks_which_consents_to_ask_again(context: Context) -> None:
    home = await a_home(context)
    await notices.add(context, OPERATOR, FIRST)
    old = await recorded(context, home)
    refusal = await recorded(context, home, effect="deny", **EVERYTHING)
    gone = await recorded(context, home)
    await directives.withdraw(context, WORKER, gone.id, MOTHER)
    assert {one.ask_again for one in (await listed(context, home)).values()} == {()}

    await notices.add(context, OPERATOR, SECOND)

    found = await listed(context, home)
    assert found[old.id].ask_again == ("newer_notice",)
    assert found[refusal.id].ask_again == found[gone.id].ask_again == ()
    assert (await standings.of_household(context, WORKER, home, CARE)).newest_notice == "2026-10"


async def test_what_waits_is_listed_until_it_is_settled(context: Context) -> None:
    home = await a_home(context, second_person=True)
    made = await recorded(context, home)
    assert (await listed(context, home))[made.id].state == "not_confirmed"
    await directives.confirm(context, CHIEF, made.id)
    assert (await listed(context, home))[made.id].state == "in_force"
    assert len(await listed(context, home)) == 1


async def test_the_list_is_for_who_answers_for_the_household(context: Context) -> None:
    home = await a_home(context)
    await recorded(context, home)
    before = await denials(context)
    for caller, household, purpose in (
        (OTHER, home, CARE),
        (WORKER, STRANGER, CARE),
        (WORKER, "x", CARE),
        (WORKER, home, "billing"),
    ):
        with pytest.raises(UnknownHousehold):
            await standings.of_household(context, caller, household, purpose)
    assert await denials(context) == before + 4
    with pytest.raises(BadParameter):
        await standings.of_household(context, WORKER, home, "curiosity")
