"""The exported log, its period, and what doctor says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from build import OFFICE, OPERATOR, WORKER, a_visit, applied, handed_in
from reference import tiles_reference
from service.a_bundle import FAR_OFF, LONG_AGO, exported

from visitsync.audit import decode_place, peek_checkpoint, verify_bundle, verify_place
from visitsync.errors import BadParameter, LogBroken, NotAllowed
from visitsync.service import access_log, log_proofs
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.store import access_log as log_rows


async def test_an_older_checkpoint_agrees_with_a_later_bundle(context: Context) -> None:
    await applied(context)
    older = await access_log.checkpoint(context)
    await handed_in(context, [a_visit(1)])

    bundle = await exported(context, OPERATOR, LONG_AGO, FAR_OFF)

    verdict = verify_bundle(bundle, access_log.public_key(context), older)
    assert [one.code for one in verdict.findings] == ["whole", "older_agrees"]
    assert verdict.entries == peek_checkpoint(older).size + 2


@pytest.mark.parametrize(
    "period", [(LONG_AGO, dt.date(2020, 5, 1)), (dt.date(2099, 4, 1), FAR_OFF)]
)
async def test_outside_the_period_only_hashes_are_told(
    context: Context, period: tuple[dt.date, dt.date]
) -> None:
    await applied(context)
    bundle = await exported(context, OPERATOR, *period)

    verdict = verify_bundle(bundle, access_log.public_key(context))
    assert [one.code for one in verdict.findings] == ["no_older", "whole"]
    assert verdict.entries == 0
    assert b'"kind"' not in bundle


async def test_reading_the_log_is_for_auditors_and_is_logged(context: Context) -> None:
    await applied(context)
    auditor = Caller(kind="staff", id="auditor", scopes=frozenset({"audit"}))
    bundle = await exported(context, auditor, LONG_AGO, FAR_OFF)

    assert b'"actor":"staff:auditor"' in bundle
    assert b'"kind":"log_exported"' in bundle
    others = (Caller(kind="staff", id=one, scopes=auditor.scopes) for one in ("worker", "chief"))
    for other in (WORKER, *others, Caller(kind="office", id=OFFICE, scopes=auditor.scopes)):
        with pytest.raises(NotAllowed):
            await exported(context, other, LONG_AGO, FAR_OFF)
    with pytest.raises(BadParameter):
        await exported(context, auditor, FAR_OFF, LONG_AGO)


async def test_an_export_tells_nothing_of_a_family(context: Context) -> None:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    bundle = await exported(context, OPERATOR, LONG_AGO, FAR_OFF)

    for value in ("試験", "花子", "F-1", "rec-1", "000-8524-4921"):
        assert value.encode() not in bundle


async def test_what_was_logged_last_can_be_proved_at_once(context: Context) -> None:
    await applied(context)
    older = peek_checkpoint(await access_log.checkpoint(context))
    proof = await log_proofs.prove(context, OPERATOR, older.origin, older.size)

    assert verify_place(proof, access_log.public_key(context)).codes() == ("included",)
    assert b'"kind":"log_read"' in decode_place(proof).line


async def test_whole_years_are_taken_away_as_tiles(context: Context, tmp_path: Path) -> None:
    await applied(context)
    older = peek_checkpoint(await access_log.checkpoint(context))
    folder = tmp_path / "tiles"
    async for tile in await access_log.tiles(context, OPERATOR, LONG_AGO, FAR_OFF):
        (folder / tile.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / tile.path).write_bytes(tile.data)

    year = folder / older.origin.rsplit("/", 1)[1]
    assert list(folder.glob("*")) == [year]
    entries = tiles_reference.read(year, access_log.public_key(context))
    assert len(entries) == older.size + 1
    assert b'"kind":"log_exported"' in entries[-1]


async def test_tiles_are_for_auditors(context: Context) -> None:
    await applied(context)
    with pytest.raises(NotAllowed):
        await access_log.tiles(context, WORKER, LONG_AGO, FAR_OFF)


async def test_tiles_of_a_log_that_is_not_what_was_signed_have_no_checkpoint(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await applied(context)
    honest = log_rows.entries

    async def forged(*given: Any, **more: Any) -> AsyncIterator[tuple[int, int, str]]:
        async for seq, at, leaf in honest(*given, **more):
            yield seq, at, leaf.replace("operator", "opera")

    tiles = await access_log.tiles(context, OPERATOR, LONG_AGO, FAR_OFF)
    paths: list[str] = []

    async def take() -> None:
        async for tile in tiles:
            paths.append(tile.path)  # noqa: PERF401 -- what came before it failed counts

    with monkeypatch.context() as patched:
        patched.setattr(log_rows, "entries", forged)
        with pytest.raises(LogBroken, match="not what was signed"):
            await take()
    assert paths
    assert not [one for one in paths if one.endswith("checkpoint")]
