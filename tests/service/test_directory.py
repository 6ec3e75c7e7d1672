"""The directory: the difference first, then made so; caseloads by registrations."""

from __future__ import annotations

import datetime as dt

import pytest
from build import (
    CARE,
    LABELS,
    OFFICE,
    OPERATOR,
    OTHER_WORKER,
    WORKER,
    a_directory,
    a_filed_consent,
    a_visit,
    an_office,
    applied,
    consented,
    handed_in,
    home_of,
)

from visitsync.errors import (
    DirectoryError,
    NotAllowed,
    NotSignedIn,
    UnknownHousehold,
    UnknownOffice,
)
from visitsync.schema.directory import Directory, Staff
from visitsync.service import directory, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directory import Change, Wanted
from visitsync.service.timelines import view


async def put(context: Context, wanted: Directory) -> tuple[Change, ...]:
    return (
        await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))
    ).changes


def staff(**changed: Staff) -> tuple[Staff, ...]:
    """The usual staff, some replaced."""
    return tuple(changed.get(one.id, one) for one in a_directory().staff)


async def test_the_difference_is_told_before_and_nothing_after(context: Context) -> None:
    wanted = Wanted(directory=a_directory(), households=LABELS)
    planned = await directory.plan(context, wanted)
    done = await directory.apply(context, OPERATOR, wanted)

    assert planned == done
    assert Change(kind="office", id=OFFICE, what="added") in done.changes
    assert Change(kind="caseload", id="worker", what="changed") in done.changes
    assert (await directory.plan(context, wanted)).changes == ()
    assert (await directory.apply(context, OPERATOR, wanted)).changes == ()


async def test_what_was_applied_comes_back(context: Context) -> None:
    wanted = await applied(context)
    known = await directory.current(context)

    assert known.municipality == wanted.municipality
    assert set(known.office) == set(wanted.office)
    assert set(known.staff) == set(wanted.staff)


async def test_without_a_directory_there_is_none(context: Context) -> None:
    with pytest.raises(DirectoryError):
        await directory.current(context)


async def test_a_change_names_the_member_and_not_its_value(context: Context) -> None:
    await applied(context)
    person = a_directory().staff[0]
    renamed = Staff(
        id=person.id, name="改名 花子", role=person.role, agency="city", caseload=person.caseload
    )
    (change,) = await put(context, a_directory(staff=staff(worker=renamed)))

    assert change == Change(kind="staff", id="worker", what="changed", fields=("name",))
    assert "花子" not in repr(change)


async def test_a_caseload_named_before_the_first_visit_is_fulfilled_by_it(
    context: Context,
) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await consented(context, home)

    assert (await view(context, WORKER, home, CARE)).entries


async def test_a_caseload_moves_to_somebody_else_at_once(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await consented(context, home)
    moved = a_directory(
        staff=staff(
            worker=Staff(id="worker", name="担当 花子", role="case_worker", agency="city"),
            other=Staff(
                id="other", name="別の 太郎", role="case_worker", agency="city", caseload=("H1",)
            ),
        )
    )
    await put(context, moved)

    assert (await view(context, OTHER_WORKER, home, CARE)).entries
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)

    await put(context, a_directory())
    assert (await view(context, WORKER, home, CARE)).entries
    with pytest.raises(UnknownHousehold):
        await view(context, OTHER_WORKER, home, CARE)


async def test_whoever_leaves_sees_nothing_and_loses_the_token(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await consented(context, home)
    issued = await tokens.issue(context, OPERATOR, subject="staff:worker", days=1)
    caller = await tokens.authenticate(context, issued.secret)
    assert (await view(context, caller, home, CARE)).entries

    await put(context, a_directory(staff=a_directory().staff[1:]))

    with pytest.raises(NotSignedIn):
        await view(context, caller, home, CARE)
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, home, CARE)


async def test_an_office_that_is_gone_hands_in_nothing(context: Context) -> None:
    await applied(context)
    await put(context, a_directory(office=a_directory().office[1:], staff=a_directory().staff[:3]))

    with pytest.raises(UnknownOffice):
        await handed_in(context, [a_visit(1)])


async def test_the_staff_of_an_office_see_its_records_while_its_contract_lasts(
    context: Context,
) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    helper = Caller.as_staff("helper", "tests")
    assert (await view(context, helper, home, "service_delivery")).entries

    ended = an_office(id=OFFICE, contract_to=dt.date(2026, 5, 1))
    await put(context, a_directory(office=(ended, *a_directory().office[1:])))

    with pytest.raises(UnknownHousehold):
        await view(context, helper, home, "service_delivery")


@pytest.mark.parametrize(
    "changed",
    [
        {"office": (an_office(program="single_parent"), *a_directory().office[1:])},
        {"staff": staff(other=Staff(id="other", name="x", role="case_worker", agency="city",
                                    caseload=("H9",)))},
    ],
)  # fmt: skip
async def test_contradictions_are_refused_whole(
    context: Context, changed: dict[str, object]
) -> None:
    await applied(context)
    with pytest.raises(DirectoryError):
        await put(context, a_directory(**changed))
    assert (await directory.plan(context, Wanted(directory=a_directory(), households=LABELS))) == (
        directory.Difference(changes=())
    )


async def test_only_operators_keep_the_directory(context: Context) -> None:
    with pytest.raises(NotAllowed):
        await directory.apply(context, WORKER, Wanted(directory=a_directory(), households=LABELS))


async def test_a_directive_of_the_file_holds_once_its_household_is_known(
    context: Context,
) -> None:
    paper = a_filed_consent("paper-1", "H1", "p1")
    wanted = a_directory(directive=(paper,))
    await put(context, wanted)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)

    (change,) = await put(context, wanted)

    assert change == Change(kind="directive", id=f"paper-1.{home}", what="added")
    seen = await view(context, WORKER, home, CARE)
    assert seen.entries[0].why[0].ref == f"paper-1.{home}@1"
    assert await put(context, wanted) == ()
