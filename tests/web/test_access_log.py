"""The access log over HTTP: for auditors alone, page by page, as files, and to be verified."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import json
from collections.abc import AsyncIterator, Sequence
from types import ModuleType
from typing import Any, Final

import aiohttp
import pytest
from service.auditing import every_row
from web.conftest import Town
from web.family import AUDITOR, CASE_NO, NAMES, OFFICE_STAFF, STRANGER, WORKER, consent, settle
from web.test_households import UNKNOWN, look

from visitsync.audit import fiscal_year, origin, peek_checkpoint, verify_bundle, verify_place
from visitsync.cli.installation.at_hand import operator
from visitsync.errors import NotSignedIn
from visitsync.service import access_log, log_search, tokens
from visitsync.service.caller import Scope
from visitsync.web import log_files
from visitsync.web.app import ROUTES
from visitsync.web.route import Route

OFFICER = "u19"
OF_FAMILY: Final = set(NAMES) - {"大石"}
"""That is also a member of staff's name, which auditors are told."""
PATH: Final = "/api/v1/access-log"
DAYS: Final = "?from=2026-01-01&until=2027-01-01"
ENTRY: Final = f"?shard={origin('visitsync', fiscal_year(dt.datetime.now(tz=dt.UTC)))}&seq=1"
ASKED: Final[dict[str, str]] = {
    f"GET {PATH}": "",
    f"POST {PATH}/search": "",
    f"POST {PATH}/export": "?format=ndjson",
    f"GET {PATH}/statistics": DAYS,
    f"GET {PATH}/checkpoint": "",
    f"GET {PATH}/bundle": DAYS,
    f"GET {PATH}/proof": ENTRY,
}
LOGGED: Final[dict[str, str]] = {
    f"GET {PATH}": "log_read",
    f"POST {PATH}/search": "log_read",
    f"POST {PATH}/export": "log_exported",
    f"GET {PATH}/statistics": "log_read",
    f"GET {PATH}/bundle": "log_exported",
    f"GET {PATH}/proof": "log_read",
}
MINE: Final[list[Route]] = [one for one in ROUTES if one.path.startswith(PATH)]
OPEN: Final = f"GET {PATH}/checkpoint"
"""A number and a hash: the more people keep it, the better."""


async def ask(
    town: Town, name: str, headers: dict[str, str], body: Any = None, query: str | None = None
) -> tuple[int, bytes]:
    method, path = name.split()
    query = ASKED[name] if query is None else query
    sent = (body or {}) if method == "POST" else None
    async with town.session.request(
        method, f"{path}{query}", headers=headers, json=sent
    ) as response:
        return response.status, await response.read()


async def found(town: Town, staff: str = AUDITOR, **sought: Any) -> list[dict[str, Any]]:
    status, body = await ask(town, f"POST {PATH}/search", town.staff(staff), sought)
    assert status == 200, body
    entries: list[dict[str, Any]] = json.loads(body)["entries"]
    return entries


async def exported(town: Town, form: str, **sought: Any) -> bytes:
    name, query = f"POST {PATH}/export", f"?format={form}"
    status, body = await ask(town, name, town.staff(AUDITOR), sought, query)
    assert status == 200, body
    return body


async def a_token(town: Town, staff: str, *scopes: Scope) -> dict[str, str]:
    issued = await tokens.issue(
        town.context, operator(), subject=f"staff:{staff}", scopes=scopes, days=1
    )
    return {"Authorization": f"Bearer {issued.secret}", "Accept-Language": "en"}


def test_every_route_of_the_log_is_asked_here() -> None:
    assert {f"{one.method} {one.path}" for one in MINE} == set(ASKED)
    assert {f"{one.method} {one.path}" for one in MINE if one.reveals == "log"} == set(LOGGED)
    assert {one.permission.scope for one in MINE} == {"audit"}


# ── who may ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", ASKED)
async def test_each_route_is_for_auditors_and_protection_officers(town: Town, name: str) -> None:
    for staff in town.tokens.staff:
        status, body = await ask(town, name, town.staff(staff))
        if staff in {AUDITOR, OFFICER}:
            assert status == 200, (staff, body)
        else:
            assert (status, json.loads(body)["code"]) == (403, "not_allowed"), staff
    for office in town.tokens.offices:
        status, body = await ask(town, name, town.office(office))
        assert (status, json.loads(body)["code"]) == (403, "not_allowed"), office
    status, _ = await ask(town, name, {})
    assert status == 401


@pytest.mark.parametrize("name", [one for one in ASKED if one != OPEN])
async def test_a_token_for_auditing_does_not_do_for_another_role(town: Town, name: str) -> None:
    for staff in (WORKER, STRANGER, OFFICE_STAFF, "u16"):
        status, body = await ask(town, name, await a_token(town, staff, "audit"))
        assert (status, json.loads(body)["code"]) == (403, "not_allowed"), staff
        leaf = json.loads((await every_row(town.context))[-1].leaf)
        assert (leaf["kind"], leaf["actor"]) == ("denied", f"staff:{staff}")


