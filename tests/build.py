"""What tests are made of: valid by default, overridden by keyword."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from visitsync.schema.directory import Agency, Directive, Directory, Municipality, Office, Staff
from visitsync.schema.visit import JST, Person, Source, Visit, encode
from visitsync.service import directives, directory, submissions
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directives import Draft, Recorded
from visitsync.service.directory import Wanted
from visitsync.service.ids import registration_id
from visitsync.service.reports import Records, Report, Terms
from visitsync.store import households

OPERATOR = Caller.operator("tests")
WORKER = Caller.as_staff("worker", "tests")
OTHER_WORKER = Caller.as_staff("other", "tests")
SUPERVISOR = Caller.as_staff("chief", "tests")
CARE = "care_coordination"
OFFICE = "multiples-01"
SECOND_OFFICE = "helpers-01"
NURSES = "nurses-01"


def a_directory(**changed: Any) -> Directory:
    """A city with three offices and a few members of staff."""
    parts: dict[str, Any] = {
        "municipality": Municipality(name="試験市", kana="シケンシ", code="999016"),
        "agency": (
            Agency(id="city", name="試験市", kind="public"),
            Agency(id="npo", name="NPO法人ためし", kind="npo"),
        ),
        "office": (
            an_office(id=OFFICE, program="multiples"),
            an_office(id=SECOND_OFFICE, program="household_support"),
            an_office(id=NURSES, program="nurturing_support", agency="city"),
        ),
        "staff": (
            Staff(
                id="worker",
                name="担当 花子",
                role="case_worker",
                agency="city",
                caseload=("H1", "H2"),
            ),
            Staff(id="other", name="別の 太郎", role="case_worker", agency="city"),
            Staff(id="chief", name="係長 次郎", role="supervisor", agency="city"),
            Staff(
                id="helper",
                name="支援 三郎",
                role="program_office",
                agency="npo",
                office=OFFICE,
            ),
            Staff(id="auditor", name="監査 四郎", role="auditor", agency="city"),
        ),
    }
    return Directory(**{**parts, **changed})


def an_office(**changed: Any) -> Office:
    """An office of the NPO, under contract for years."""
    parts: dict[str, Any] = {
        "id": OFFICE,
        "agency": "npo",
        "name": f"{changed.get('id', OFFICE)}の事業所",
        "number_in_files": "9990100001",
        "program": "multiples",
        "local_program": "ためし事業",
        "contract_from": dt.date(2024, 4, 1),
    }
    return Office(**{**parts, **changed})


LABELS = {
    "H1": ((OFFICE, "F-1"), (SECOND_OFFICE, "S-1"), (NURSES, "N-1")),
    "H2": ((OFFICE, "F-2"),),
}


def a_guardian(**changed: Any) -> Person:
    """A mother known to the day, with a telephone."""
    parts: dict[str, Any] = {
        "role": "guardian",
        "name": "試験　花子",
        "kana": "シケン　ハナコ",
        "birth_date": "1991-09-14",
        "sex": None,
        "postal_code": "0000121",
        "address": "試験市夕凪台4-21-15",
        "phone": "000-8524-4921",
        "identifiers": {},
    }
    return Person(**{**parts, **changed})


def a_child(**changed: Any) -> Person:
    """Her child."""
    parts: dict[str, Any] = {
        "role": "child",
        "name": "試験　太郎",
        "kana": "シケン　タロウ",
        "birth_date": "2025-01-20",
        "phone": None,
        "address": None,
        "postal_code": None,
    }
    return a_guardian(**{**parts, **changed})


FAMILY = (a_guardian(), a_child())
OTHER_FAMILY = (
    a_guardian(
        name="別家　咲", kana="ベッケ　サキ", birth_date="1988-02-03", phone="000-1111-2222"
    ),
)


def a_visit(number: int = 1, **changed: Any) -> Visit:
    """A report of the first office; `number` makes its record id and day."""
    day = changed.pop("date", dt.date(2026, 4, 1) + dt.timedelta(days=number % 180))
    source: dict[str, Any] = {
        "office": OFFICE,
        "record_id": f"rec-{number}",
        "revision": 1,
        "state": "active",
        "local_program": None,
        "file": None,
        "row": None,
    }
    source |= {name: changed.pop(name) for name in list(changed) if name in source}
    parts: dict[str, Any] = {
        "program": "multiples",
        "case_no": "F-1",
        "persons": FAMILY,
        "basis": "application",
        "outcome": "done",
        "start": dt.datetime.combine(day, dt.time(9, 30), JST),
        "end": dt.datetime.combine(day, dt.time(11), JST),
        "date": day,
        "place": "home",
        "visitors": (),
        "services": ("housework.cooking",),
        "units": None,
        "fee": None,
        "notes": {"notes": "母の表情はやわらかい。"},
        "health": {},
        "confirmed_by": "none",
    }
    return Visit(source=Source(**source), **{**parts, **changed})


def of_second_office(number: int = 1, **changed: Any) -> Visit:
    """A report of the second office about the same family."""
    return a_visit(
        number,
        **{
            "office": SECOND_OFFICE,
            "program": "household_support",
            "case_no": "S-1",
            "record_id": f"second-{number}",
            **changed,
        },
    )


def ndjson(visits: Iterable[Visit]) -> Records:
    """Canonical records as they are handed in."""
    return Records(b"\n".join(map(encode, visits)))


def as_office(office: str) -> Caller:
    """An office's own token."""
    return Caller(kind="office", id=office, scopes=frozenset({"submit"}))


async def applied(context: Context, **changed: Any) -> Directory:
    """Apply the test city's directory."""
    wanted = a_directory(**changed)
    await directory.apply(context, OPERATOR, Wanted(directory=wanted, households=LABELS))
    return wanted


async def handed_in(
    context: Context, visits: Sequence[Visit], office: str = OFFICE, **terms: Any
) -> Report:
    """Hand visits in as their office."""
    return await submissions.submit(
        context, as_office(office), office, ndjson(visits), Terms(**terms)
    )


async def home_of(context: Context, case_no: str = "F-1", office: str = OFFICE) -> str:
    """The household in which a registration is."""
    one = registration_id(context.keyring.ids, office, case_no, "")
    async with context.database.reading() as connection:
        return (await households.homes(connection, [one]))[one]


def a_consent(household: str, **changed: Any) -> Draft:
    """A consent that lets the city's case workers see that a visit happened, and services."""
    parts: dict[str, Any] = {
        "household": household,
        "grantor": "p1",
        "effect": "permit",
        "sources": ("program:multiples", "program:household_support"),
        "recipients": ("role:case_worker@agency:city",),
        "purposes": (CARE,),
        "categories": ("attendance", "services", "identity"),
        "notice_version": "2026-04",
    }
    return Draft(**{**parts, **changed})


def a_filed_consent(name: str, household: str, grantor: str) -> Directive:
    """The same as it stands in the directory's file."""
    return Directive(
        id=name,
        household=household,
        grantor=grantor,
        effect="permit",
        sources=("program:multiples",),
        recipients=("role:case_worker@agency:city",),
        purposes=(CARE,),
        categories=("attendance",),
        notice_version="2026-04",
    )


async def consented(context: Context, household: str, **changed: Any) -> Recorded:
    """Record it."""
    return await directives.record(context, OPERATOR, a_consent(household, **changed))
