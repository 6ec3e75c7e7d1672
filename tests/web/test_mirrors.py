"""Who looked, over HTTP: for an office, and in words for a family."""

from __future__ import annotations

from typing import Any

import pytest
from web.conftest import Town
from web.family import AUDITOR, NAMES, WORKER, consent, settle
from web.test_households import UNKNOWN, look

from visitsync.service.accesses import Access
from visitsync.store import clock
from visitsync.web import plain_words
from visitsync.web.language import LANGUAGES, Language

OFFICE, OTHER_OFFICE = "shiomi-hs-01", "shiomi-mt-01"


async def get(
    town: Town, path: str, headers: dict[str, str], **query: str
) -> tuple[int, dict[str, Any]]:
    async with town.session.get(path, params=query, headers=headers) as response:
        return response.status, await response.json()


def accesses(household: str) -> str:
    return f"/api/v1/households/{household}/accesses"


async def test_an_office_reads_its_own_mirror_and_no_other(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    await look(town, household, WORKER)

    status, body = await get(town, f"/api/v1/offices/{OFFICE}/uses", town.office(OFFICE))
    assert (status, body["office"], body["cursor"]) == (200, OFFICE, None)
    (one,) = body["uses"]
    assert (one["roles"], one["purpose"]) == (["case_worker"], "care_coordination")
    assert not any(name in str(body) for name in NAMES)
    for headers in (town.office(OTHER_OFFICE), town.staff(WORKER), town.staff(AUDITOR)):
        status, body = await get(town, f"/api/v1/offices/{OFFICE}/uses", headers)
        assert (status, body["code"]) == (403, "not_allowed")


async def test_a_family_can_read_who_looked(town: Town) -> None:
    household = await settle(town)
    given = await consent(town, household, "household_support")
    await look(town, household, WORKER)

    ask = {"purpose": "audit"}
    english = town.staff(AUDITOR)
    status, body = await get(town, accesses(household), english, **ask)
    assert (status, body["withheld_for_guardians"], body["delay_days"]) == (200, False, 30)
    one = body["accesses"][-1]
    assert one["why"] == "to plan and coordinate your family's support"
    assert one["basis"] == [f"your family's consent ({given.id}@1)"]
    _, body = await get(town, accesses(household), {**english, "Accept-Language": "ja"}, **ask)
    one = body["accesses"][-1]
    assert one["said"].startswith(f"{one['date']}、")
    assert "ご家族への支援を調整するため、訪問の記録を見ました" in one["said"]
    assert not any(name in str(body) for name in NAMES)


async def test_who_looked_is_for_auditors(town: Town) -> None:
    household = await settle(town)
    status, body = await get(town, accesses(household), town.staff(WORKER), purpose="audit")
    assert (status, body["code"]) == (403, "not_allowed")
    status, body = await get(town, accesses(UNKNOWN), town.staff(AUDITOR), purpose="audit")
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"purpose": "billing"}, "purpose"),
        ({"purpose": "audit", "from": "2026-1-1"}, "from"),
        ({"purpose": "audit", "from": "2024-01-01", "to": "2026-01-01"}, "to"),
        ({"purpose": "audit", "cursor": "x"}, "cursor"),
    ],
)
async def test_a_wrong_parameter_is_named(town: Town, query: dict[str, str], where: str) -> None:
    household = await settle(town)
    status, body = await get(town, accesses(household), town.staff(AUDITOR), **query)
    assert (status, body["where"]) == (400, where)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_and_purpose_has_its_words(language: Language) -> None:
    bases = (
        ("C1", "office:o1"),
        ("C2", "program:multiples"),
        ("C3", "d1@2"),
        ("C5", "case-1:児童福祉法25条の2"),
        ("C6", "g1"),
    )
    for purpose in (
        "care_coordination",
        "service_delivery",
        "eligibility",
        "billing",
        "protection",
    ):
        for kind in ("timeline_read", "list_read", "export", "print"):
            one = Access(
                at=clock.instant(0), agency="市", offices=(), roles=("case_worker",),
                purpose=purpose, kind=kind, bases=bases, categories=("attendance",),
            )  # fmt: skip
            told = plain_words.told(one, language)
            assert "_" not in told.said
            assert "{" not in told.said
            assert "児童福祉法25条の2" in told.said
            assert "case-1" not in told.said
            assert "d1@2" in told.said


def test_a_look_that_saw_only_offices_and_one_by_nobody_have_words_too() -> None:
    one = Access(
        at=clock.instant(0), agency="", offices=(), roles=(), purpose="billing",
        kind="timeline_read", bases=(), categories=(),
    )  # fmt: skip
    told = plain_words.told(one, "en")
    assert "the operator of visitsync" in told.said
    assert "only which offices hold records" in told.said
