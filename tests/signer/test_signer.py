"""The signer: it signs what extends the last head it signed, and remembers it before anybody."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import merkle_reference as reference

from visitsync.audit import (
    Checkpoint,
    Frontier,
    NoteSigner,
    NoteVerifier,
    leaf,
    leaf_hash,
    open_signed,
    opening,
)
from visitsync.audit.shards import JST
from visitsync.errors import LogBroken, SignerError
from visitsync.signer import Extension, Signed, Signer, signing
from visitsync.signer.state import State

KEY = NoteSigner("visitsync/shiomi", bytes(32))
YEAR = "visitsync/shiomi/2026"


def first(year: int = 2026, previous: str | None = None) -> bytes:
    at = dt.datetime(year, 4, 1, 9, tzinfo=JST)
    return leaf(opening("shiomi", at, previous=previous))


def a_log(size: int, name: str = "entry") -> list[bytes]:
    """The entries of a year; the first is what every year begins with."""
    return [first(), *(f"{name} {place}".encode() for place in range(1, size))]


def asked(log: Sequence[bytes], start: int, shard: str = YEAR) -> Extension:
    """To sign all of `log`, of which `start` entries were signed."""
    return Extension(
        shard=shard,
        start=start,
        hashes=tuple(map(leaf_hash, log[start:])),
        root=Frontier(map(leaf_hash, log)).root(),
        opening=None if start else next(iter(log), None),
    )


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "signed-head", KEY)


def opened(made: Signed | None) -> Checkpoint:
    assert made is not None
    return open_signed(made.note, [NoteVerifier(KEY.vkey)])


def test_what_is_signed_is_the_head_of_all_entries(signer: Signer) -> None:
    log = a_log(7)
    assert signer.signed() is None
    assert opened(signer.extend(asked(log[:3], 0))) == Checkpoint(YEAR, 3, reference.mth(log[:3]))
    made = signer.extend(asked(log, 3))
    assert opened(made) == Checkpoint(YEAR, 7, reference.mth(log))
    assert signer.signed() == made
    assert signer.extend(asked(log, 7)) == made


def test_another_one_with_the_same_memory_goes_on(signer: Signer, tmp_path: Path) -> None:
    log = a_log(9)
    signer.extend(asked(log[:4], 0))
    other = Signer(tmp_path / "signed-head", KEY)
    assert opened(other.extend(asked(log, 4))).size == 9


@pytest.mark.parametrize("start", [0, 2, 4, 6])
def test_who_begins_elsewhere_is_told_to_look_again(signer: Signer, start: int) -> None:
    log = a_log(8)
    made = signer.extend(asked(log[:5], 0))
    assert signer.extend(asked(log, start)) is None
    assert signer.signed() == made


@pytest.mark.parametrize(
    ("log", "start"),
    [
        (a_log(8, "changed"), 5),  # an older entry was changed
        ([*a_log(4), *a_log(8)[5:]], 5),  # one was taken away
        ([*a_log(5)[:-1], b"x"], 5),  # another log of the same size
        ([*a_log(6)[:4], a_log(6)[5], a_log(6)[4]], 5),  # two were swapped
    ],
)
def test_what_contradicts_what_was_signed_is_not_signed(
    signer: Signer, log: list[bytes], start: int
) -> None:
    made = signer.extend(asked(a_log(5), 0))
    with pytest.raises(LogBroken, match="not the one that was signed"):
        signer.extend(asked(log, start))
    assert signer.signed() == made


def test_control_a_signer_that_believes_the_head_signs_two_logs(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is the tree that it grows itself by which it refuses."""
    signer.extend(asked(a_log(5), 0))
    fork = asked(a_log(8, "changed"), 5)

    class Believing(Frontier):
        def root(self) -> bytes:
            return fork.root

    monkeypatch.setattr(signing, "Frontier", Believing)
    assert opened(signer.extend(fork)).root == fork.root