@pytest.mark.parametrize("name", LOGGED)
async def test_each_is_logged_under_who_asked(town: Town, name: str) -> None:
    before = len(await every_row(town.context))
    assert (await ask(town, name, town.staff(AUDITOR)))[0] == 200
    (row,) = (await every_row(town.context))[before:]
    leaf = json.loads(row.leaf)
    assert (leaf["kind"], leaf["actor"]) == (LOGGED[name], f"staff:{AUDITOR}")


# ── finding ───────────────────────────────────────────────────────────────────────────────────────
async def test_who_saw_a_household(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    await look(town, household, WORKER)
    (one,) = await found(town, household=household, kind="timeline_read")
    assert (one["actor"]["id"], one["actor"]["roles"]) == (WORKER, ["case_worker"])
    assert one["actor"]["name"]
    assert one["private"]["household"] == household
    query = f"?household={household}&kind=timeline_read"
    _, body = await ask(town, f"GET {PATH}", town.staff(OFFICER), query=query)
    assert json.loads(body) == {"entries": [one], "next": None}
    assert await found(town, name=one["actor"]["name"], kind="timeline_read") == [one]
    at = one["at"]
    assert await found(town, household=household, kind="timeline_read", until=at) == []
    by_time = {"from": at}
    assert (await found(town, household=household, kind="timeline_read", **by_time)) == [one]


async def test_none_of_a_family_stands_in_it(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    await look(town, household, WORKER)
    body = {"purpose": "care_coordination", "case_no": CASE_NO}
    async with town.session.post(
        "/api/v1/households/search", json=body, headers=town.staff(WORKER)
    ) as response:
        assert response.status == 200
    for name in ASKED:
        _, given = await ask(town, name, town.staff(AUDITOR))
        assert not [one for one in (*OF_FAMILY, CASE_NO) if one.encode() in given], name
    searches = await found(town, kind="search")
    assert [one["private"]["searched_by"] for one in searches] == [["case_no"]] * 2


async def test_an_unknown_household_and_one_never_looked_at_are_the_same_bytes(town: Town) -> None:
    household = await settle(town)
    given = set()
    for one in (household, UNKNOWN, "x", "' or 1=1"):
        sought = {"household": one, "kind": "print"}
        given.add(await ask(town, f"POST {PATH}/search", town.staff(AUDITOR), sought))
    assert given == {(200, b'{"entries":[],"next":null}')}


async def test_a_cursor_goes_on(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "_MOST", 7)
    gathered: list[dict[str, Any]] = []
    cursor: str | None = None
    for _ in range(1000):
        sought = {"kind": "token_issued", **({"cursor": cursor} if cursor else {})}
        _, body = await ask(town, f"POST {PATH}/search", town.staff(AUDITOR), sought)
        page = json.loads(body)
        gathered += page["entries"]
        if (cursor := page["next"]) is None:
            break
    assert len(gathered) == len(town.tokens.staff) + len(town.tokens.offices)


@pytest.mark.parametrize(
    ("sought", "where"),
    [
        ({"kind": "x"}, "kind"),
        ({"purpose": "x"}, "purpose"),
        ({"actor": "x"}, "actor"),
        ({"from": "2026-04-01"}, "from"),
        ({"from": "2026-04-01T00:00:00"}, "from"),
        ({"cursor": "x"}, "cursor"),
        ({"address": "試験市"}, "body"),
        ({"phone": "000"}, "body"),
        ({"household": "h" * 300}, "household"),
    ],
)
async def test_what_cannot_be_looked_for_is_named(
    town: Town, sought: dict[str, str], where: str
) -> None:
    status, body = await ask(town, f"POST {PATH}/search", town.staff(AUDITOR), sought)
    assert (status, json.loads(body)["where"]) == (400, where)


@pytest.mark.parametrize(
    ("name", "query", "where"),
    [
        (f"GET {PATH}", "?name=x", "query"),
        (f"GET {PATH}", "?from=x", "from"),
        (f"GET {PATH}", "?kind=x", "kind"),
        (f"GET {PATH}/statistics", "?from=2026-01-01", "until"),
        (f"GET {PATH}/statistics", "?from=2026-01-01&until=", "until"),
        (f"GET {PATH}/bundle", "?from=2026-01-01&until=2026-01-01", "until"),
        (f"POST {PATH}/export", "?format=xlsx", "format"),
        (f"GET {PATH}/proof", "?shard=visitsync/visitsync/2099&seq=0", "shard"),
        (f"GET {PATH}/proof", "?shard=x&seq=-1", "seq"),
        (f"GET {PATH}/proof", f"{ENTRY}00000", "seq"),
        (f"GET {PATH}/proof", "?shard=x", "seq"),
    ],
)
async def test_a_wrong_parameter_is_named(town: Town, name: str, query: str, where: str) -> None:
    status, body = await ask(town, name, town.staff(AUDITOR), query=query)
    assert (status, json.loads(body)["where"]) == (400, where)


# ── files ─────────────────────────────────────────────────────────────────────────────────────────
def cells(written: bytes) -> list[dict[str, str]]:
    assert written.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"), newline=""), strict=True))


async def test_a_file_holds_what_the_search_finds(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    for _ in range(3):
        await look(town, household, WORKER)
    searched = await found(town, household=household, kind="timeline_read")
    monkeypatch.setattr(log_search, "_MOST", 2)
    lines = (await exported(town, "ndjson", household=household, kind="timeline_read")).splitlines()
    assert [json.loads(one) for one in lines] == searched
    rows = cells(await exported(town, "csv", household=household, kind="timeline_read"))
    assert len(rows) == 3
    for row, one in zip(rows, searched, strict=True):
        assert (row["seq"], row["actor"], row["household"], row["name"]) == (
            str(one["seq"]),
            f"staff:{WORKER}",
            household,
            one["actor"]["name"],
        )
        assert row["categories"].split() == one["private"]["categories"]
        assert (row["erased"], row["protected"]) == ("no", "no")
    assert cells(await exported(town, "csv", household=UNKNOWN)) == []


async def test_a_file_is_logged_before_its_first_byte(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    head = log_files.head

    def watched(form: log_files.Form) -> bytes:
        written.append(form)
        return head(form)

    monkeypatch.setattr(log_files, "head", watched)
    before = len(await every_row(town.context))
    await exported(town, "csv", kind="print")
    assert written == ["csv"]
    (row,) = (await every_row(town.context))[before:]
    assert json.loads(row.leaf)["kind"] == "log_exported"


async def test_a_file_that_breaks_off_does_not_look_whole(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = log_search._pages  # noqa: SLF001 -- a page that fails in the middle

    async def failing(*given: Any) -> AsyncIterator[Sequence[Any]]:
        async for one in pages(*given):
            yield one
            raise OSError

    monkeypatch.setattr(log_search, "_pages", failing)
    async with asyncio.timeout(20):
        with pytest.raises(aiohttp.ClientError):
            await exported(town, "csv")


async def test_a_file_comes_as_an_attachment_that_runs_nothing(town: Town) -> None:
    async with town.session.post(
        f"{PATH}/export", json={"kind": "print"}, headers=town.staff(AUDITOR)
    ) as response:
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert response.headers["Cache-Control"] == "no-store"


# ── to be verified ────────────────────────────────────────────────────────────────────────────────
async def test_the_bundle_is_verified_with_the_checkpoint_of_before(town: Town) -> None:
    status, older = await ask(town, OPEN, town.staff(AUDITOR))
    assert status == 200
    _, bundle = await ask(town, f"GET {PATH}/bundle", town.staff(AUDITOR))
    verdict = verify_bundle(bundle, access_log.public_key(town.context), older.decode())
    assert [one.code for one in verdict.findings] == ["whole", "older_agrees"]
    assert verdict.entries == peek_checkpoint(older.decode()).size + 1


@pytest.mark.parametrize(
    ("name", "room"), [(f"GET {PATH}/bundle", access_log), (f"POST {PATH}/export", log_search)]
)
async def test_what_ends_in_the_middle_is_cut_off_and_was_logged(
    town: Town, name: str, room: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of who asks ends when the first bytes have left."""

    async def ended(*_: object) -> None:
        raise NotSignedIn("The token has ended")

    before = len(await every_row(town.context))
    with monkeypatch.context() as patched:
        patched.setattr(room, "still_signed_in", ended)
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask(town, name, town.staff(AUDITOR))
    assert len(await every_row(town.context)) == before + 1
    # The control: the same, to its end.
    assert (await ask(town, name, town.staff(AUDITOR)))[0] == 200


async def test_a_proof_of_one_entry_is_verified_by_the_key_alone(town: Town) -> None:
    _, proof = await ask(town, f"GET {PATH}/proof", town.staff(AUDITOR))
    verdict = verify_place(proof, access_log.public_key(town.context))
    assert verdict.codes() == ("included",)
    assert verdict.findings[0].facts["entry"] == 1


async def test_statistics_name_people_and_no_household(town: Town) -> None:
    household = await settle(town)
    await consent(town, household, "household_support")
    await look(town, household, WORKER)
    _, body = await ask(town, f"GET {PATH}/statistics", town.staff(AUDITOR))
    told = json.loads(body)
    (one,) = [each for each in told["people"] if each["actor"] == f"staff:{WORKER}"]
    assert (one["looks"], one["roles"]) == (1, ["case_worker"])
    assert one["group_median"] == 0
    assert household not in body.decode()
    assert told["days_off"] == ["saturday", "sunday"]
