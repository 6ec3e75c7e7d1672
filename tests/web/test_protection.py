"""Protection and emergency over HTTP: who may, what is answered, and that nothing leaks."""

from __future__ import annotations

import json
import time
from typing import Any

import aiohttp
import pytest
from web.conftest import Town
from web.family import AUDITOR, CLERK, NAMES, OFFICE_STAFF, STRANGER, WORKER, consent, settle

from visitsync.cli.installation import first_start
from visitsync.service.context import Context
from visitsync.web.app import ROUTES
from visitsync.web.serving import served

HEEDS = {"Accept-Protected": "address"}
UNKNOWN = "h" + "a" * 26
SUPERVISOR, SECOND_SUPERVISOR, OFFICER = "u16", "u17", "u19"
PROTECTED = ("/shields", "/blocks", "/lifts", "/break-glass", "/messages")


async def post(
    town: Town, path: str, staff: str, body: Any = None, raw: bytes | None = None
) -> tuple[int, dict[str, Any]]:
    headers = {**town.staff(staff), "Content-Type": "application/json", **HEEDS}
    data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
    async with town.session.post(f"/api/v1/{path}", data=data, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def get(town: Town, path: str, staff: str) -> tuple[int, dict[str, Any]]:
    async with town.session.get(f"/api/v1/{path}", headers=town.staff(staff)) as response:
        return response.status, await response.json(content_type=None)


async def seen(
    town: Town, home: str, staff: str, purpose: str = "care_coordination"
) -> tuple[int, str]:
    async with town.session.get(
        f"/api/v1/households/{home}/timeline",
        params={"purpose": purpose},
        headers={**town.staff(staff), **HEEDS},
    ) as response:
        return response.status, await response.text()


def an_emergency(town: Town, staff: str, **changed: Any) -> dict[str, Any]:
    return {
        "reason": "child_in_danger",
        "text": "通報があり連絡がとれない",
        "categories": ["notes"],
        "hours": 1,
        "proof": town.tokens.staff[staff],
        **changed,
    }


async def test_an_empty_body_hides_a_family_within_a_second(town: Town) -> None:
    """D4: by the office's own staff, in force for the next request."""
    home = await settle(town)
    await consent(town, home, "household_support", "multiples", categories=("contact", "services"))
    status, before = await seen(town, home, WORKER)
    assert (status, '"address"' in before) == (200, True)
    async with town.session.post(
        f"/api/v1/households/{home}/shields", headers=town.staff(OFFICE_STAFF)
    ) as response:
        start = time.monotonic()
        assert response.status == 201
        shield = (await response.json())["id"]
    status, after = await seen(town, home, WORKER)

    assert time.monotonic() - start < 1.0
    assert (status, '"address"' in after) == (200, False)
    assert '"visitors"' not in after
    status, lift = await post(
        town,
        f"shields/{shield}/lifts",
        OFFICE_STAFF,
        {"recipient": f"viewer:{WORKER}", "document": "court_document", "reason": "提出"},
    )
    assert status == 201
    status, _ = await post(town, f"lifts/{lift['id']}/approve", OFFICER)
    assert status == 200
    purpose = {"purpose": "care_coordination"}
    assert (await post(town, f"lifts/{lift['id']}/use", STRANGER, purpose))[0] == 404
    status, lifted = await post(town, f"lifts/{lift['id']}/use", WORKER, purpose)
    assert (status, lifted["protected"]) == (200, True)
    assert lifted["persons"]
    assert not any(name in json.dumps(lifted, ensure_ascii=False) for name in NAMES)
    status, problem = await post(town, f"lifts/{lift['id']}/use", WORKER, purpose)
    assert (status, problem["code"], problem["where"]) == (409, "not_now", "used")
    assert (await post(town, f"shields/{shield}/close", OFFICE_STAFF))[0] == 202
    assert (await post(town, f"shields/{shield}/close/approve", OFFICE_STAFF))[0] == 403
    assert (await post(town, f"shields/{shield}/close/approve", OFFICER))[0] == 200
    assert '"address"' in (await seen(town, home, WORKER))[1]


async def test_a_family_one_does_not_know_is_no_family_to_the_byte(town: Town) -> None:
    home = await settle(town)
    for path, staff, body in (
        ("shields", STRANGER, {}),
        ("shields", "u12", {}),
        ("break-glass", WORKER, an_emergency(town, WORKER)),
    ):
        if path == "break-glass":
            blocked = {"who": [f"viewer:{WORKER}"]}
            assert (await post(town, f"households/{home}/blocks", OFFICER, blocked))[0] == 201
        answers = [
            await post(town, f"households/{one}/{path}", staff, body) for one in (home, UNKNOWN)
        ]
        assert answers[0][0] == 404
        assert answers[0] == answers[1]
    paths: tuple[tuple[str, Any], ...] = (
        ("shields/none/close", None),
        ("shields/none/confirm", {}),
        ("blocks/none/close/approve", None),
        ("lifts/none/approve", None),
        ("break-glass/none/approve", None),
        ("break-glass/none/review", {"outcome": "justified", "text": "x"}),
    )
    for path, said in paths:
        assert (await post(town, path, OFFICER, said))[0] == 404, path


async def test_a_block_holds_for_the_next_request(town: Town) -> None:
    home = await settle(town)
    await consent(town, home, "household_support")
    assert (await seen(town, home, WORKER))[0] == 200
    body = {"who": [f"viewer:{WORKER}"]}
    assert (await post(town, f"households/{home}/blocks", WORKER, body))[0] == 403
    assert (await post(town, f"households/{home}/blocks", OFFICER, {"who": ["viewer:x"]}))[0] == 400

    status, block = await post(town, f"households/{home}/blocks", OFFICER, body)

    assert status == 201
    assert (await seen(town, home, WORKER)) == (await seen(town, UNKNOWN, WORKER))
    assert (await post(town, f"blocks/{block['id']}/close", OFFICER))[0] == 202
    assert (await post(town, f"blocks/{block['id']}/close/approve", OFFICER))[0] == 403


async def test_breaking_the_glass_is_told_and_reviewed(town: Town) -> None:
    home = await settle(town)
    assert (await seen(town, home, STRANGER, "protection"))[0] == 404
    path = f"households/{home}/break-glass"
    wrong = an_emergency(town, STRANGER, proof=town.tokens.staff[WORKER])
    status, problem = await post(town, path, STRANGER, wrong)
    assert (status, problem["code"]) == (403, "not_proven")
    assert (await post(town, path, CLERK, an_emergency(town, CLERK)))[0] == 403
    for changed in ({"hours": 5}, {"hours": 0}, {"hours": True}, {"text": ""}, {"reason": "x"}):
        status, problem = await post(town, path, STRANGER, an_emergency(town, STRANGER, **changed))
        assert (status, problem["where"]) == (400, next(iter(changed)))

    status, access = await post(town, path, STRANGER, an_emergency(town, STRANGER))

    assert (status, access["status"]) == (201, "granted")
    assert (await seen(town, home, STRANGER, "protection"))[0] == 200
    for staff, reader in ((OFFICE_STAFF, "office:shiomi-mt-01"), (OFFICER, f"staff:{OFFICER}")):
        status, found = await get(town, "messages", staff)
        assert status == 200
        (message,) = found["messages"]
        assert (message["to"], message["about"]) == (reader, access["id"])
        assert message["text"] == "An emergency access was granted. It will be reviewed."
        told = json.dumps(found, ensure_ascii=False)
        assert home not in told
        assert not any(name in told for name in NAMES)
    status, reviews = await get(town, "break-glass/reviews", SUPERVISOR)
    assert [one["text"] for one in reviews["reviews"]] == ["通報があり連絡がとれない"]
    assert (await get(town, "break-glass/reviews", WORKER))[0] == 403
    verdict = {"outcome": "unjustified", "text": "確認できない"}
    assert (await post(town, f"break-glass/{access['id']}/review", WORKER, verdict))[0] == 403
    assert (await post(town, f"break-glass/{access['id']}/review", OFFICER, verdict))[0] == 200
    assert (await seen(town, home, STRANGER, "protection"))[0] == 404
    status, counted = await get(town, "break-glass/statistics", AUDITOR)
    assert [(one["outcome"], one["count"]) for one in counted["counts"]] == [("unjustified", 1)]
    assert (await get(town, "break-glass/statistics", SUPERVISOR))[0] == 403


async def test_the_day_has_its_number(town: Town) -> None:
    home = await settle(town)
    path = f"households/{home}/break-glass"
    codes = [(await post(town, path, STRANGER, an_emergency(town, STRANGER)))[0] for _ in range(7)]

    assert codes == [201] * 5 + [429] * 2


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{", b'{"withhold_notes": 1}', b'{"closed_at": null}', b'{"until": "tomorrow"}'],
)
async def test_a_shield_of_another_form_is_400(town: Town, body: bytes) -> None:
    status, problem = await post(town, f"households/{UNKNOWN}/shields", WORKER, raw=body)

    assert status == 400
    assert "tomorrow" not in json.dumps(problem)


def of_protection() -> list[Any]:
    return [one for one in ROUTES if any(part in one.path for part in PROTECTED)]


@pytest.mark.parametrize("route", of_protection(), ids=lambda one: f"{one.method} {one.path}")
async def test_every_route_refuses_offices_and_strangers(town: Town, route: Any) -> None:
    """D5: made from the route table, so that no route can be forgotten."""
    path = route.path.replace("{household}", UNKNOWN).replace("{id}", "none")
    send = {"data": b"{}", "headers": {"Content-Type": "application/json"}}
    for headers, status in ((town.office("shiomi-mt-01"), 403), ({}, 401)):
        async with town.session.request(
            route.method,
            path,
            data=send["data"],
            headers={**headers, **send["headers"]},  # type: ignore[dict-item]
        ) as response:
            assert response.status == status
    assert len(of_protection()) == 18


async def test_on_both_engines(context: Context) -> None:
    file = await first_start.settle(context)
    assert file is not None
    async with (
        served(context, "127.0.0.1", 0, time.time) as url,
        aiohttp.ClientSession(url) as session,
    ):
        town = Town(context, url, first_start.tokens_of(file), session, context.settings.data_dir)
        await test_an_empty_body_hides_a_family_within_a_second(town)
        await test_the_ageing_report_is_the_officers(town)


async def test_the_ageing_report_is_the_officers(town: Town) -> None:
    assert await get(town, "shields/ageing", OFFICER) == (200, {"shields": []})
    assert (await get(town, "shields/ageing", SUPERVISOR))[0] == 403
