"""Directives over HTTP: what a case worker sends, what a family gets, what is refused."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa
import yarl
from structlog.testing import LogCapture
from web.conftest import Town
from web.family import NAMES, OFFICE_STAFF, STRANGER, WORKER, settle

from visitsync.audit import NoteVerifier, open_receipt
from visitsync.store.tables import log_entry

DRAFT: dict[str, Any] = {
    "grantor": "guardian",
    "effect": "permit",
    "sources": ["program:multiples"],
    "recipients": ["role:case_worker@agency:shiomi-city"],
    "purposes": ["care_coordination"],
    "categories": ["attendance"],
    "notice_version": "2026-04",
}
SCAN = {
    "kind": "paper",
    "media_type": "image/png",
    "content": base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR signed").decode(),
}
GONE = {"reason": "changed_mind", "by": "guardian"}
NOBODY = "h" + "a" * 26


async def sent(
    town: Town, path: str, body: Any, staff: str = WORKER, kind: str = "application/json"
) -> tuple[int, bytes, Any]:
    headers = {**town.staff(staff), "Content-Type": kind}
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with town.session.post(
        f"/api/v1{path}", data=io.BytesIO(written), headers=headers
    ) as response:
        raw = await response.read()
        return response.status, raw, await response.json()


async def sees(town: Town, household: str) -> int:
    path = f"/api/v1/households/{household}/timeline?purpose=care_coordination"
    async with town.session.get(path, headers=town.staff(WORKER)) as response:
        return len((await response.json())["entries"]) if response.status == 200 else 0


async def test_recorded_seen_withdrawn_and_unseen(town: Town, log: LogCapture) -> None:
    household = await settle(town)
    path = f"/households/{household}/directives"
    status, _, preview = await sent(town, f"{path}?preview=true", DRAFT)
    assert status == 200
    assert [one["viewer"] for one in preview["people"]] == [WORKER]
    assert not await sees(town, household)

    status, _, made = await sent(town, path, {**DRAFT, "evidence": SCAN})
    assert status == 201
    assert await sees(town, household)
    key = NoteVerifier(town.context.log.vkey)
    assert open_receipt(made["receipt"], [key]).directive == f"{made['id']}@1"

    path = f"/directives/{made['id']}/withdraw"
    status, _, preview = await sent(town, f"{path}?preview=true", GONE)
    assert status == 200
    assert [one["viewer"] for one in preview["people"]] == [WORKER]
    assert preview["people"][0]["loses"][0]["categories"] == ["attendance"]
    assert await sees(town, household)
    status, _, gone = await sent(town, path, GONE)
    assert (status, gone["version"]) == (201, 2)
    assert not await sees(town, household)
    assert open_receipt(gone["receipt"], [key]).what == "withdrawn"
    for name in NAMES:
        assert name not in gone["receipt"]
        assert name not in str(log.entries)


async def test_not_mine_and_not_there_are_the_same_bytes(town: Town) -> None:
    household = await settle(town)
    _, _, made = await sent(town, f"/households/{household}/directives", DRAFT)
    answers = {
        (await sent(town, path, body, staff))[:2]
        for path, body, staff in (
            (f"/households/{household}/directives", DRAFT, STRANGER),
            (f"/households/{household}/directives?preview=true", DRAFT, STRANGER),
            (f"/households/{household}/directives", DRAFT, OFFICE_STAFF),
            (f"/households/{NOBODY}/directives", DRAFT, WORKER),
            (f"/households/{NOBODY}/directives?preview=true", DRAFT, WORKER),
            ("/households/x/directives", DRAFT, WORKER),
            ("/households/%00/directives", DRAFT, WORKER),
            ("/directives/%00/withdraw", GONE, WORKER),
            ("/directives/%00/withdraw?preview=true", GONE, WORKER),
            ("/directives/%00/confirm", {}, WORKER),
            (f"/directives/{made['id']}/withdraw", GONE, STRANGER),
            (f"/directives/{made['id']}/withdraw?preview=true", GONE, STRANGER),
            (f"/directives/{made['id']}/confirm", {}, STRANGER),
            ("/directives/d/withdraw", GONE, WORKER),
            ("/directives/d/withdraw?preview=true", GONE, WORKER),
            ("/directives/d/confirm", {}, WORKER),
        )
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "not_json"),
        (b'{"grantor": "a", "grantor": "b"}', "repeated_name"),
        ([], "body"),
        ({**DRAFT, "more": 1}, "body"),
        ({**DRAFT, "household": NOBODY}, "body"),
        ({name: DRAFT[name] for name in DRAFT if name != "grantor"}, "grantor"),
        ({**DRAFT, "grantor": NAMES[0]}, "grantor"),
        ({**DRAFT, "grantor": "a b"}, "grantor"),
        ({**DRAFT, "notice_version": "2026-04\neffect deny"}, "notice_version"),
        ({**DRAFT, "effect": "maybe"}, "effect"),
        ({**DRAFT, "sources": "all"}, "sources"),
        ({**DRAFT, "sources": ["office:none"]}, "sources"),
        ({**DRAFT, "recipients": ["everybody"]}, "directive"),
        ({**DRAFT, "categories": ["services"]}, "directive"),
        ({**DRAFT, "valid_until": "yesterday"}, "valid_until"),
        ({**DRAFT, "valid_from": "2026-04-01T00:00:00"}, "directive"),
        ({**DRAFT, "registrations": ["r"]}, "registrations"),
        ({**DRAFT, "evidence": {**SCAN, "kind": "hearsay"}}, "evidence"),
        ({**DRAFT, "evidence": {**SCAN, "media_type": "text/html"}}, "evidence"),
        ({**DRAFT, "evidence": {**SCAN, "content": "?"}}, "evidence"),
        ({**DRAFT, "evidence": {**SCAN, "content": ""}}, "evidence"),
        (
            {**DRAFT, "evidence": {**SCAN, "content": base64.b64encode(bytes(2**21 + 1)).decode()}},
            "evidence",
        ),
    ],
)
async def test_what_is_malformed_is_named_and_not_repeated(
    town: Town, body: Any, where: str
) -> None:
    household = await settle(town)
    for query in ("", "?preview=true"):
        status, raw, found = await sent(town, f"/households/{household}/directives{query}", body)
        assert (status, found["where"]) == (400, where)
        assert b"hearsay" not in raw
        assert NAMES[0].encode() not in raw


async def test_evidence_is_handed_out_as_a_file_that_runs_nothing(town: Town) -> None:
    household = await settle(town)
    path = f"/households/{household}/directives"
    script = base64.b64encode(b"%PDF-1.7 /OpenAction /JavaScript").decode()
    given = {"kind": "paper", "media_type": "application/pdf", "content": script}
    _, _, made = await sent(town, path, {**DRAFT, "evidence": given})
    url = f"/api/v1/directives/{made['id']}/evidence?purpose=care_coordination"
    async with town.session.get(url, headers=town.staff(WORKER)) as response:
        assert response.status == 200
        assert await response.read() == base64.b64decode(script)
        told = response.headers
    assert told["Content-Type"] == "application/pdf"
    assert told["Content-Disposition"] == 'attachment; filename="evidence.pdf"'
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert told["Cache-Control"] == "no-store"


async def test_evidence_of_a_protected_family_says_so_and_only_to_who_heeds_it(town: Town) -> None:
    household = await settle(town)
    _, _, made = await sent(
        town, f"/households/{household}/directives", {**DRAFT, "evidence": SCAN}
    )
    url = f"/api/v1/directives/{made['id']}/evidence?purpose=care_coordination"
    heeds = {"Accept-Protected": "address"}

    async def given(headers: dict[str, str]) -> tuple[int, str | None]:
        async with town.session.get(url, headers={**town.staff(WORKER), **headers}) as response:
            return response.status, response.headers.get("Protected")

    assert await given({}) == (200, None)
    allowed = ["role:child_protection_worker@agency:shiomi-city", f"viewer:{WORKER}"]
    status, _, _ = await sent(town, f"/households/{household}/shields", {"allowed": allowed})
    assert status == 201

    assert await given(heeds) == (200, "address")
    assert await given({}) == (404, None)
    assert await given({"Accept-Protected": "yes"}) == (404, None)


async def test_evidence_for_others_and_none_are_the_same_bytes(town: Town) -> None:
    household = await settle(town)
    path = f"/households/{household}/directives"
    _, _, scanned = await sent(town, path, {**DRAFT, "evidence": SCAN})
    _, _, bare = await sent(town, path, DRAFT)
    answers = set()
    for directive, staff in (
        (scanned["id"], STRANGER),
        (scanned["id"], OFFICE_STAFF),
        (bare["id"], WORKER),
        ("d", WORKER),
        ("%00", WORKER),
    ):
        url = f"/api/v1/directives/{directive}/evidence?purpose=care_coordination"
        async with town.session.get(yarl.URL(url, encoded=True), headers=town.staff(staff)) as got:
            answers.add((got.status, await got.read()))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


async def test_evidence_of_another_type_is_refused_and_said_so(town: Town) -> None:
    household = await settle(town)
    page = base64.b64encode(b"<script>alert(1)</script>").decode()
    given = {"kind": "paper", "media_type": "image/jpeg", "content": page}
    for query in ("", "?preview=true"):
        path = f"/households/{household}/directives{query}"
        status, raw, found = await sent(town, path, {**DRAFT, "evidence": given})
        assert (status, found["code"]) == (422, "not_its_media_type")
        assert found["where"] == "evidence"
        assert b"script" not in raw


async def test_a_body_is_json_and_no_larger_than_evidence(town: Town) -> None:
    path = f"/households/{NOBODY}/directives"
    assert (await sent(town, path, DRAFT, kind="text/plain"))[0] == 415
    assert (await sent(town, path, b" " * (3 * 2**20 + 1)))[0] == 413
    assert (await sent(town, f"{path}?preview=perhaps", DRAFT))[2]["where"] == "preview"
    scan = base64.b64decode(SCAN["content"]).ljust(2**21, b"\0")
    largest = {**SCAN, "content": base64.b64encode(scan).decode()}
    household = await settle(town)
    path = f"/households/{household}/directives"
    assert (await sent(town, path, {**DRAFT, "evidence": largest}))[0] == 201


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"reason": "changed_mind"}, "by"),
        ({"reason": "whim", "by": "guardian"}, "reason"),
        ({"reason": "changed_mind", "by": NAMES[0]}, "by"),
        ({**GONE, "more": 1}, "body"),
    ],
)
async def test_a_withdrawal_says_who_and_why(town: Town, body: Any, where: str) -> None:
    household = await settle(town)
    _, _, made = await sent(town, f"/households/{household}/directives", DRAFT)
    status, _, found = await sent(town, f"/directives/{made['id']}/withdraw", body)
    assert (status, found["where"]) == (400, where)


@pytest.mark.parametrize("query", ["", "?preview=true"])
async def test_who_did_not_refuse_cannot_be_guessed_unseen(
    town: Town, log: LogCapture, query: str
) -> None:
    """Whoever decides for a household could try one id after another."""
    household = await settle(town)
    recorded = f"/households/{household}/directives"
    _, _, made = await sent(town, recorded, {**DRAFT, "effect": "deny"})
    path = f"/directives/{made['id']}/withdraw{query}"
    before = await denied(town)
    for by in ("guardian-2", "guardian-3"):
        status, _, found = await sent(town, path, {**GONE, "by": by})
        assert (status, found["code"], found["where"]) == (409, "not_now", "not_theirs")
    assert await denied(town) == before + 2
    assert (await sent(town, path, GONE))[0] in {200, 201}
    assert all("guardian-2" not in str(entry) for entry in log.entries)


async def denied(town: Town) -> int:
    async with town.context.database.reading() as connection:
        leaves = (await connection.execute(sa.select(log_entry.c.leaf))).scalars()
        return sum('"kind":"denied"' in one for one in leaves)


async def test_a_token_that_only_reads_records_nothing(town: Town) -> None:
    household = await settle(town)
    path = f"/households/{household}/directives"
    assert (await sent(town, path, DRAFT, "u18"))[0] == 403


async def test_the_list_says_where_each_stands(town: Town) -> None:
    household = await settle(town)
    path = f"/households/{household}/directives"
    _, _, made = await sent(town, path, DRAFT)
    async with town.session.get(
        f"/api/v1{path}?purpose=care_coordination", headers=town.staff(WORKER)
    ) as response:
        found = await response.json()
    assert [(one["id"], one["state"]) for one in found["directives"]] == [(made["id"], "in_force")]

    answers = set()
    for staff, one in ((STRANGER, household), (WORKER, NOBODY), (WORKER, "x")):
        url = f"/api/v1/households/{one}/directives?purpose=care_coordination"
        async with town.session.get(url, headers=town.staff(staff)) as response:
            answers.add((response.status, await response.read()))
    assert [status for status, _ in answers] == [404]
    async with town.session.get(f"/api/v1{path}", headers=town.staff(WORKER)) as response:
        assert (response.status, (await response.json())["where"]) == (400, "purpose")


async def test_a_second_person_confirms(town: Town) -> None:
    household = await settle(town)
    _, _, made = await sent(town, f"/households/{household}/directives", DRAFT)
    status, _, found = await sent(town, f"/directives/{made['id']}/confirm", {})
    assert (status, found["where"]) == (409, "not_waiting")
