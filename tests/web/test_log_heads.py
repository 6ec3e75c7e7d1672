"""Offices and auditors keep the log's heads and cosign them; the bundle says who did."""

from __future__ import annotations

from pathlib import Path

import pytest
from service.a_bundle import exported
from web.conftest import Town
from web.family import AUDITOR, WORKER, settle

from visitsync.audit import (
    Cosigner,
    parse_head_extension,
    peek_checkpoint,
    verify_bundle,
)
from visitsync.cli.installation.at_hand import operator
from visitsync.cli.office_client.witnessing import Saw, Witness, witness
from visitsync.errors import NotAllowed
from visitsync.service import witnesses
from visitsync.service.caller import Caller
from visitsync.store import witnesses as stored

PATH = "/api/v1/log-heads"
OFFICE = "shiomi-mt-01"


async def looked(town: Town, home: Path, token: str) -> list[Saw]:
    one = Witness(home, "office/mt", town.context.log.vkey)
    return await witness(town.session, town.url, token, one, lambda: 1_790_000_000.0)


async def get(town: Town, headers: dict[str, str], query: str = "") -> tuple[int, str]:
    async with town.session.get(f"{PATH}/newest{query}", headers=headers) as answer:
        return answer.status, await answer.text()


async def post(town: Town, body: dict[str, str]) -> int:
    headers = town.office(OFFICE)
    async with town.session.post(f"{PATH}/cosignatures", headers=headers, json=body) as answer:
        return answer.status


async def test_an_office_keeps_heads_and_the_bundle_says_so(town: Town, tmp_path: Path) -> None:
    office, auditor = town.tokens.offices[OFFICE], town.tokens.staff[AUDITOR]
    (first,) = await looked(town, tmp_path / "office", office)
    await settle(town)
    (second,) = await looked(town, tmp_path / "office", office)
    assert (first.before, second.before) == (0, first.size)
    assert second.size > first.size
    (third,) = await looked(town, tmp_path / "auditor", auditor)

    bundle = await exported(town.context, operator())
    keys = [first.vkey, third.vkey]
    verdict = verify_bundle(bundle, town.context.log.vkey, None, keys)
    assert verdict.exit_code == 0
    sizes = [one.facts["size"] for one in verdict.findings if one.code == "witness_vouches"]
    assert sizes[0] in {second.size, third.size}
    (count,) = [one.facts["count"] for one in verdict.findings if one.code == "witnesses"]
    assert count == 1  # both were named alike: who vouches is told by name
    assert verify_bundle(bundle, town.context.log.vkey).exit_code == 0


async def test_what_is_older_does_not_take_the_place_of_what_is_newer(town: Town) -> None:
    _, text = await get(town, town.office(OFFICE))
    mine = Cosigner("office/mt", bytes(32))
    older = mine.cosign(parse_head_extension(text).note, 1)
    await settle(town)
    _, text = await get(town, town.office(OFFICE))
    newer = mine.cosign(parse_head_extension(text).note, 2)
    for note in (newer, older):
        assert await post(town, {"note": note, "key": mine.vkey}) == 204
    shard = peek_checkpoint(newer).origin
    async with town.context.database.reading() as connection:
        assert await stored.of_year(connection, shard, 1_000_000) == (newer,)


async def test_the_operation_asks_for_the_scope_too(town: Town) -> None:
    reader = Caller(kind="staff", id=WORKER, scopes=frozenset({"read"}))
    with pytest.raises(NotAllowed):
        await witnesses.newest(town.context, reader, None, 0)
    with pytest.raises(NotAllowed):
        await witnesses.cosigned(town.context, reader, "-", "-")


async def test_who_may(town: Town) -> None:
    assert (await get(town, {}))[0] == 401
    assert (await get(town, town.staff(WORKER)))[0] == 403
    for headers in (town.office(OFFICE), town.staff(AUDITOR)):
        status, text = await get(town, headers)
        assert status == 200
        assert parse_head_extension(text).older == 0


@pytest.mark.parametrize("query", ["?older=x", "?older=-1", "?shard=visitsync/visitsync/1999"])
async def test_what_cannot_be_asked(town: Town, query: str) -> None:
    assert (await get(town, town.office(OFFICE), query))[0] == 400


async def test_more_than_there_is_gives_the_present_head_without_a_proof(town: Town) -> None:
    _, text = await get(town, town.office(OFFICE), "?older=999999")
    sent = parse_head_extension(text)
    assert (sent.older, sent.proof) == (peek_checkpoint(sent.note).size, ())


async def test_only_a_head_of_this_log_with_both_signatures_is_kept(town: Town) -> None:
    _, text = await get(town, town.office(OFFICE))
    note = parse_head_extension(text).note
    mine, other = Cosigner("office/mt", bytes(32)), Cosigner("office/xx", bytes(range(32)))
    whole = mine.cosign(note, 1)
    assert await post(town, {"note": whole, "key": mine.vkey}) == 204
    bad = [
        (note, mine.vkey),
        (whole, other.vkey),
        (whole, "nonsense"),
        (other.cosign(whole, 1), mine.vkey),
        (whole.replace("\n", "\n\n", 1), mine.vkey),
        (note, town.context.log.vkey),
        ("-", mine.vkey),
    ]
    for said, key in bad:
        assert await post(town, {"note": said, "key": key}) == 400
