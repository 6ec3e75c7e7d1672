"""A year in two parts, the second of which begins with what was lost; both verifiers agree."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from audit.made_logs import SIGNER, TENANT, log, section, signed
from reference import bundle_reference as reference

from visitsync.audit import (
    Checkpoint,
    LogEntry,
    Section,
    Verdict,
    encode_bundle,
    instant,
    leaf,
    leaf_hash,
    root_of,
    sign_checkpoint,
    stored_leaves,
    verify_bundle,
)
from visitsync.audit.shards import JST, next_part, order, origin
from visitsync.errors import LogBroken

WHOLE = log(9)
RESTORED = WHOLE[:6]
PART = next_part(origin(TENANT, 2026))
INCIDENT = LogEntry(
    actor="operator:one",
    kind="incident",
    previous=signed(WHOLE),
    restored=signed(RESTORED),
    seq=0,
    shard=PART,
    time=instant(dt.datetime(2026, 6, 1, tzinfo=JST)),
)


def part(entry: LogEntry = INCIDENT) -> Section:
    leaves = [leaf(entry)]
    head = Checkpoint(PART, 1, root_of([leaf_hash(one) for one in leaves]))
    return Section(origin=PART, leaves=stored_leaves(leaves), note=sign_checkpoint(head, SIGNER))


def judged(*sections: Section, since: str | None = None) -> Verdict:
    data = encode_bundle(sections)
    verdict = verify_bundle(data, SIGNER.vkey, since)
    assert reference.verify(data, SIGNER.vkey, since) == verdict.exit_code, verdict.codes()
    return verdict


def test_it_is_good_and_says_what_was_lost() -> None:
    verdict = judged(section(RESTORED), part())
    assert verdict.codes() == ("no_older", "whole", "entries_lost", "whole")
    assert verdict.exit_code == 0
    assert "6 entries were put back; 9 had been signed" in verdict.sentences()[2]


@pytest.mark.parametrize(("size", "exits"), [(4, 0), (6, 0), (8, 2), (9, 2)])
def test_a_checkpoint_of_what_was_lost_cannot_be_decided(size: int, exits: int) -> None:
    assert judged(section(RESTORED), part(), since=signed(WHOLE[:size])).exit_code == exits


def test_a_checkpoint_beyond_what_it_tells_is_a_log_cut_off() -> None:
    assert judged(section(RESTORED), part(), since=signed(log(10))).exit_code == 1
    unknown = part(msgspec.structs.replace(INCIDENT, previous=None))
    assert judged(section(RESTORED), unknown).exit_code == 0
    assert judged(section(RESTORED), unknown, since=signed(WHOLE)).exit_code == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "year_opened"},
        {"restored": None},
        {"restored": signed(WHOLE[:5])},
        {"previous": "no note\n"},
    ],
)
def test_a_part_that_begins_otherwise_is_found(changes: dict[str, str | None]) -> None:
    spoilt = part(msgspec.structs.replace(INCIDENT, **changes))
    assert judged(section(RESTORED), spoilt).exit_code == 1


def test_parts_follow_each_other_and_there_are_nine() -> None:
    assert order("visitsync/shiomi/2026") < order(PART) < order("visitsync/shiomi/2027")
    with pytest.raises(LogBroken):
        next_part("visitsync/shiomi/2026-9")
    for wrong in ("visitsync/shiomi/2026-1", "visitsync/shiomi/2026-10", "visitsync/shiomi/2026-"):
        with pytest.raises(LogBroken):
            order(wrong)
