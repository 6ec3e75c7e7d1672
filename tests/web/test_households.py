"""Households over HTTP: found and seen only by whom and as far as they may be."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from service.a_bundle import exported
from web.conftest import Town
from web.family import (
    AUDITOR,
    CASE_NO,
    CLERK,
    NAMES,
    OFFICE_STAFF,
    STRANGER,
    WORKER,
    consent,
    settle,
)

from visitsync.cli.installation.at_hand import operator
from visitsync.service import directives

PURPOSE = {"purpose": "care_coordination"}
EVER = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
UNKNOWN = "h" + "a" * 26


async def look(
    town: Town, household: str, staff: str, purpose: str = "care_coordination", **query: str
) -> tuple[int, bytes]:
    async with town.session.get(
        f"/api/v1/households/{household}/timeline",
        params={"purpose": purpose, **query},
        headers=town.staff(staff),
    ) as response:
        return response.status, await response.read()


async def test_before_a_consent_the_case_worker_is_told_nothing_that_is_not_told_of_no_household(
    town: Town,
) -> None:
    household = await settle(town)

    known = await look(town, household, WORKER)
    unknown = await look(town, UNKNOWN, WORKER)
    shapes = [await look(town, one, WORKER) for one in ("x", "%00", "' or 1=1", "a" * 300)]

    assert known[0] == 404
    assert known == unknown
    assert all(one == unknown for one in shapes)


async def test_not_found_differs_in_no_header_but_the_request_id(town: Town) -> None:
    household = await settle(town)
    seen = []
    for one in (household, UNKNOWN):
        async with town.session.get(
            f"/api/v1/households/{one}/timeline", params=PURPOSE, headers=town.staff(WORKER)
        ) as response:
            skipped = {"X-Request-ID", "Date"}
            seen.append({k: v for k, v in response.headers.items() if k not in skipped})

    assert seen[0] == seen[1]


async def test_a_consent_shows_what_it_names_and_says_so(town: Town) -> None:
    household = await settle(town)
    given = await consent(town, household, "household_support")

    status, body = await look(town, household, WORKER)
    timeline = json.loads(body)

    assert status == 200
    assert {one["visit"]["program"] for one in timeline["entries"]} == {"household_support"}
    assert {why["ref"] for one in timeline["entries"] for why in one["because"]} == {
        f"{given.id}@{given.version}"
    }
    assert all("persons" not in one["visit"] for one in timeline["entries"])
    assert not any(name in body.decode() for name in NAMES)
    assert [one["program"] for one in timeline["masked"]] == ["multiples"]


@pytest.mark.parametrize("limit", ["0", "1001", "", "1.0", "-1", "１", "0" * 8 + "1" * 5000])
async def test_a_limit_out_of_range_is_400(town: Town, limit: str) -> None:
    status, body = await look(town, UNKNOWN, WORKER, limit=limit)

    assert (status, json.loads(body)["where"]) == (400, "limit")


async def test_a_withdrawal_holds_for_the_next_question(town: Town) -> None:
    household = await settle(town)
    given = await consent(town, household, "household_support")
    assert (await look(town, household, WORKER))[0] == 200

    await directives.withdraw(town.context, operator(), given.id)

    assert (await look(town, household, WORKER)) == (await look(town, UNKNOWN, WORKER))


@pytest.mark.parametrize(
    ("staff", "purpose", "status"),
    [
        (STRANGER, "care_coordination", 404),
        (CLERK, "billing", 200),
        (CLERK, "care_coordination", 404),
        (OFFICE_STAFF, "service_delivery", 200),
        (AUDITOR, "audit", 404),
        (WORKER, "billing", 404),
    ],
)
async def test_each_viewer_sees_by_role_and_purpose(
    town: Town, staff: str, purpose: str, status: int
) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")

    found, _ = await look(town, household, staff, purpose)

    # The auditor's token is good for auditing alone.
    assert found == (403 if staff == AUDITOR and found == 403 else status)


async def test_a_period_and_a_program_narrow_it_down(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support", "multiples", "nurturing_support")

    async def entries(**query: str) -> list[dict[str, Any]]:
        _, body = await look(town, household, WORKER, **query)
        found: list[dict[str, Any]] = json.loads(body)["entries"]
        return found

    everything = await entries()
    july = await entries(**{"from": "2026-07-01", "to": "2026-07-31"})
    one_program = await entries(program="nurturing_support")
    two = await entries(program="nurturing_support,multiples")

    assert len(everything) > len(july) > 0
    assert {one["visit"]["date"][:7] for one in july} == {"2026-07"}
    assert {one["visit"]["program"] for one in one_program} == {"nurturing_support"}
    assert {one["visit"]["program"] for one in two} == {"nurturing_support", "multiples"}


async def test_pages_follow_each_other_without_loss(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support", "multiples", "nurturing_support")
    whole = json.loads((await look(town, household, WORKER))[1])
    records: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = json.loads((await look(town, household, WORKER, limit="2", **cursor))[1])
        records += [one["record"] for one in page["entries"]]
        assert page["total"] == whole["total"]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}

    assert records == [one["record"] for one in whole["entries"]]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "purpose"),
        ("?purpose=curiosity", "purpose"),
        ("?purpose=care_coordination&purpose=protection", "purpose"),
        ("?purpose=care_coordination&from=1.4.2026", "from"),
        ("?purpose=care_coordination&to=2026-02-30", "to"),
        ("?purpose=care_coordination&program=nonsense", "program"),
        ("?purpose=care_coordination&limit=0", "limit"),
        ("?purpose=care_coordination&limit=9999999999999", "limit"),
        ("?purpose=care_coordination&cursor=nonsense", "cursor"),
        ("?purpose=care_coordination&name=x", "query"),
    ],
)
async def test_bad_parameters_are_400(town: Town, query: str, where: str) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    async with town.session.get(
        f"/api/v1/households/{household}/timeline{query}", headers=town.staff(WORKER)
    ) as response:
        problem = await response.json(content_type=None)

    assert (response.status, problem["code"]) == (400, "bad_parameter")
    assert problem["where"] == where


async def test_an_office_system_cannot_look_at_households(town: Town) -> None:
    headers = town.office("shiomi-mt-01")
    async with town.session.get(
        f"/api/v1/households/{UNKNOWN}/timeline", params=PURPOSE, headers=headers
    ) as response:
        assert response.status == 403
    async with town.session.post(
        "/api/v1/households/search", json={**PURPOSE, "case_no": CASE_NO}, headers=headers
    ) as response:
        assert response.status == 403


async def search(town: Town, staff: str, **sought: Any) -> tuple[int, dict[str, Any]]:
    async with town.session.post(
        "/api/v1/households/search", json=sought, headers=town.staff(staff)
    ) as response:
        return response.status, await response.json(content_type=None)


async def test_a_household_is_found_only_by_whom_it_is_shown(town: Town) -> None:
    household = await settle(town)
    sought = {"kana": "オオイシ　サトミ", "birth_date": "1991-09-14", **PURPOSE}
    before = await search(town, WORKER, **sought)
    await consent(town, household, "multiples", categories=("identity",))
    after = await search(town, WORKER, **sought)
    stranger = await search(town, STRANGER, **sought)

    assert before == stranger == (200, {"households": []})
    assert [one["household"] for one in after[1]["households"]] == [household]


@pytest.mark.parametrize(
    "sought",
    [
        {"purpose": "care_coordination"},
        {"purpose": "care_coordination", "kana": "オオイシ　サトミ"},
        {"purpose": "curiosity", "case_no": "F-013"},
        {"case_no": "F-013"},
        {"purpose": "care_coordination", "case_no": "F-013", "role": "auditor"},
        {"purpose": "care_coordination", "case_no": 13},
        [],
        "x",
    ],
)
async def test_bad_searches_are_400_and_repeat_nothing(town: Town, sought: Any) -> None:
    async with town.session.post(
        "/api/v1/households/search", json=sought, headers=town.staff(WORKER)
    ) as response:
        text = await response.text()

    assert response.status == 400
    assert "オオイシ" not in text
    assert "auditor" not in text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"purpose":"protection","purpose":"audit"}',
        b'{"purpose":NaN}',
        b'{"purpose":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"[" * 50_000,
    ],
)
async def test_searches_are_strict_json(town: Town, body: bytes) -> None:
    headers = {**town.staff(WORKER), "Content-Type": "application/json"}
    async with town.session.post(
        "/api/v1/households/search", data=body, headers=headers
    ) as response:
        assert response.status in {400, 413}


async def test_a_request_that_was_refused_stands_in_the_log(town: Town) -> None:
    async with town.session.get(
        f"/api/v1/households/{UNKNOWN}/timeline",
        params=PURPOSE,
        headers=town.office("shiomi-mt-01"),
    ) as response:
        request = response.headers["X-Request-Id"]
    bundle = await exported(town.context, operator())

    (entry,) = [line for line in bundle.splitlines() if b'"kind":"denied"' in line]
    assert b'"actor":"office:shiomi-mt-01"' in entry
    assert f'"request":"{request}"'.encode() in entry


async def test_every_look_stands_in_the_log_also_those_that_were_refused(town: Town) -> None:
    household = await settle(town)
    await look(town, household, WORKER)
    await consent(town, household, "household_support")
    await look(town, household, WORKER)
    bundle = await exported(town.context, operator())

    assert bundle.count(b'"kind":"timeline_read"') == 1
    assert bundle.count(b'"kind":"denied"') == 1
    assert bundle.count(b'"kind":"search"') == 1
    assert not any(name.encode() in bundle for name in NAMES)
