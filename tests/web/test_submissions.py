"""Handing in over HTTP: every kind of body, and every kind of bad one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import LogCapture
from web.conftest import SHIOMI, Town

from visitsync.cli.office_client.handing_in import Desk, Handed, Terms
from visitsync.web.limits import Limits

SP, MT, PH, NS = "shiomi-sp-01", "shiomi-mt-01", "shiomi-ph-01", "shiomi-ns-01"
SAMPLES = Path("tests/samples")
BAD = {path.name: path for path in SAMPLES.glob("*/bad/*") if "rows" not in path.name}


def canonical(count: int = 3) -> list[bytes]:
    file = SAMPLES / "single_parent/expected/SP_202604.csv.ndjson"
    return file.read_bytes().splitlines()[:count]


async def post(  # noqa: PLR0913 -- what a request is made of
    town: Town,
    content: bytes,
    *,
    office: str = SP,
    as_office: str = SP,
    kind: str = "application/x-ndjson",
    query: str = "",
    **headers: str,
) -> tuple[int, dict[str, Any]]:
    sent = {**town.office(as_office), "Content-Type": kind}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/api/v1/offices/{office}/submissions{query}"
    async with town.session.post(path, data=content, headers=sent) as response:
        return response.status, json.loads(await response.read())


async def test_canonical_lines_are_taken(town: Town) -> None:
    status, report = await post(town, b"\n".join(canonical()))

    assert status == 200
    assert report["counts"]["created"] == 3
    assert [one["status"] for one in report["records"]] == ["created"] * 3
    assert report["office"] == SP


async def test_an_array_is_taken_like_lines(town: Town) -> None:
    status, report = await post(town, b"[" + b",".join(canonical()) + b"]", kind="application/json")

    assert (status, report["counts"]["created"]) == (200, 3)


@pytest.mark.parametrize(
    ("office", "files"),
    [
        (SP, ["SP_202604.csv"]),
        (MT, ["MT_2026-04.tsv"]),
        (PH, ["PH_202604.txt", "PH_202604_fees.csv"]),
        (NS, ["NS_export_2026Q1.ndjson"]),
        ("shiomi-hs-01", ["HS_2026-04.xlsx"]),
    ],
)
async def test_an_offices_own_files_are_read_as_they_are(
    town: Town, office: str, files: list[str]
) -> None:
    folders = {"shiomi-hs-01": "household_support", SP: "single_parent", MT: "multiples"}
    folders |= {PH: "perinatal_helper", NS: "nurturing_support"}
    handed = [Handed(name, (SHIOMI / folders[office] / name).read_bytes()) for name in files]
    desk = Desk(
        session=town.session, url=town.url, office=office, token=town.tokens.offices[office]
    )

    answer = await desk.hand_in(handed, Terms())

    golden = SAMPLES / folders[office] / "expected" / f"{files[0]}.ndjson"
    assert answer.status == 200
    counts = answer.document["counts"]
    assert counts["created"] + counts["updated"] + counts["voided"] == len(
        golden.read_bytes().splitlines()
    )
    assert counts["rejected"] == 0


async def test_a_fee_file_joins_its_visits_when_both_are_handed_in_together(town: Town) -> None:
    desk = Desk(session=town.session, url=town.url, office=PH, token=town.tokens.offices[PH])
    folder = SHIOMI / "perinatal_helper"
    names = ("PH_202604.txt", "PH_202604_fees.csv")
    both = [Handed(name, (folder / name).read_bytes()) for name in names]

    together = await desk.hand_in(both, Terms(dry_run=True))
    alone = await desk.hand_in(both[1:], Terms(dry_run=True))

    assert not [one for one in together.document["problems"] if one["level"] == "reject"]
    assert alone.status == 422 or alone.document["counts"]["created"] == 0


async def test_a_dry_run_takes_nothing(town: Town) -> None:
    status, report = await post(town, b"\n".join(canonical()), query="?dry_run=true")
    _, again = await post(town, b"\n".join(canonical()))

    assert (status, report["dry_run"], report["submission"]) == (200, True, None)
    assert report["counts"]["created"] == again["counts"]["created"] == 3


async def test_the_same_key_again_gets_the_first_answer(town: Town) -> None:
    body = b"\n".join(canonical())
    _, first = await post(town, body, Idempotency_Key="k1")
    _, second = await post(town, body, Idempotency_Key="k1")
    status, third = await post(town, body + b"\n", Idempotency_Key="k1")

    assert (first["repeated"], second["repeated"]) == (False, True)
    assert second["submission"] == first["submission"]
    assert (status, third["code"]) == (422, "idempotency_key_reused")


async def test_the_same_key_at_the_same_time_has_one_effect(town: Town) -> None:
    body = b"\n".join(canonical())
    answers = await asyncio.gather(*(post(town, body, Idempotency_Key="at-once") for _ in range(6)))

    taken = [report for status, report in answers if status == 200]
    assert {status for status, _ in answers} <= {200, 429, 503}
    assert len({report["submission"] for report in taken}) == 1
    assert sum(not report["repeated"] for report in taken) == 1


async def test_good_records_are_taken_beside_bad_ones_unless_all_or_none_is_asked(
    town: Town,
) -> None:
    bad = re.sub(rb'"outcome":"\w+"', b'"outcome":"secret-word"', canonical(1)[0])
    body = b"\n".join([*canonical()[1:], bad])
    status, none = await post(town, body, query="?mode=all")
    assert (status, none["code"]) == (422, "nothing_taken")
    assert none["report"]["counts"]["not_taken"] == 2

    status, some = await post(town, body)
    assert (status, some["counts"]["created"], some["counts"]["rejected"]) == (200, 2, 1)
    rejected = some["records"][-1]
    assert (rejected["status"], rejected["codes"], rejected["where"]) == (
        "rejected",
        ["bad_record"],
        "outcome",
    )
    assert rejected["messages"]
    assert "secret-word" not in json.dumps(some)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "application/x-ndjson"),
        (b"\n\n", "application/x-ndjson"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[{]", "application/json"),
        (b"{}", "application/json"),
        (b"[", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff\xfe[]", "application/json"),
        (b"[1e999]" + b"x", "application/json"),
    ],
)
async def test_what_is_no_json_is_refused_as_a_whole(town: Town, content: bytes, kind: str) -> None:
    status, problem = await post(town, content, kind=kind)

    assert (status, problem["code"]) == (400, "bad_json")


async def test_the_place_of_broken_json_is_named(town: Town) -> None:
    _, problem = await post(town, b'[{"a": 1},{"a": }]', kind="application/json")

    assert problem["where"] == "byte 16"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "bad_record"),
        (b"{}", "bad_record"),
        (b"[]", "bad_record"),
        (b'{"program":NaN}', None),
        (b"\xff", None),
    ],
)
async def test_a_line_that_is_no_record_is_rejected_with_its_place_and_a_sentence(
    town: Town, line: bytes, code: str | None
) -> None:
    status, report = await post(town, b"\n".join([canonical(1)[0], line]))

    assert status == 200
    assert report["counts"] | {"created": 1, "rejected": 1} == report["counts"]
    rejected = report["records"][1]
    assert rejected["index"] == 1
    assert code is None or rejected["codes"] == [code]
    assert all(rejected["messages"])
    assert len(rejected["messages"]) == len(rejected["codes"]) == 1


async def test_a_name_that_stands_twice_is_rejected(town: Town) -> None:
    line = canonical(1)[0].replace(b'"basis":', b'"basis":"measure","basis":', 1)

    _, report = await post(town, line)

    refused = report["report"]["records"][0]
    assert refused["codes"] == ["bad_json_repeated_name"]


async def test_the_same_record_with_other_content_is_a_conflict_and_stays_as_it_was(
    town: Town,
) -> None:
    one = canonical(1)[0]
    other = one.replace(b'"basis":"application"', b'"basis":"measure"')
    await post(town, one)
    status, problem = await post(town, other)
    _, again = await post(town, one)

    assert (status, problem["report"]["counts"]["conflict"]) == (422, 1)
    assert again["counts"]["unchanged"] == 1


@pytest.mark.parametrize("file", sorted(BAD))
async def test_each_bad_file_gets_its_codes_and_nothing_of_its_content(
    town: Town, file: str
) -> None:
    office = {"HS": "shiomi-hs-01", "NS": NS, "SP": SP, "MT": MT, "PH": PH}[file[:2]]
    expected = [
        json.loads(line)
        for line in (BAD[file].parents[1] / "expected/bad" / f"{file}.rejected.ndjson")
        .read_bytes()
        .splitlines()
    ]
    desk = Desk(
        session=town.session, url=town.url, office=office, token=town.tokens.offices[office]
    )
    handed = [Handed(file, BAD[file].read_bytes())]
    if file == "PH_bad_fees.csv":
        handed.insert(
            0, Handed("PH_202609.txt", (SHIOMI / "perinatal_helper" / "PH_202609.txt").read_bytes())
        )

    answer = await desk.hand_in(handed, Terms())

    report = answer.document.get("report", answer.document)
    told = {(one["row"], one["level"], one["code"]) for one in report["problems"]}
    assert {(one["row"], one["level"], one["code"]) for one in expected} <= told
    assert all(one["message"] for one in report["problems"])
    whole = any(one["level"] == "file" for one in expected)
    if whole and len(handed) == 1:
        assert (answer.status, answer.document["code"]) == (422, "nothing_taken")


async def test_another_offices_token_and_an_unknown_office_get_the_same_refusal(
    town: Town,
) -> None:
    body = b"\n".join(canonical())
    other = await post(town, body, office=SP, as_office=MT)
    unknown = await post(town, body, office="shiomi-xx-99", as_office=MT)
    staff = {**town.staff("u01"), "Content-Type": "application/x-ndjson"}
    async with town.session.post(
        f"/api/v1/offices/{SP}/submissions", data=body, headers=staff
    ) as response:
        assert response.status == 403

    assert other == unknown
    assert (other[0], other[1]["code"]) == (403, "not_allowed")


async def test_records_of_another_office_are_rejected(town: Town) -> None:
    status, problem = await post(town, b"\n".join(canonical()), office=MT, as_office=MT)

    assert status == 422
    codes = {one["codes"][0] for one in problem["report"]["records"]}
    assert codes == {"wrong_office"}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic eDp5", "Bearer " + "x" * 600]
)
async def test_no_good_token_is_401(town: Town, header: str) -> None:
    headers = {"Content-Type": "application/x-ndjson"} | (
        {"Authorization": header} if header else {}
    )
    async with town.session.post(
        f"/api/v1/offices/{SP}/submissions", data=b"{}", headers=headers
    ) as response:
        assert response.status == 401
        assert (await response.json(content_type=None))["code"] == "not_signed_in"


@pytest.mark.parametrize("query", ["?mode=some", "?dry_run=perhaps", "?dryrun=true", "?mode="])
async def test_parameters_that_are_not_declared_are_refused(town: Town, query: str) -> None:
    status, problem = await post(town, b"{}", query=query)

    assert (status, problem["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("key", ["x" * 256, "with space", "ä"])
async def test_idempotency_keys_are_bounded(town: Town, key: str) -> None:
    status, problem = await post(town, b"{}", Idempotency_Key=key)

    assert (status, problem["where"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "application/pdf", "nonsense"])
async def test_other_media_types_are_refused_with_those_that_are_taken(
    town: Town, kind: str
) -> None:
    status, problem = await post(town, b"x", kind=kind)

    assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_broken_multipart_is_refused(town: Town) -> None:
    kind = "multipart/form-data; boundary=line"
    for body in (b"", b"--line\r\n", b"--other--\r\n", b"--line\r\n\r\nx\r\n--line--\r\n"):
        status, problem = await post(town, body, kind=kind)
        assert (status, problem["code"]) == (400, "bad_multipart")
    status, _ = await post(town, b"x", kind="multipart/form-data")
    assert status == 400


class TestSmall:
    """With small limits."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(body_bytes=5_000, files=2, requests_per_minute=40)

    async def test_oversized_bodies_are_413(self, town: Town) -> None:
        status, problem = await post(town, b"x" * 5_001)

        assert (status, problem["code"]) == (413, "too_large")

    async def test_too_many_files_are_413(self, town: Town) -> None:
        form = aiohttp.FormData()
        for number in range(3):
            form.add_field("file", b"x", filename=f"{number}.csv")
        path = f"/api/v1/offices/{SP}/submissions"
        async with town.session.post(path, data=form, headers=town.office(SP)) as response:
            assert response.status == 413

    async def test_asking_too_often_is_429_for_this_token_only(self, town: Town) -> None:
        statuses = [(await post(town, b"{}"))[0] for _ in range(6)]
        other, _ = await post(town, b"{}", office=MT, as_office=MT)

        assert 429 in statuses
        assert other != 429


