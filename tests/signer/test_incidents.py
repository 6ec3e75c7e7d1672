"""Past entries that were signed and lost there is one way: an incident that holds both heads."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from visitsync.audit import (
    Checkpoint,
    Frontier,
    LogEntry,
    NoteSigner,
    instant,
    leaf,
    leaf_hash,
    opening,
    sign_checkpoint,
)
from visitsync.audit.shards import JST
from visitsync.errors import BadNote, LogBroken
from visitsync.signer import Extension, Signed, Signer, signing

KEY = NoteSigner("visitsync/shiomi", bytes(32))
STRANGER = NoteSigner("visitsync/shiomi", bytes(31) + b"\1")
YEAR = "visitsync/shiomi/2026"
PART = f"{YEAR}-2"
AT = dt.datetime(2026, 5, 1, 9, tzinfo=JST)
LOG = [leaf(opening("shiomi", AT, previous=None)), b"1", b"2", b"3", b"4"]


def noted(size: int, key: NoteSigner = KEY, shard: str = YEAR) -> str:
    tree = Frontier(map(leaf_hash, LOG[:size]))
    return sign_checkpoint(Checkpoint(shard, size, tree.root()), key)


def incident(previous: str | None, restored: str | None, kind: str = "incident") -> bytes:
    return leaf(
        LogEntry(
            actor="operator:one",
            kind=kind,
            previous=previous,
            restored=restored,
            seq=0,
            shard=PART,
            time=instant(AT),
        )
    )


def going_on(first: bytes) -> Extension:
    hashes = (leaf_hash(first),)
    root = Frontier(hashes).root()
    return Extension(shard=PART, start=0, hashes=hashes, root=root, opening=first)


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    """It has signed five entries."""
    made = Signer(tmp_path / "signed-head", KEY)
    hashes = tuple(map(leaf_hash, LOG))
    root = Frontier(hashes).root()
    made.extend(Extension(shard=YEAR, start=0, hashes=hashes, root=root, opening=LOG[0]))
    return made


def last(signer: Signer) -> Signed:
    found = signer.signed()
    assert found is not None
    return found


def test_an_incident_that_holds_both_heads_moves_its_memory(signer: Signer) -> None:
    made = signer.extend(going_on(incident(last(signer).note, noted(3))))
    assert made is not None
    assert (last(signer).shard, last(signer).size) == (PART, 1)


@pytest.mark.parametrize(
    ("first", "why"),
    [
        (incident(noted(5), None), "no incident"),
        (incident(noted(5), noted(3), "year_opened"), "no incident"),
        (incident(noted(4), noted(3)), "does not hold the head"),
        (incident(None, noted(3)), "does not hold the head"),
        (incident(noted(5), noted(3, shard="visitsync/shiomi/2027")), "a later log"),
        (incident(noted(5), noted(3, STRANGER)), "no signature|not signed|key"),
    ],
)
def test_any_other_is_refused_and_its_memory_stays(signer: Signer, first: bytes, why: str) -> None:
    before = last(signer)
    with pytest.raises((LogBroken, BadNote), match=why):
        signer.extend(going_on(first))
    assert last(signer) == before


def test_control_without_that_check_its_memory_is_moved_by_any(
    signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "_refuse_unfit_incident", lambda *_: None)
    signer.extend(going_on(incident(None, noted(3, STRANGER))))
    assert last(signer).shard == PART


def test_where_it_remembers_nothing_what_was_put_back_must_be_signed(tmp_path: Path) -> None:
    empty = Signer(tmp_path / "signed-head", KEY)
    with pytest.raises(BadNote):
        empty.extend(going_on(incident(None, noted(3, STRANGER))))
    assert empty.signed() is None
    assert empty.extend(going_on(incident(None, noted(3)))) is not None
