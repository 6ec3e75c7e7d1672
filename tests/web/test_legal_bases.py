"""Council cases and invoked laws over HTTP: who may, who gets the answer for none, what is told."""

from __future__ import annotations

import datetime as dt
import json
import time
from typing import Any

import aiohttp
import pytest
from web.conftest import Town
from web.family import AUDITOR, CLERK, NAMES, OFFICE_STAFF, STRANGER, WORKER, settle
from web.test_protection import (
    OFFICER,
    SECOND_SUPERVISOR,
    SUPERVISOR,
    UNKNOWN,
    an_emergency,
    get,
    post,
    seen,
)

from visitsync.cli.installation import first_start
from visitsync.service.context import Context
from visitsync.web.api.legal_bases import ROUTES
from visitsync.web.serving import served

REASON = "一時保護の要否を調べるため"
SHOWN = {"services", "notes", "contact", "identity"}


def a_request(**changed: Any) -> dict[str, Any]:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    return {
        "basis": "child_abuse_13_4",
        "recipients": ["role:case_worker@agency:shiomi-city"],
        "categories": sorted(SHOWN),
        "valid_until": until.isoformat(),
        "reason": REASON,
        **changed,
    }


async def a_law(town: Town, home: str, **changed: Any) -> str:
    """Asked by a supervisor, approved by the protection officer; answers its id."""
    path = f"households/{home}/invocations"
    status, asked = await post(town, path, SUPERVISOR, a_request(**changed))
    assert status == 202
    status, _ = await post(town, f"invocations/{asked['id']}/approve", OFFICER)
    assert status == 200
    return str(asked["id"])


async def test_two_people_open_a_household_by_law_and_one_closes_it(town: Town) -> None:
    home = await settle(town)
    path = f"households/{home}/invocations"
    status, asked = await post(town, path, SUPERVISOR, a_request())
    assert (status, set(asked)) == (202, {"id", "lapses_at"})
    one = asked["id"]
    assert (await seen(town, home, STRANGER, "protection"))[0] == 404
    assert (await post(town, f"invocations/{one}/approve", SUPERVISOR))[0] == 403
    assert (await post(town, f"invocations/{one}/approve", WORKER))[0] == 403
    assert (await seen(town, home, STRANGER, "protection"))[0] == 404
    status, found = await get(town, f"{path}?purpose=protection", OFFICER)
    assert [(each["state"], each["reason"]) for each in found["invocations"]] == [
        ("waiting", REASON)
    ]

    status, made = await post(town, f"invocations/{one}/approve", OFFICER)

    assert (status, made["version"]) == (200, 1)
    status, text = await seen(town, home, STRANGER, "protection")
    assert (status, '"address"' in text, '"fee"' in text) == (200, True, False)
    status, problem = await post(town, f"invocations/{one}/approve", SECOND_SUPERVISOR)
    assert (status, problem["where"]) == (409, "approved")
    status, told = await get(town, "messages", OFFICE_STAFF)
    assert [each["about"] for each in told["messages"]] == [one]
    assert told["messages"][0]["text"] == "Looking at records on the basis of a law was approved."
    everything = json.dumps([found, told], ensure_ascii=False)
    assert home not in json.dumps(told)
    assert not any(name in everything for name in NAMES)
    assert (await post(town, f"invocations/{one}/end", WORKER))[0] == 200
    assert (await seen(town, home, STRANGER, "protection"))[0] == 404
    assert (await post(town, f"invocations/{one}/end", WORKER))[1]["where"] == "ended"


async def test_past_a_shield_only_when_somebody_else_confirmed(town: Town) -> None:
    home = await settle(town)
    one = await a_law(town, home)
    _, shield = await post(town, f"households/{home}/shields", OFFICE_STAFF, {})
    body = {"shield": shield["id"]}
    grant = an_emergency(town, STRANGER, categories=["contact"])
    _, access = await post(town, f"households/{home}/break-glass", STRANGER, grant)
    assert '"address"' not in (await seen(town, home, STRANGER, "protection"))[1]
    for path in (f"invocations/{one}/shield", f"break-glass/{access['id']}/shield"):
        assert (await post(town, path, STRANGER, body))[0] == 403
        assert (await post(town, path, OFFICER, {"shield": "none"}))[0] == 404
        assert (await post(town, path, OFFICER, {}))[0] == 400
    assert (await post(town, f"invocations/{one}/shield", SUPERVISOR, body))[0] == 403
    assert '"address"' not in (await seen(town, home, STRANGER, "protection"))[1]

    assert (await post(town, f"invocations/{one}/shield", OFFICER, body))[0] == 200

    assert '"address"' in (await seen(town, home, STRANGER, "protection"))[1]
    assert (await post(town, f"households/{home}/shields", OFFICE_STAFF, {}))[0] == 201
    assert '"address"' not in (await seen(town, home, STRANGER, "protection"))[1]
    path = f"break-glass/{access['id']}/shield"
    assert (await post(town, path, OFFICER, body))[0] == 200


