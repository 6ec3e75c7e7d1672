"""Backups: as of one instant while it is served, whole or refused, put back as they were."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from build import CARE, OPERATOR, WORKER, a_visit, handed_in
from other_host import other_host
from postgres import Cluster
from reference.bundle_reference import verify as reference
from service.a_bundle import exported
from stored_city import a_city

from visitsync.audit import peek_checkpoint, verify_bundle
from visitsync.errors import BackupError, BadParameter, LogBroken, NotAllowed
from visitsync.service import access_log, health, timelines
from visitsync.service.backup import making, parts, reopening, restoring, tailing
from visitsync.service.backup.cut import cut
from visitsync.service.context import Context, open_context, open_database
from visitsync.service.deep import check
from visitsync.settings import Settings
from visitsync.store import access_log as stored
from visitsync.store import changes, rows, schema
from visitsync.store.columns import METADATA
from visitsync.store.tables import visit


async def hashes(settings: Settings) -> dict[str, str]:
    """By table, of all its rows; but of the log's head, beside which the newest note stands."""
    database = open_database(settings)
    found = {}
    async with database.reading() as connection:
        for table in METADATA.sorted_tables:
            if table.name == "log_head":
                continue
            summed = hashlib.sha256()
            async for page in rows.pages(connection, table, 7):
                for row in page:
                    summed.update(changes.anchor(table, row).hashed or b"")
            found[str(table.name)] = summed.hexdigest()
    await database.close()
    return found


async def kinds(context: Context) -> list[str]:
    async with context.database.reading() as connection:
        head = await stored.head(connection)
        found = [leaf async for _, _, leaf in stored.entries(connection, head.shard, head.size)]
    return [one.split('"kind":"')[1].split('"')[0] for one in found]


