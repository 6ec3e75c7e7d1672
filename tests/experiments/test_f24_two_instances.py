"""F24: two processes on one database write one log, without a gap and without a fork."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest
from build import a_visit, applied, consented, handed_in, home_of
from conftest import verify
from experiments.asked import leaves

from visitsync.audit import Checkpoint, Frontier, NoteVerifier, leaf_hash, open_signed
from visitsync.service.context import Context, open_context
from visitsync.settings import Settings
from visitsync.store import access_log

LOOKS: Final = int(os.environ.get("LOOKS_EACH", "100"))
PROCESSES: Final = 2
_FIGURES: Final = re.compile(rb"^(\d+) ([\d.]+)$", re.MULTILINE)
_HERE: Final = Path(__file__)


def environment() -> Mapping[str, str]:
    return {**os.environ, "PYTHONPATH": str(_HERE.parents[1])}


async def appended(settings: Settings, household: str, looks: int) -> float:
    """Have two processes write at the same time; entries per second of both together."""
    arguments = (str(settings.data_dir), settings.database_url, str(looks), household)
    async with AsyncExitStack() as stack:
        processes = []
        for _ in range(PROCESSES):
            one = await asyncio.create_subprocess_exec(
                *(sys.executable, str(_HERE.with_name("appending.py")), *arguments),
                env=environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.push_async_callback(one.wait)
            processes.append(one)
        for one in processes:
            assert one.stdout is not None
            assert (await one.stdout.readline()).strip() == b"ready"
        told = await asyncio.gather(*(one.communicate(b"go\n") for one in processes))
    assert not any(b"log_broken" in out for out, _ in told), "nobody cries wolf"
    figures = [_FIGURES.findall(out)[0] for out, _ in told]
    assert [int(count) for count, _ in figures] == [looks] * PROCESSES
    seconds = [float(took) for _, took in figures]
    return PROCESSES * looks / max(seconds)


async def a_household(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    home = await home_of(context)
    await consented(context, home)
    return home


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_f24_two_processes_leave_neither_gap_nor_fork(settings: Settings) -> None:
    async with open_context(settings) as context:
        home = await a_household(context)
        before = len(await leaves(context))
    rate = await appended(settings, home, LOOKS)
    print(f"{rate:.0f} entries/s of two processes together")
    async with open_context(settings) as context:
        note = await context.log.signing.cover()
        async with context.database.reading() as connection:
            head = await access_log.head(connection)
            found = [one async for one in access_log.entries(connection, head.shard, head.size)]
        assert head.size == before + PROCESSES * LOOKS
        assert [seq for seq, _, _ in found] == list(range(head.size))
        times = [at for _, at, _ in found]
        assert times == sorted(times)
        tree = Frontier(leaf_hash(leaf.encode()) for _, _, leaf in found)
        told = open_signed(note, [NoteVerifier(context.log.vkey)])
        assert told == Checkpoint(head.shard, head.size, tree.root())
        await verify(context)