async def test_one_office_that_sends_slowly_keeps_no_other_out(town: Town) -> None:
    async def never_ending() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(30)

    path = f"/api/v1/offices/{SP}/submissions"
    headers = {**town.office(SP), "Content-Type": "text/csv"}
    slow = [
        asyncio.create_task(_status(town, path, never_ending(), headers))
        for _ in range(Limits().bodies_at_once)
    ]
    _, refused = await asyncio.wait(slow, timeout=1.0)

    assert (await post(town, b"{}", office=MT, as_office=MT))[0] == 422
    for one in refused:
        one.cancel()


async def _status(
    town: Town, path: str, content: AsyncIterator[bytes], headers: dict[str, str]
) -> int:
    async with town.session.post(path, data=content, headers=headers) as response:
        return response.status


async def test_a_sender_that_goes_away_is_no_failure_of_ours(town: Town, log: LogCapture) -> None:
    start = f"POST /api/v1/offices/{SP}/submissions HTTP/1.1\r\nHost: here\r\n"
    start += "".join(f"{name}: {value}\r\n" for name, value in town.office(SP).items())
    start += "Content-Type: text/csv\r\nContent-Length: 100\r\n\r\n"
    _, port = town.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(start.encode())
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await asyncio.sleep(0.2)

    assert [one.get("status") for one in log.entries if one["event"] == "request"] == [408]
    assert not [one for one in log.entries if one["event"] == "failed"]


async def test_guessing_tokens_is_slowed_down(town: Town) -> None:
    statuses = []
    for number in range(25):
        headers = {"Authorization": f"Bearer guess{number}"}
        async with town.session.get("/api/v1/households/x/timeline", headers=headers) as response:
            statuses.append(response.status)

    assert statuses[:20] == [401] * 20
    assert statuses[-1] == 429
    assert (await post(town, b"{}"))[0] == 422, "everybody else at this address was kept out"
