"""Finding: by what a family says, and only what the viewer may see anyway."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from build import (
    CARE,
    OTHER_FAMILY,
    OTHER_WORKER,
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

from visitsync.errors import BadParameter, NotAllowed
from visitsync.schema.visit import Visit
from visitsync.service import entries, shields
from visitsync.service.context import Context
from visitsync.service.search import search
from visitsync.service.shields import ShieldDraft
from visitsync.service.timelines import view
from visitsync.service.views import Sought
from visitsync.store import access_log, data_keys

BY_NAME = Sought(name="試験 花子", birth_date="1991-09-14")
BY_KANA = Sought(kana="しけん はなこ", birth_date="1991-09-14")
BY_CHILD = Sought(kana="シケン タロウ", birth_date="2025-01-20")
BY_PHONE = Sought(phone="00085244921")
BY_CASE = Sought(case_no="F-1")
EVERY_WAY = (BY_NAME, BY_KANA, BY_CHILD, BY_PHONE, BY_CASE)
WHO = ("attendance", "identity", "contact")


async def two_families(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2, case_no="F-2", persons=OTHER_FAMILY)])
    return await home_of(context)


@pytest.mark.parametrize("sought", EVERY_WAY, ids=range(len(EVERY_WAY)))
async def test_a_household_is_found_only_by_whoever_may_see_it(
    context: Context, sought: Sought
) -> None:
    home = await two_families(context)
    assert (await search(context, WORKER, CARE, sought)).households == ()

    await consented(context, home, categories=WHO)

    (match,) = (await search(context, WORKER, CARE, sought)).households
    assert match.household == home
    assert match.programs == ("multiples",)
    assert [one["name"] for one in match.persons] == ["試験　花子", "試験　太郎"]
    assert "confirmed_by" not in match.persons[0]
    assert (await search(context, OTHER_WORKER, CARE, sought)).households == ()
    assert (await search(context, WORKER, "eligibility", sought)).households == ()


async def test_all_that_is_given_must_fit(context: Context) -> None:
    home = await two_families(context)
    await consented(context, home, categories=WHO)
    together = Sought(kana="シケン ハナコ", birth_date="1991-09-14", phone="000-8524-4921")
    other_phone = Sought(kana="シケン ハナコ", birth_date="1991-09-14", phone="000-1111-2222")

    assert (await search(context, WORKER, CARE, together)).households
    assert not (await search(context, WORKER, CARE, other_phone)).households


async def test_a_household_of_two_offices_is_found_once(context: Context) -> None:
    home = await two_families(context)
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    await consented(context, home, categories=WHO)

    (match,) = (await search(context, WORKER, CARE, BY_PHONE)).households

    assert match.programs == ("household_support", "multiples")


@pytest.mark.parametrize(
    ("categories", "found"),
    [
        (("attendance",), ()),
        (("attendance", "identity"), (BY_NAME, BY_KANA, BY_CHILD, BY_CASE)),
        (("attendance", "contact"), (BY_PHONE,)),
        (WHO, EVERY_WAY),
    ],
)
async def test_what_is_hidden_of_a_household_that_is_shown_is_not_found_by_guessing(
    context: Context, categories: tuple[str, ...], found: tuple[Sought, ...]
) -> None:
    """A right guess about it is answered like a wrong one."""
    home = await two_families(context)
    await consented(context, home, categories=categories)
    assert (await view(context, WORKER, home, CARE)).entries
    for sought in EVERY_WAY:
        hits = (await search(context, WORKER, CARE, sought)).households
        assert bool(hits) == (sought in found), sought


NEW_PHONE = "000-7777-8888"


def with_new_phone(number: int, **changed: Any) -> Visit:
    """The same family as the second office knows it, with a telephone that nobody else has."""
    visit = of_second_office(number, **changed)
    guardian, *others = visit.persons
    return msgspec.structs.replace(
        visit, persons=(msgspec.structs.replace(guardian, phone=NEW_PHONE), *others)
    )


async def test_what_only_an_office_that_stays_hidden_knows_finds_nothing(context: Context) -> None:
    home = await two_families(context)
    await handed_in(context, [of_second_office(1), with_new_phone(2)], SECOND_OFFICE)
    second = Sought(case_no=of_second_office(1).case_no)
    await consented(context, home, categories=WHO, sources=("program:multiples",))

    for hidden in (Sought(phone=NEW_PHONE), second):
        assert not (await search(context, WORKER, CARE, hidden)).households
    assert (await search(context, WORKER, CARE, BY_PHONE)).households

    # Control: it is there, for who is shown that office's records.
    await consented(context, home, categories=WHO)
    for shown in (Sought(phone=NEW_PHONE), second):
        assert (await search(context, WORKER, CARE, shown)).households


async def test_what_stands_in_records_of_other_days_alone_finds_nothing(context: Context) -> None:
    home = await two_families(context)
    later = a_visit(9, date=dt.date(2026, 9, 20))
    guardian, *others = later.persons
    moved = msgspec.structs.replace(guardian, phone=NEW_PHONE)
    await handed_in(context, [msgspec.structs.replace(later, persons=(moved, *others))])
    await consented(context, home, categories=WHO, data_until=dt.date(2026, 9, 10))

    assert (await search(context, WORKER, CARE, BY_PHONE)).households
    assert not (await search(context, WORKER, CARE, Sought(phone=NEW_PHONE))).households


async def test_under_a_shield_no_telephone_and_no_case_number_finds_a_household(
    context: Context,
) -> None:
    home = await two_families(context)
    await consented(context, home, categories=WHO)
    recorder = msgspec.structs.replace(WORKER, scopes=frozenset({"read", "record"}))
    await shields.record(context, recorder, home, ShieldDraft())

    assert (await search(context, WORKER, CARE, BY_NAME)).households
    for hidden in (BY_PHONE, BY_CASE):
        assert not (await search(context, WORKER, CARE, hidden)).households


@pytest.mark.parametrize(
    "sought",
    [
        Sought(),
        Sought(name="試験 花子"),
        Sought(kana="シケン ハナコ", birth_date="1991"),
        Sought(birth_date="1991-09-14"),
        Sought(name="試験 花子", birth_date="1991-13-14"),
        Sought(phone="-"),
    ],
)
async def test_too_little_is_refused(context: Context, sought: Sought) -> None:
    await applied(context)
    with pytest.raises(BadParameter):
        await search(context, WORKER, CARE, sought)


async def test_only_staff_with_a_purpose_search(context: Context) -> None:
    await applied(context)
    with pytest.raises(NotAllowed):
        await search(context, as_office("multiples-01"), CARE, BY_CASE)
    with pytest.raises(BadParameter):
        await search(context, WORKER, "curiosity", BY_CASE)


async def test_a_search_without_result_stands_in_the_log_with_its_terms_sealed(
    context: Context,
) -> None:
    await applied(context)
    await search(context, WORKER, CARE, BY_NAME)

    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        (row,) = [one async for one in access_log.rows(connection, head.shard, head.size - 1)]
        keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    leaf = msgspec.json.decode(row.leaf)
    assert (leaf["kind"], leaf["records"], leaf["purpose"]) == ("search", 0, CARE)
    assert "花子" not in row.leaf
    private = entries.open_private(context.keyring, keys["", "", "log"], row)
    assert private["terms"] == {"name": "試験 花子", "birth_date": "1991-09-14"}
    assert private["households"] == []
