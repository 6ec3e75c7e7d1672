"""Explaining over HTTP: who sees a household, as it is and as a draft would make it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from web.conftest import Town
from web.family import AUDITOR, NAMES, OFFICE_STAFF, STRANGER, WORKER, consent, settle

DRAFT = {
    "grantor": "guardian",
    "effect": "permit",
    "sources": ["program:multiples"],
    "recipients": ["role:case_worker@agency:shiomi-city"],
    "purposes": ["care_coordination"],
    "categories": ["attendance"],
    "notice_version": "2026-04",
}


async def asked(town: Town, staff: str, household: str, query: str = "") -> tuple[int, Any]:
    path = f"/api/v1/households/{household}/explain?purpose=care_coordination{query}"
    async with town.session.get(path, headers=town.staff(staff)) as response:
        return response.status, await response.json()


async def simulated(town: Town, household: str, body: Any) -> tuple[int, Any]:
    path = f"/api/v1/households/{household}/explain"
    async with town.session.post(path, json=body, headers=town.staff(WORKER)) as response:
        return response.status, await response.json()


async def test_an_explanation_names_people_programs_and_reasons(town: Town) -> None:
    household = await settle(town)
    recorded = await consent(town, household, "multiples")

    status, found = await asked(town, WORKER, household)

    assert status == 200
    mine = next(one for one in found["people"] if one["viewer"] == WORKER)
    (sight,) = mine["sights"]
    assert sight["purpose"] == "care_coordination"
    assert sight["programs"] == [
        {
            "program": "multiples",
            "why": [{"category": "attendance", "rule": "C3", "ref": f"{recorded.id}@1"}],
        }
    ]
    assert not [name for name in NAMES[1:] if name in str(found)]


async def test_a_draft_is_simulated_and_not_recorded(town: Town) -> None:
    household = await settle(town)
    body = {"purpose": "care_coordination", "draft": DRAFT, "viewer": WORKER}

    status, found = await simulated(town, household, body)
    assert status == 200
    assert found["with_draft"]
    assert [one["viewer"] for one in found["people"]] == [WORKER]

    status, found = await asked(town, WORKER, household, f"&viewer={WORKER}")
    assert (status, found["people"]) == (200, [])


async def test_not_mine_and_not_there_are_the_same_bytes(town: Town) -> None:
    household = await settle(town)
    answers = [await asked(town, STRANGER, one) for one in (household, "h" + "a" * 26, "x")]
    assert answers[0][0] == 404
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"purpose": "care_coordination"}, "draft"),
        ({"purpose": "care_coordination", "draft": {}}, "draft"),
        ({"purpose": "care_coordination", "draft": DRAFT | {"more": 1}}, "draft"),
        ({"purpose": "curiosity", "draft": DRAFT}, "purpose"),
        ({"purpose": "care_coordination", "draft": DRAFT | {"categories": ["all"]}}, "directive"),
    ],
)
async def test_what_is_malformed_is_named(town: Town, body: Any, where: str) -> None:
    household = await settle(town)
    status, found = await simulated(town, household, body)
    assert (status, found["where"]) == (400, where)


async def test_the_past_wants_a_time_and_a_role(town: Town) -> None:
    household = await settle(town)
    status, found = await asked(town, WORKER, household, "&known_at=yesterday")
    assert (status, found["where"]) == (400, "known_at")
    status, _ = await asked(town, WORKER, household, "&known_at=2026-04-01T00:00:00Z")
    assert status == 403
    status, _ = await asked(town, OFFICE_STAFF, household)
    assert status == 404


async def test_an_auditors_token_looks_back_and_no_more(town: Town) -> None:
    household = await settle(town)
    recorded = await consent(town, household, "multiples")
    path = f"/api/v1/households/{household}/explain"
    then = recorded.recorded_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    for query, expected in (
        ({"purpose": "audit", "known_at": then}, 200),
        ({"purpose": "audit"}, 403),
        ({"purpose": "care_coordination", "known_at": then}, 404),
    ):
        async with town.session.get(path, params=query, headers=town.staff(AUDITOR)) as response:
            assert response.status == expected
            found = await response.json()
        if expected == 200:
            assert WORKER in [one["viewer"] for one in found["people"]]
    body = {"purpose": "audit", "draft": DRAFT}
    async with town.session.post(path, json=body, headers=town.staff(AUDITOR)) as response:
        assert response.status == 403