def test_a_new_year_holds_the_last_head_of_the_one_before(signer: Signer) -> None:
    made = signer.extend(asked(a_log(5), 0))
    assert made is not None
    following = "visitsync/shiomi/2027"
    for wrong in (None, made.note.replace("5", "6", 1)):
        with pytest.raises(LogBroken):
            signer.extend(asked([first(2027, wrong)], 0, following))
    with pytest.raises(LogBroken):
        signer.extend(asked([b"anything"], 0, following))
    with pytest.raises(LogBroken, match="first entry"):
        signer.extend(asked([], 0, following))
    with pytest.raises(LogBroken):
        signer.extend(asked([first(2026)], 0, following))

    assert opened(signer.extend(asked([first(2027, made.note)], 0, following))).size == 1

    with pytest.raises(LogBroken):  # and the year before is over
        signer.extend(asked(a_log(6), 0))


def test_without_memory_no_later_year_is_begun(signer: Signer, tmp_path: Path) -> None:
    made = Signer(tmp_path / "another", KEY).extend(asked(a_log(2), 0))
    assert made is not None
    with pytest.raises(LogBroken, match="year before"):
        signer.extend(asked([first(2027, made.note)], 0, "visitsync/shiomi/2027"))


def test_what_is_signed_is_remembered_first(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be remembered, no note leaves."""

    def full(_: State, __: Signed) -> None:
        raise SignerError("full")

    signer.extend(asked(a_log(2), 0))
    monkeypatch.setattr(State, "write", full)
    with pytest.raises(SignerError):
        signer.extend(asked(a_log(3), 2))


def test_it_is_durable_before_it_takes_the_place_of_the_old_one(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    synced, replaced = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("synced")
        synced(descriptor)

    def replace(path: Path, target: Path) -> Path:
        done.append("replaced")
        return replaced(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    signer.extend(asked(a_log(2), 0))
    assert done == ["synced", "replaced", "synced"]


def test_one_change_anywhere_in_its_memory_is_noticed(signer: Signer, tmp_path: Path) -> None:
    signer.extend(asked(a_log(6), 0))
    file = tmp_path / "signed-head"
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        with pytest.raises(SignerError, match="runbook"):
            signer.extend(asked(a_log(7), 6))
    for short in (b"", whole[:-1], whole + b"\n"):
        file.write_bytes(short)
        with pytest.raises(SignerError):
            signer.signed()


def test_nobody_else_reads_it(signer: Signer, tmp_path: Path) -> None:
    signer.extend(asked(a_log(1), 0))
    assert all(one.stat().st_mode & 0o077 == 0 for one in tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="no such file"):
        Signer(tmp_path / "none" / "signed-head", KEY).extend(asked(a_log(1), 0))


def test_what_was_signed_before_it_had_a_memory_is_adopted_once(signer: Signer) -> None:
    log = a_log(5)
    frontier = Frontier(map(leaf_hash, log))
    note = KEY.sign(Checkpoint(YEAR, 5, frontier.root()).text())
    stranger = NoteSigner("visitsync/shiomi", b"\1" * 32)
    forged = stranger.sign(Checkpoint(YEAR, 5, frontier.root()).text())
    for wrong in ((frontier.to_bytes(), forged), (Frontier().to_bytes(), note)):
        with pytest.raises(LogBroken):
            signer.adopt(*wrong)

    signer.adopt(frontier.to_bytes(), note)

    assert opened(signer.extend(asked(a_log(8), 5))).size == 8
    with pytest.raises(LogBroken):
        signer.adopt(frontier.to_bytes(), note)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), max_size=25))
def test_no_two_heads_that_it_signs_contradict_each_other(
    steps: Sequence[tuple[int, int]],
) -> None:
    """Two logs that part after four entries, offered by turns at any size."""
    logs = [a_log(13), [*a_log(4), *a_log(13, "other")[4:]]]
    with tempfile.TemporaryDirectory() as folder:
        signer = Signer(Path(folder) / "signed-head", KEY)
        heads = []
        for which, size in steps:
            last = signer.signed()
            try:
                made = signer.extend(asked(logs[which][:size], 0 if last is None else last.size))
            except LogBroken:
                continue
            if made is not None:
                heads.append(opened(made))
    together = [[reference.mth(log[: head.size]) == head.root for head in heads] for log in logs]
    assert any(map(all, together))
    assert all(one.size <= later.size for one, later in itertools.pairwise(heads))
