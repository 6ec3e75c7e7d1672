"""What becomes of each record that is handed in."""

from __future__ import annotations

import datetime as dt

import pytest
from build import (
    CARE,
    FAMILY,
    NURSES,
    OFFICE,
    OPERATOR,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_child,
    a_directory,
    a_guardian,
    a_visit,
    an_office,
    applied,
    as_office,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.errors import (
    BadJson,
    NotAllowed,
    RepeatedKey,
    UnknownHousehold,
    UnknownOffice,
)
from visitsync.schema.visit import encode
from visitsync.service import submissions
from visitsync.service.context import Context
from visitsync.service.reports import Records, Report
from visitsync.service.timelines import view
from visitsync.service.writing import change
from visitsync.store import epochs, facts, households


def statuses(report: Report) -> list[str]:
    return [line.status for line in report.records]


def codes(report: Report) -> list[tuple[str, ...]]:
    return [line.codes for line in report.records]


async def raw(context: Context, *lines: bytes, ndjson: bool = True) -> Report:
    content = b"\n".join(lines) if ndjson else b"[" + b",".join(lines) + b"]"
    return await submissions.submit(
        context, as_office(OFFICE), OFFICE, Records(content, ndjson=ndjson)
    )


async def test_good_records_are_taken_beside_bad_ones(context: Context) -> None:
    await applied(context)
    good = encode(a_visit(1))
    report = await raw(
        context,
        good,
        b"{",
        good.replace(b'"outcome":"done"', b'"outcome":"danced"'),
        good.replace(b'"case_no":"F-1"', b'"case_no":"F-1","case_no":"F-2"'),
        encode(a_visit(2, office=SECOND_OFFICE)),
        encode(a_visit(3, program="single_parent")),
        encode(a_visit(4, date=dt.date(2023, 3, 31))),
        encode(a_visit(5)).replace(b',"row":null', b', "row": null'),
    )

    assert statuses(report) == ["created", *["rejected"] * 6, "created"]
    assert codes(report)[1:7] == [
        ("bad_record",),
        ("bad_record",),
        ("bad_json_repeated_name",),
        ("wrong_office",),
        ("wrong_program",),
        ("outside_contract",),
    ]
    assert [line.where for line in report.records[4:7]] == ["source.office", "program", "date"]
    assert (report.counts.created, report.counts.rejected) == (2, 6)


async def test_escapes_do_not_hide_text_that_is_not_nfc(context: Context) -> None:
    await applied(context)
    hidden = encode(a_visit(1, notes={"notes": "PLACE"})).replace(b"PLACE", rb"\u304b\u3099")

    assert statuses(await raw(context, hidden)) == ["rejected"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("一行目\n二行目\tつづき", "created"),
        ("円記号 \\u001b と書いただけ", "created"),
        ("色\x1b[31m", "rejected"),
        ("\x00", "rejected"),
        ("\\\x08", "rejected"),
        ("\x7f", "rejected"),
        ("\x85", "rejected"),
    ],
)
async def test_control_characters_are_refused_wherever_they_hide(
    context: Context, text: str, status: str
) -> None:
    await applied(context)
    report = await raw(context, encode(a_visit(1, notes={"notes": text})))
    assert statuses(report) == [status]
    if status == "rejected":
        assert codes(report) == [("control_character",)]


async def test_an_array_is_taken_like_lines(context: Context) -> None:
    await applied(context)
    report = await raw(context, encode(a_visit(1)), encode(a_visit(2)), ndjson=False)

    assert statuses(report) == ["created", "created"]


@pytest.mark.parametrize(("content", "ndjson"), [(b"", True), (b"\n \n", True), (b"{}", False),
                                                 (b"[", False), (b"[]", False)])  # fmt: skip
async def test_what_holds_no_record_is_refused(
    context: Context, content: bytes, *, ndjson: bool
) -> None:
    await applied(context)
    with pytest.raises(BadJson):
        await submissions.submit(
            context, as_office(OFFICE), OFFICE, Records(content, ndjson=ndjson)
        )


async def test_an_office_hands_in_for_itself_only(context: Context) -> None:
    await applied(context)
    payload = Records(encode(a_visit(1)))
    with pytest.raises(NotAllowed):
        await submissions.submit(context, as_office(SECOND_OFFICE), OFFICE, payload)
    with pytest.raises(NotAllowed):
        await submissions.submit(context, WORKER, OFFICE, payload)
    with pytest.raises(UnknownOffice):
        await submissions.submit(context, as_office("none"), "none", payload)


