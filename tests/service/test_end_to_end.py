"""The whole line on a small city: hand in, link, consent, see, withdraw."""

from __future__ import annotations

import pytest
from build import (
    CARE,
    NURSES,
    OFFICE,
    OPERATOR,
    OTHER_WORKER,
    SECOND_OFFICE,
    WORKER,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.errors import UnknownHousehold
from visitsync.service import directives
from visitsync.service.context import Context
from visitsync.service.timelines import view
from visitsync.service.views import Page


async def test_five_programs_one_household_under_consent(context: Context) -> None:
    await applied(context)
    first = await handed_in(context, [a_visit(1), a_visit(2)])
    second = await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    assert (first.counts.created, second.counts.created) == (2, 1)
    assert (first.linking.new, second.linking.linked) == (1, 1)
    household = await home_of(context)
    assert household == await home_of(context, "S-1", SECOND_OFFICE)

    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, household, CARE)

    consent = await consented(context, household)
    seen = await view(context, WORKER, household, CARE)
    assert sorted(str(one.fields["program"]) for one in seen.entries) == [
        "household_support",
        "multiples",
        "multiples",
    ]
    assert {why.ref for one in seen.entries for why in one.why} == {f"{consent.id}@1"}
    assert all("notes" not in one.fields for one in seen.entries)
    assert {mark.kind for one in seen.entries for mark in one.marks} == {
        "overlap",
        "reported_twice",
    }

    with pytest.raises(UnknownHousehold):
        await view(context, OTHER_WORKER, household, CARE)

    await directives.withdraw(context, OPERATOR, consent.id)
    with pytest.raises(UnknownHousehold):
        await view(context, WORKER, household, CARE)


async def test_an_office_without_consent_is_named_and_no_more(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    nurses = a_visit(9, office=NURSES, program="nurturing_support", case_no="N-1", record_id="n-1")
    await handed_in(context, [nurses], NURSES)
    household = await home_of(context)
    assert household == await home_of(context, "N-1", NURSES)
    await consented(context, household, sources=("program:multiples",))

    seen = await view(context, WORKER, household, CARE)

    assert [one.fields["program"] for one in seen.entries] == ["multiples"]
    # The public health nurses' program is of those that hide even that there is a record.
    assert [one.office for one in seen.masked] == [SECOND_OFFICE]
    assert seen.entries[0].marks == (), "a hidden visit must not show through a mark"
    assert seen.total == 1


async def test_a_filter_narrows_what_was_decided_and_pages_follow(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(number) for number in range(1, 8)])
    household = await home_of(context)
    await consented(context, household)

    pages, cursor = [], None
    while True:
        seen = await view(context, WORKER, household, CARE, Page(limit=3, cursor=cursor))
        pages.append([one.record for one in seen.entries])
        cursor = seen.cursor
        if cursor is None:
            break
    everything = await view(context, WORKER, household, CARE)
    assert [len(page) for page in pages] == [3, 3, 1]
    flat = [record for page in pages for record in page]
    assert flat == [one.record for one in everything.entries]
    none = await view(context, WORKER, household, CARE, Page(programs=("single_parent",)))
    assert (none.entries, none.total) == ((), 0)


async def test_handing_the_same_in_again_changes_nothing(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    again = await handed_in(context, [a_visit(1, file="other.csv", row=9), a_visit(2)])
    assert (again.counts.created, again.counts.unchanged) == (0, 2)
    changed = await handed_in(context, [a_visit(1, outcome="absent")])
    assert [line.status for line in changed.records] == ["conflict"]
    newer = a_visit(1, revision=2, state="corrected", outcome="absent")
    corrected = await handed_in(context, [newer])
    assert [line.status for line in corrected.records] == ["updated"]
    household = await home_of(context)
    await consented(context, household)
    seen = await view(context, WORKER, household, CARE)
    entry = next(one for one in seen.entries if one.revision == 2)
    assert entry.fields["outcome"] == "absent"
    assert [one.revision for one in entry.earlier] == [1]
    source = entry.fields["source"]
    assert isinstance(source, dict)
    assert source["office"] == OFFICE