async def test_it_is_put_back_as_it_was(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out, keys = tmp_path / "backup", tmp_path / "apart"
    async with open_context(settings) as context:
        home = await a_city(context)
        await making.full(context, OPERATOR, out, keys)
    before = await hashes(settings)
    there = other_host(settings, tmp_path / "there", postgres)
    made = await restoring.restore(there, OPERATOR, out, keys)

    after = await hashes(there)
    grown = {name for name in before if before[name] != after[name]}
    assert grown == {"log_entry"}
    assert (await check.look(there)).troubles == 0
    async with open_context(there) as context:
        assert (await kinds(context))[made.size :] == ["restore"]
        assert (await timelines.view(context, WORKER, home, CARE)).entries


async def test_neither_part_opens_anything_alone(settings: Settings, tmp_path: Path) -> None:
    """No wrapped key in the data, no record beside the keys, and the key file in neither."""
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        made = await making.full(context, OPERATOR, out)
    data, keys = (out / "data").read_bytes(), (out / "keys").read_bytes()
    frames = list(parts.frames(out, made.keys))
    wrapped = [row[one.columns.index("wrapped")] for one in frames for row in one.rows]
    assert len(wrapped) > 5
    assert not any(one in data for one in wrapped)
    assert set(made.keys.rows) == {"data_key"}
    assert "data_key" not in made.data.rows
    whole = settings.keys.read_bytes()
    secrets = [whole[at : at + 24] for at in range(0, len(whole) - 24, 8)]
    assert not any(one in data or one in keys for one in secrets)
    assert {path.stat().st_mode & 0o077 for path in out.iterdir()} == {0}


async def test_only_an_operator_makes_one_and_never_over_another(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_context(settings) as context:
        with pytest.raises(NotAllowed):
            await making.full(context, WORKER, tmp_path / "none")
        await making.full(context, OPERATOR, tmp_path / "one")
        before = {path: path.read_bytes() for path in (tmp_path / "one").iterdir()}
        with pytest.raises(BackupError, match="there already"):
            await making.full(context, OPERATOR, tmp_path / "one", tmp_path / "elsewhere")
        with pytest.raises(BackupError, match="there already"):
            await making.full(context, OPERATOR, tmp_path / "two", tmp_path / "one")
        assert {path: path.read_bytes() for path in (tmp_path / "one").iterdir()} == before
        assert (await kinds(context)).count("backup") == 1


# ── what is not whole is refused, and nothing is put back ─────────────────────────────────────────
def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_partial_or_damaged_backup_is_refused(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, out)
        for number in (11, 12):
            await handed_in(context, [a_visit(number)])
            await tailing.ship(context, out)
    there = other_host(settings, tmp_path / "there", postgres)
    tried = 0
    for path in sorted(out.iterdir()):
        whole = path.read_bytes()
        for harm in (_cut_off, _flipped, _gone):
            if path.name == "tail-000002.manifest" and harm is _gone:
                continue  # then the second tail was never finished, and is left out
            harm(path)
            with pytest.raises(BackupError) as told:
                await restoring.restore(there, OPERATOR, out)
            assert told.value.where, path.name
            path.write_bytes(whole)
            tried += 1
    assert tried == 26
    assert (await restoring.restore(there, OPERATOR, out)).tails == 2


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_backup_of_other_rows_is_refused_though_its_sums_are_right(
    settings: Settings, tmp_path: Path, postgres: Cluster | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wrote to the database before it was backed up gets nothing put back."""
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        page = parts.Writer.page

        def other(self: parts.Writer, table: str, found: Any) -> None:
            changed = [{**row, "day": 1} if table == "visit" else row for row in found]
            page(self, table, changed)

        monkeypatch.setattr(parts.Writer, "page", other)
        await making.full(context, OPERATOR, out)
    there = other_host(settings, tmp_path / "there", postgres)
    with pytest.raises(BackupError, match="not as they were written"):
        await restoring.restore(there, OPERATOR, out)
    await _is_empty(there)


async def _is_empty(settings: Settings) -> None:
    database = open_database(settings)
    async with database.reading() as connection:
        assert await schema.revision(connection) is None
    await database.close()


async def test_it_is_put_into_an_empty_database_only(settings: Settings, tmp_path: Path) -> None:
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, tmp_path / "backup")
    before = await hashes(settings)
    with pytest.raises(BackupError, match="not empty"):
        await restoring.restore(settings, OPERATOR, tmp_path / "backup")
    assert await hashes(settings) == before


# ── an old one, and its tail ──────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_tail_never_puts_its_keys_beside_the_data_of_a_backup_in_two_places(
    settings: Settings, tmp_path: Path
) -> None:
    out, keys = tmp_path / "backup", tmp_path / "apart"
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, out, keys)
        await handed_in(context, [a_visit(9)])
        with pytest.raises(BackupError, match="--keys"):
            await tailing.ship(context, out)
        assert await tailing.ship(context, out, keys) is not None
    assert not list(out.glob("*keys"))
    assert len(list(keys.glob("*keys"))) == 2


async def test_f21_an_old_backup_is_refused_by_the_signer_until_its_tail_is_there(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        home = await a_city(context)
        await making.full(context, OPERATOR, out)
        await handed_in(context, [a_visit(9), a_visit(1, revision=3, state="corrected")])
        await timelines.view(context, WORKER, home, CARE)
        shipped = await tailing.ship(context, out)
        assert shipped is not None
        assert await tailing.ship(context, out) is None
    before = await hashes(settings)
    there = other_host(settings, tmp_path / "there", postgres)
    apart = tmp_path / "not yet"
    apart.mkdir()
    tails = list(out.glob("tail-*"))
    for one in tails:
        one.rename(apart / one.name)

    with pytest.raises(LogBroken, match=r"was put back\. .*older than what was signed"):
        await restoring.restore(there, OPERATOR, out)
    unfit = {one.name: one for one in await health.checks(there, now=time.time()) if not one.fit}
    assert set(unfit) == {"log"}
    assert "runbook" in unfit["log"].message
    with pytest.raises(LogBroken):
        async with open_context(there):
            pass
    with pytest.raises(BackupError, match="no tail that goes on"):
        await restoring.add_tails(there, OPERATOR, out)

    for one in tails:
        (apart / one.name).rename(one)
    assert (await restoring.add_tails(there, OPERATOR, out)).tails == 1
    after = await hashes(there)
    # What `intake` counts says nothing, and is not shipped.
    assert {name for name in before if before[name] != after[name]} <= {"log_entry", "intake"}
    assert all(one.fit for one in await health.checks(there, now=time.time()))
    assert (await check.look(there)).troubles == 0
    with pytest.raises(BackupError, match="no tail that goes on"):
        await restoring.add_tails(there, OPERATOR, out)


# ── nobody waits ──────────────────────────────────────────────────────────────────────────────────
async def test_while_it_is_read_looks_and_reports_are_taken_and_it_does_not_see_them(
    context: Context,
) -> None:
    home = await a_city(context)
    async with cut(context) as one:
        there = await rows.count(one.connection, visit)
        await asyncio.wait_for(handed_in(context, [a_visit(77)]), 60)
        assert (await timelines.view(context, WORKER, home, CARE)).entries
        assert await rows.count(one.connection, visit) == there
        seen = await stored.head(one.connection)
        assert (seen.shard, seen.size) == (one.head.shard, one.head.size)
    checkpoint = peek_checkpoint(one.note)
    assert (checkpoint.origin, checkpoint.size) == (one.head.shard, one.head.size)
    async with context.database.reading() as connection:
        assert await rows.count(connection, visit) == there + 1


# ── without the tail: two operators, and an incident in the log ───────────────────────────────────
async def test_f21_without_its_tail_two_operators_go_on_in_another_part_of_the_year(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        home = await a_city(context)
        old = await access_log.checkpoint(context)
        made = await making.full(context, OPERATOR, out)
        await handed_in(context, [a_visit(9)])
        newest = await access_log.checkpoint(context)
    there = other_host(settings, tmp_path / "there", postgres)
    with pytest.raises(LogBroken):
        await restoring.restore(there, OPERATOR, out)
    for second in ("", "Tests"):
        with pytest.raises(BadParameter):
            await reopening.reopen(there, OPERATOR, second, "disk lost")

    found = await reopening.reopen(there, OPERATOR, "another", "disk lost")

    assert found.shard.endswith("-2")
    assert found.restored == peek_checkpoint(made.checkpoint).size
    assert found.lost == peek_checkpoint(newest).size > found.restored
    with pytest.raises(LogBroken, match="nothing was lost"):
        await reopening.reopen(there, OPERATOR, "another", "once more")
    async with open_context(there) as context:
        assert (await timelines.view(context, WORKER, home, CARE)).entries
        assert all(one.fit for one in await health.checks(there, now=time.time()))
        whole = await exported(context, OPERATOR)
        key = access_log.public_key(context)
    assert (await check.look(there)).troubles == 0
    for since, code, exits in (
        (old, "older_agrees", 0),
        (made.checkpoint, "older_agrees", 0),
        (newest, "lost_in_incident", 2),
        (None, "no_older", 0),
    ):
        verdict = verify_bundle(whole, key, since)
        assert {code, "entries_lost"} <= set(verdict.codes())
        assert verdict.exit_code == exits == reference(whole, key, since), verdict.codes()
    assert b"disk lost" not in whole


async def test_where_the_signers_memory_is_lost_an_auditors_checkpoint_says_what_there_was(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, out)
        await handed_in(context, [a_visit(9)])
        newest = await access_log.checkpoint(context)
    there = other_host(settings, tmp_path / "there", postgres, with_memory=False)
    with pytest.raises(LogBroken, match="does not remember"):
        await restoring.restore(there, OPERATOR, out)
    with pytest.raises(BadParameter):
        await reopening.reopen(there, OPERATOR, "another", "host lost", "no checkpoint\n")
    with pytest.raises(BadParameter, match="nobody kept"):
        await reopening.reopen(there, OPERATOR, "another", "host lost")

    found = await reopening.reopen(there, OPERATOR, "another", "host lost", newest)

    assert found.lost == peek_checkpoint(newest).size
    async with open_context(there) as context:
        await handed_in(context, [a_visit(9)])
