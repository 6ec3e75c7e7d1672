"""F6 and F7, embedded: no answer leaves before its entry is on the disk, whenever power is cut."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from conftest import verify
from experiments.apart import Apart, apart, traced
from experiments.left import MEMORY, Left, left_in, told_size
from experiments.power_cuts import Cut, cuts
from experiments.traced import OPTIONS, Step, steps_of

from visitsync.service.context import open_context
from visitsync.settings import Settings, load

STATES: Final = int(os.environ.get("POWER_CUTS", "40"))
"""At night two thousand."""
ROUNDS: Final = int(os.environ.get("POWER_CUT_ROUNDS", "4"))
SEED: Final = 20261127
OPENED: Final = 25
"""One state of so many is opened by visitsync itself, and its log exported and verified."""
ENTRY: Final = "an answered entry is lost"
HEAD: Final = "an answered head is not remembered"
_FRAME: Final = 24
"""Bytes of the head of a page in SQLite's write-ahead log."""

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


class Trace(NamedTuple):
    """The database's and the signer's files before, and what was done to them meanwhile."""

    before: Mapping[str, bytes]
    steps: Sequence[Step]


async def a_trace(service: Apart, settings: Settings, first: int) -> Trace:
    """Reads, submissions and heads, one after the other, all answered."""
    assert settings.embedded is not None
    names = (settings.embedded, settings.embedded.with_name(f"{settings.embedded.name}-wal"))
    trace = settings.data_dir.with_name("trace")
    before = {str(one): one.read_bytes() for one in (*names, settings.signed_head)}
    async with traced([service.process.pid], trace, OPTIONS):
        for number in range(first, first + ROUNDS):
            answers = (
                await service.read(),
                await service.hand_in(number),
                await service.newest_head(),
            )
            assert [one.status for one in answers] == [200] * 3
    folder = str(settings.data_dir)
    steps = [one for one in steps_of(trace) if one.kind == "answer" or one.file.startswith(folder)]
    assert sum(one.kind == "answer" for one in steps) == 3 * ROUNDS
    assert any(one.kind == "write" and one.file == str(names[0]) for one in steps), "a checkpoint"
    return Trace(before, steps)


# ── F7 ────────────────────────────────────────────────────────────────────────────────────────────
def unsynced_answers(steps: Sequence[Step]) -> int:
    """Answers that left before the transaction with their entry was synced."""
    return sum(
        _is_unsynced(steps[:at], one.request.encode())
        for at, one in enumerate(steps)
        if one.kind == "answer" and not told_size(one.data)
    )


def _is_unsynced(steps: Sequence[Step], entry: bytes) -> bool:
    wrote = next(at for at, one in enumerate(steps) if one.kind == "write" and entry in one.data)
    log = steps[wrote].file
    assert log.endswith("-wal")
    # The head of a transaction's last page says how many pages the database then has.
    last = next(
        at
        for at, one in enumerate(steps)
        if at >= wrote - 1 and one.file == log and len(one.data) == _FRAME and any(one.data[4:8])
    )
    return not any(one.kind == "sync" and one.file == log and one.begun > last + 1 for one in steps)


# ── F6 ────────────────────────────────────────────────────────────────────────────────────────────
async def found_after_cuts(settings: Settings, folder: Path, trace: Trace) -> Counter[str]:
    """What was wrong after how many of `STATES` power cuts; the states that were opened, too."""
    wrong: Counter[str] = Counter()
    for number, cut in enumerate(cuts(trace.before, trace.steps, SEED)):
        if number == STATES:
            break
        wrong["states"] += 1
        _put(cut, folder)
        answered = [one for one in trace.steps[: cut.end] if one.kind == "answer"]
        left = left_in(folder, settings)
        found = [left] if isinstance(left, str) else _lost(left, answered)
        wrong.update(found)
        if not found and number % OPENED == 0:
            for one in (settings.keys, settings.tombstone_file):
                shutil.copy(one, folder)
            await _opened(load({}, data_dir=folder))
            wrong["opened"] += 1
    return wrong


def _put(cut: Cut, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, content in cut.files.items():
        (folder / Path(name).name).write_bytes(content)


def _lost(left: Left, answered: Sequence[Step]) -> list[str]:
    heads = [told_size(one.data) for one in answered]
    found = []
    if any(
        one.request not in left.requests
        for one, told in zip(answered, heads, strict=True)
        if not told
    ):
        found.append(ENTRY)
    if left.signed > left.size:
        found.append("signed entries are lost")
    if max(heads, default=0) > left.signed:
        found.append(HEAD)
    return found


async def _opened(settings: Settings) -> None:
    async with open_context(settings) as context:
        await verify(context)


async def test_f6_f7_no_power_cut_takes_what_was_answered_and_with_less_syncing_some_do(
    settings: Settings, tmp_path: Path
) -> None:
    async with apart(settings) as service:
        whole = await a_trace(service, settings, 10)
        await service.spoil("unsynced")
        control = await a_trace(service, settings, 10 + ROUNDS)

    assert unsynced_answers(whole.steps) == 0
    found = await found_after_cuts(settings, tmp_path / "cut", whole)
    print(dict(found), "of", len(whole.steps), "steps")
    assert found == Counter(states=STATES, opened=-(-STATES // OPENED))

    assert unsynced_answers(control.steps) > 0
    lost = await found_after_cuts(settings, tmp_path / "cut", control)
    print(dict(lost), "of", len(control.steps), "steps, and of", unsynced_answers(control.steps))
    assert min(lost[one] for one in (ENTRY, HEAD, MEMORY)) > 0