async def test_revisions_are_kept_and_the_highest_counts(context: Context) -> None:
    await applied(context)
    first = await handed_in(context, [a_visit(1)])
    third = await handed_in(context, [a_visit(1, revision=3, state="corrected", outcome="absent")])
    second = await handed_in(context, [a_visit(1, revision=2, state="corrected")])
    voided = await handed_in(context, [a_visit(1, revision=4, state="voided")])

    assert [statuses(one) for one in (first, third, second, voided)] == [
        ["created"],
        ["updated"],
        ["updated"],
        ["voided"],
    ]
    assert codes(second) == [("older_revision",)]
    household = await home_of(context)
    await consented(context, household)
    (entry,) = (await view(context, WORKER, household, CARE)).entries
    assert entry.revision == 4
    assert [one.revision for one in entry.earlier] == [1, 2, 3]


async def test_within_one_submission_the_first_of_two_different_ones_wins(
    context: Context,
) -> None:
    await applied(context)
    report = await handed_in(context, [a_visit(1), a_visit(1), a_visit(1, outcome="absent")])

    assert statuses(report) == ["created", "unchanged", "conflict"]
    assert report.counts.conflict == 1


async def test_all_or_nothing_takes_nothing_when_one_is_bad(context: Context) -> None:
    await applied(context)
    bad = a_visit(2, date=dt.date(2023, 3, 31))
    report = await handed_in(context, [a_visit(1), bad], mode="all")

    assert statuses(report) == ["not_taken", "rejected"]
    assert (report.submission, report.taken) == (None, False)
    assert statuses(await handed_in(context, [a_visit(1)], mode="all")) == ["created"]


async def test_a_dry_run_tells_all_and_stores_nothing(context: Context) -> None:
    await applied(context)
    dry = await handed_in(context, [a_visit(1)], dry_run=True)
    wet = await handed_in(context, [a_visit(1)])

    assert statuses(dry) == statuses(wet) == ["created"]
    assert dry.linking == wet.linking
    assert dry.submission is None


async def test_the_same_key_and_body_is_answered_with_the_stored_report(
    context: Context,
) -> None:
    await applied(context)
    first = await handed_in(context, [a_visit(1)], idempotency_key="k")
    again = await handed_in(context, [a_visit(1)], idempotency_key="k")

    assert again.repeated
    assert (again.submission, again.records) == (first.submission, first.records)
    with pytest.raises(RepeatedKey):
        await handed_in(context, [a_visit(2)], idempotency_key="k")
    with pytest.raises(RepeatedKey):
        await handed_in(context, [a_visit(1)], idempotency_key="k", mode="all")
    other = of_second_office(1)
    assert not (await handed_in(context, [other], SECOND_OFFICE, idempotency_key="k")).repeated


async def test_a_report_moved_to_another_registration_leaves_the_first_household(
    context: Context,
) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    before = await home_of(context)
    moved = a_visit(1, revision=2, state="corrected", case_no="F-2", persons=OTHER_FAMILY)
    report = await handed_in(context, [moved])
    assert codes(report) == [("registration_changed",)]
    after = await home_of(context, "F-2")
    assert before != after
    for household in (before, after):
        await consented(context, household)

    (stays,) = (await view(context, WORKER, before, CARE)).entries
    (moved_there,) = (await view(context, WORKER, after, CARE)).entries

    assert stays.fields["date"] == "2026-04-03"
    assert (moved_there.revision, moved_there.earlier) == (2, ())

    # An older revision that comes late goes where the newest one is not shown.
    late = a_visit(1, revision=1, record_id="late", case_no="F-1")
    newest = a_visit(1, revision=2, record_id="late", case_no="F-2", persons=OTHER_FAMILY)
    await handed_in(context, [newest])
    await handed_in(context, [late])
    assert len((await view(context, WORKER, before, CARE)).entries) == 1