async def test_a_council_case_is_kept_by_the_desk(town: Town) -> None:
    home = await settle(town)
    path = f"households/{home}/council-cases"
    for staff in (WORKER, STRANGER, OFFICE_STAFF):
        assert (await post(town, path, staff, {"members": ["agency:shiomi-city"]}))[0] == 403
    for members in ([], ["agency:nobody"], ["office:shiomi-mt-01"], ["viewer:u01"]):
        status, problem = await post(town, path, OFFICER, {"members": members})
        assert (status, problem["where"]) == (400, "members")

    status, case = await post(town, path, SUPERVISOR, {"members": ["office:shiomi-ns-01"]})

    assert (status, case["version"]) == (201, 1)
    one = f"council-cases/{case['id']}"
    body = {"members": ["agency:shiomi-city"]}
    assert (await post(town, f"{one}/members", OFFICER, body))[0] == 200
    assert (await post(town, f"{one}/close", OFFICER))[0] == 200
    assert (await post(town, f"{one}/close", OFFICER))[1]["where"] == "closed"
    status, found = await get(town, f"{path}?purpose=care_coordination", OFFICER)
    assert status == 200
    (listed,) = found["cases"]
    assert [each["members"] for each in listed["versions"][:2]] == [
        ["office:shiomi-ns-01"],
        ["agency:shiomi-city"],
    ]
    assert [set(each) for each in listed["versions"]] == [
        {"version", "recorded_at", "members", "from", "until"}
    ] * 3


def a_body(path: str) -> dict[str, Any] | None:
    if path.endswith("/invocations"):
        return a_request()
    if path.endswith(("/council-cases", "/members")):
        return {"members": ["agency:shiomi-city"]}
    return {"shield": "none"} if path.endswith("/shield") else None


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: f"{one.method} {one.path}")
async def test_a_family_that_is_hidden_is_no_family_to_the_byte(town: Town, route: Any) -> None:
    """For the supervisor whom a block names; the officer is answered so only for none."""
    home = await settle(town)
    waits = (await post(town, f"households/{home}/invocations", OFFICER, a_request()))[1]["id"]
    law = await a_law(town, home)
    members = {"members": ["agency:shiomi-city"]}
    case = (await post(town, f"households/{home}/council-cases", OFFICER, members))[1]["id"]
    grant = an_emergency(town, STRANGER, categories=["contact"])
    access = (await post(town, f"households/{home}/break-glass", STRANGER, grant))[1]["id"]
    blocked = {"who": [f"viewer:{SECOND_SUPERVISOR}"]}
    assert (await post(town, f"households/{home}/blocks", OFFICER, blocked))[0] == 201
    names = {"council-cases": case, "break-glass": access, "invocations": law}
    one = waits if route.path.endswith("/approve") else names.get(route.path.split("/")[3], "")
    answers = []
    for at, name in ((home, one), (UNKNOWN, "none")):
        path = route.path.removeprefix("/api/v1/").replace("{household}", at)
        path = path.replace("{id}", name)
        if route.method == "GET":
            answers.append(await get(town, f"{path}?purpose=protection", SECOND_SUPERVISOR))
        else:
            answers.append(await post(town, path, SECOND_SUPERVISOR, a_body(route.path)))
    assert answers[0][0] == 404
    assert answers[0] == answers[1]


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: f"{one.method} {one.path}")
async def test_every_route_refuses_offices_strangers_and_other_roles(
    town: Town, route: Any
) -> None:
    path = route.path.replace("{household}", UNKNOWN).replace("{id}", "none")
    if route.method == "GET":
        path += "?purpose=protection"
    body = json.dumps(a_body(route.path)).encode()
    for headers, status in (
        (town.office("shiomi-mt-01"), 403),
        (town.staff(AUDITOR), 403),
        (town.staff(CLERK), 403),
        (town.staff(OFFICE_STAFF), 403),
        ({}, 401),
    ):
        async with town.session.request(
            route.method,
            path,
            data=body if route.method == "POST" else None,
            headers={**headers, "Content-Type": "application/json"},
        ) as response:
            assert response.status == status


@pytest.mark.parametrize(
    "changed",
    [
        {"valid_until": "2030-01-01T00:00:00"},
        {"valid_until": None},
        {"reason": ""},
        {"approved_by": "u19"},
        {"categories": "notes"},
    ],
    ids=str,
)
async def test_a_request_of_another_form_is_400_and_not_repeated(
    town: Town, changed: dict[str, Any]
) -> None:
    path = f"households/{UNKNOWN}/invocations"
    status, problem = await post(town, path, OFFICER, a_request(**changed))
    assert status == 400
    assert REASON not in json.dumps(problem, ensure_ascii=False)


async def test_on_both_engines(context: Context) -> None:
    file = await first_start.settle(context)
    assert file is not None
    async with (
        served(context, "127.0.0.1", 0, time.time) as url,
        aiohttp.ClientSession(url) as session,
    ):
        town = Town(context, url, first_start.tokens_of(file), session, context.settings.data_dir)
        await test_two_people_open_a_household_by_law_and_one_closes_it(town)
