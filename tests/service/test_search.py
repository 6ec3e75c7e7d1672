"""Finding: by what a family says, and only what the viewer may see anyway."""

from __future__ import annotations

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
from visitsync.service import entries
from visitsync.service.context import Context
from visitsync.service.search import search
from visitsync.service.views import Sought
from visitsync.store import access_log, data_keys

BY_NAME = Sought(name="試験 花子", birth_date="1991-09-14")
BY_KANA = Sought(kana="しけん はなこ", birth_date="1991-09-14")
BY_CHILD = Sought(kana="シケン タロウ", birth_date="2025-01-20")
BY_PHONE = Sought(phone="00085244921")
BY_CASE = Sought(case_no="F-1")
EVERY_WAY = (BY_NAME, BY_KANA, BY_CHILD, BY_PHONE, BY_CASE)


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

    await consented(context, home)

    (match,) = (await search(context, WORKER, CARE, sought)).households
    assert match.household == home
    assert match.programs == ("multiples",)
    assert [one["name"] for one in match.persons] == ["試験　花子", "試験　太郎"]
    assert "address" not in match.persons[0]
    assert (await search(context, OTHER_WORKER, CARE, sought)).households == ()
    assert (await search(context, WORKER, "eligibility", sought)).households == ()


async def test_all_that_is_given_must_fit(context: Context) -> None:
    home = await two_families(context)
    await consented(context, home)
    together = Sought(kana="シケン ハナコ", birth_date="1991-09-14", phone="000-8524-4921")
    other_phone = Sought(kana="シケン ハナコ", birth_date="1991-09-14", phone="000-1111-2222")

    assert (await search(context, WORKER, CARE, together)).households
    assert not (await search(context, WORKER, CARE, other_phone)).households


async def test_a_household_of_two_offices_is_found_once(context: Context) -> None:
    home = await two_families(context)
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    await consented(context, home)

    (match,) = (await search(context, WORKER, CARE, BY_PHONE)).households

    assert match.programs == ("household_support", "multiples")


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