async def test_doubt_waits_for_a_person_and_is_never_linked(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    alike = (a_guardian(phone="000-9999-8888"),)
    report = await handed_in(context, [of_second_office(1, persons=alike)], SECOND_OFFICE)

    assert report.linking.review == 1
    assert await home_of(context) != await home_of(context, "S-1", SECOND_OFFICE)
    async with context.database.reading() as connection:
        (waiting,) = await households.waiting(connection)
    assert await home_of(context) in waiting.candidates


async def test_a_registration_that_learns_a_phone_is_found_by_it_later(
    context: Context,
) -> None:
    """New forms of persons join the profile; links stay as they are."""
    await applied(context)
    poor = (a_guardian(phone=None), a_child(birth_date=None))
    await handed_in(context, [a_visit(1, persons=poor)])
    home = await home_of(context)
    await handed_in(context, [a_visit(2, persons=FAMILY)])
    assert await home_of(context) == home

    report = await handed_in(context, [of_second_office(1)], SECOND_OFFICE)

    assert report.linking.linked == 1
    assert await home_of(context, "S-1", SECOND_OFFICE) == home


async def test_a_shielded_household_is_joined_by_a_person_only(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await shielded(context, home)

    report = await handed_in(context, [of_second_office(1)], SECOND_OFFICE)

    assert report.linking.review == 1
    assert await home_of(context, "S-1", SECOND_OFFICE) != home


async def test_what_waits_for_review_is_protected_like_its_candidates(context: Context) -> None:
    """Until a person decides, the second office's address is as hidden as the first one's."""
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await shielded(context, home)
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    waiting = await home_of(context, "S-1", SECOND_OFFICE)
    assert waiting != home

    async with context.database.reading() as connection:
        standing = await facts.protecting(connection, [home, waiting])
    assert [one.body for one in standing[waiting]] == [one.body for one in standing[home]]
    assert standing[waiting][0].id != standing[home][0].id

    await consented(context, waiting, categories=("attendance", "contact", "services"))
    (entry,) = (await view(context, WORKER, waiting, CARE)).entries
    assert "address" not in str(entry.fields)
    assert entry.office_name is None


async def test_what_is_nobodys_double_is_protected_by_nobody(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    await shielded(context, await home_of(context))
    other = of_second_office(1, persons=OTHER_FAMILY)
    await handed_in(context, [other], SECOND_OFFICE)

    async with context.database.reading() as connection:
        apart = await home_of(context, "S-1", SECOND_OFFICE)
        assert not await facts.protecting(connection, [apart])


async def shielded(context: Context, household: str) -> None:
    async with change(context, OPERATOR) as made:
        body = (
            '{"from":"2026-01-01T00:00:00+09:00","until":null,"closed_at":null,'
            '"allowed":[],"withhold_notes":true}'
        )
        fact = facts.Fact("shield", "shield1", 1, made.at, household, body)
        await facts.add(made.connection, [fact])
        await epochs.bump(made.connection, {epochs.of_household(household)})


async def test_case_numbers_are_the_offices_own(context: Context) -> None:
    """Two offices may use one number for two families."""
    await applied(context)
    await handed_in(context, [a_visit(1, case_no="1")])
    other = of_second_office(1, case_no="1", persons=OTHER_FAMILY)
    await handed_in(context, [other], SECOND_OFFICE)

    assert await home_of(context, "1") != await home_of(context, "1", SECOND_OFFICE)


async def test_without_a_case_number_each_report_is_a_registration(context: Context) -> None:
    await applied(context)
    nurse = {"office": NURSES, "program": "nurturing_support", "case_no": None}
    children = (a_child(identifiers={"atena_no": "0123456789"}),)
    report = await handed_in(
        context,
        [a_visit(1, **nurse, persons=children), a_visit(2, **nurse, persons=OTHER_FAMILY)],
        NURSES,
    )

    assert report.counts.created == 2
    assert sum((report.linking.new, report.linking.linked, report.linking.review)) == 2


async def test_an_office_whose_contract_ended_hands_in_nothing_of_later(
    context: Context,
) -> None:
    ended = an_office(id=OFFICE, contract_to=dt.date(2026, 4, 2))
    rest = tuple(one for one in a_directory().office if one.id != OFFICE)
    await applied(context, office=(ended, *rest))

    report = await handed_in(context, [a_visit(1), a_visit(2)])

    assert statuses(report) == ["created", "rejected"]


async def test_an_unknown_household_and_a_forbidden_one_are_one_answer(
    context: Context,
) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    told = []
    for asked in (home, "h" + "a" * 26, "x\0y", "'; DROP TABLE visit; --"):
        with pytest.raises(UnknownHousehold) as caught:
            await view(context, WORKER, asked, CARE)
        told.append((str(caught.value), caught.value.where, caught.value.code))
    assert len(set(told)) == 1
