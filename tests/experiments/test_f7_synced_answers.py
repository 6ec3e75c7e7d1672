"""F7 on PostgreSQL: no answer leaves before its entry is synced in the server's write-ahead log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from experiments.apart import Apart, apart, traced
from experiments.traced import OPTIONS, Step, steps_of
from postgres import Cluster

from visitsync.settings import Settings

ROUNDS: Final = 4
_PAGE: Final = 8192
_PAGE_HEAD: Final = 24
"""Bytes at the start of a page of the log; an entry may go on behind them."""

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


def servers(cluster: Cluster) -> list[int]:
    """PostgreSQL's processes: the first, and those that it has started."""
    first = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii")
    return [first, *map(int, children.split())]


async def a_trace(service: Apart, cluster: Cluster, trace: Path, first: int) -> list[Step]:
    async with traced([service.process.pid, *servers(cluster)], trace, OPTIONS):
        for number in range(first, first + ROUNDS):
            answers = (await service.read(), await service.hand_in(number))
            assert [one.status for one in answers] == [200] * 2
    steps = [one for one in steps_of(trace) if one.kind != "write" or "/pg_wal/" in one.file]
    assert sum(one.kind == "answer" for one in steps) == 2 * ROUNDS
    assert sum(one.kind == "commit" for one in steps) >= 2 * ROUNDS
    return steps


def unsynced_answers(steps: Sequence[Step]) -> int:
    """Answers, and commits that a server confirmed, which left before their log was synced."""
    return sum(_is_unsynced(steps, at) for at in range(len(steps)))


def _is_unsynced(steps: Sequence[Step], at: int) -> bool:
    one = steps[at]
    if one.kind == "commit":
        wrote = [
            number
            for number, step in enumerate(steps[:at])
            if step.kind == "write" and step.thread == one.thread
        ]
        return bool(wrote) and not _synced_after(steps[:at], wrote[-1])
    return one.kind == "answer" and one.request.encode() not in _durable(steps[:at])


def _synced_after(steps: Sequence[Step], wrote: int) -> bool:
    file = steps[wrote].file
    return any(one.kind == "sync" and one.file == file and one.begun > wrote for one in steps)


def _durable(steps: Sequence[Step]) -> bytes:
    """All that was surely in the log, in order, without its pages' heads."""
    pages: dict[tuple[str, int], bytes] = {}
    for number, one in enumerate(steps):
        if one.kind == "write" and _synced_after(steps, number):
            for start in range(0, len(one.data), _PAGE):
                pages[one.file, one.offset + start] = one.data[start : start + _PAGE]
    return b"".join(pages[place][_PAGE_HEAD:] for place in sorted(pages))


async def test_f7_no_answer_leaves_before_postgresql_synced_its_entry_and_else_it_is_noticed(
    settings: Settings, postgres: Cluster, tmp_path: Path
) -> None:
    async with apart(settings) as service:
        whole = await a_trace(service, postgres, tmp_path / "trace", 10)
        await service.spoil("unsynced")
        control = await a_trace(service, postgres, tmp_path / "trace", 20)
    assert unsynced_answers(whole) == 0
    found = unsynced_answers(control)
    print(found, "of", 2 * ROUNDS, "answers left unsynced in the control")
    assert found > 0
