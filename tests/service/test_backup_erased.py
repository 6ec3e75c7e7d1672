"""Backups of erased families and rotated keys: who was erased stays erased."""

from __future__ import annotations

from pathlib import Path

import pytest
from build import OPERATOR, a_visit, handed_in
from other_host import other_host
from postgres import Cluster
from service.erased import erased_at_once, families, openable, report_of
from stored_city import a_city

from visitsync.errors import BackupError, TombstonesError
from visitsync.service import data_rotation, index_rotation
from visitsync.service.backup import making, restoring, tailing
from visitsync.service.context import open_context
from visitsync.service.deep import check
from visitsync.settings import Settings


async def test_f22_a_backup_from_before_five_erasures_is_put_back_without_the_five(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        homes = await families(context, 7)
        await making.full(context, OPERATOR, out)
        signed = settings.signed_head.read_bytes()
        for home in homes[:5]:
            await erased_at_once(context, home)
        assert await openable(context, homes) == set(homes[5:])
    there = other_host(settings, tmp_path / "there", postgres)
    there.signed_head.write_bytes(signed)  # so that what came after is not what is refused
    await restoring.restore(there, OPERATOR, out)

    async with open_context(there) as context:
        assert await openable(context, homes) == set(homes[5:])
    assert (await check.look(there)).troubles == 0


async def test_a_backup_from_after_an_erasure_and_a_tail_over_another_are_put_back(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        homes = await families(context, 4)
        await erased_at_once(context, homes[0])
        await making.full(context, OPERATOR, out)
        await erased_at_once(context, homes[1])
        await erased_at_once(context, homes[1], "log")
        await handed_in(context, [report_of(2, number=2)])
        assert await tailing.ship(context, out) is not None
    there = other_host(settings, tmp_path / "there", postgres)
    await restoring.restore(there, OPERATOR, out)

    async with open_context(there) as context:
        assert await openable(context, homes) == set(homes[2:])
    assert (await check.look(there)).troubles == 0


async def test_nothing_is_put_back_where_nobody_knows_what_was_erased(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, out)
    there = other_host(settings, tmp_path / "there", postgres)
    there.tombstone_file.unlink()
    with pytest.raises(TombstonesError, match="missing"):
        await restoring.restore(there, OPERATOR, out)

    there.tombstone_file.touch(mode=0o600)
    await restoring.restore(there, OPERATOR, out)


async def test_rows_sealed_anew_are_shipped_and_an_index_key_needs_a_full_backup(
    settings: Settings, tmp_path: Path, postgres: Cluster | None
) -> None:
    out = tmp_path / "backup"
    async with open_context(settings) as context:
        await a_city(context)
        await making.full(context, OPERATOR, out)
        await data_rotation.rotate(context, OPERATOR, grace=0)
        await handed_in(context, [a_visit(8, case_no="新規-8")])
        assert await tailing.ship(context, out) is not None
        there = other_host(settings, tmp_path / "there", postgres)
        await restoring.restore(there, OPERATOR, out)
        assert (await check.look(there)).troubles == 0

        await index_rotation.rotate(context, OPERATOR, grace=0)
        with pytest.raises(BackupError, match="make a new one"):
            await tailing.ship(context, out)
