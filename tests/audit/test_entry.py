"""A leaf is canonical to the byte, so that every reader hashes the same."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.audit import KINDS, PRIVATE_LABEL, LogEntry, commitment, leaf, read_leaf
from visitsync.audit.entry import version_of
from visitsync.errors import LogBroken

ENTRY = LogEntry(
    actor="staff-0017",
    basis="consent-31@4",
    decision="shown",
    epoch=7,
    kind="timeline_read",
    office="shiomi-mt-01",
    pc="ab" * 32,
    program="multiples",
    purpose="case_work",
    records=30,
    request="0192f0c1",
    rule="consent/1",
    seq=12,
    shard="visitsync/shiomi/2026",
    time="2026-09-01T00:00:00.000000Z",
)
LINE = (
    b'{"actor":"staff-0017","basis":"consent-31@4","decision":"shown","epoch":7,'
    b'"kind":"timeline_read","office":"shiomi-mt-01","pc":"' + b"ab" * 32 + b'",'
    b'"program":"multiples","purpose":"case_work","records":30,"request":"0192f0c1",'
    b'"rule":"consent/1","seq":12,"shard":"visitsync/shiomi/2026",'
    b'"time":"2026-09-01T00:00:00.000000Z","v":1}'
)

texts = st.none() | st.text(
    st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f"),
    min_size=1,
    max_size=256,
)
codes = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
digests = st.none() | st.binary(min_size=32, max_size=32).map(bytes.hex)
numbers = st.integers(0, 2**53 - 1)
entries = st.builds(
    LogEntry,
    actor=texts.filter(bool),
    basis=texts,
    decision=st.none() | codes,
    epoch=st.none() | numbers,
    kind=st.sampled_from(sorted(KINDS)),
    office=texts,
    payload=digests,
    pc=digests,
    previous=st.none() | st.just("a note\nof lines\n"),
    program=texts,
    purpose=texts,
    records=st.none() | numbers,
    request=texts,
    rule=texts,
    seq=numbers,
    shard=texts.filter(bool),
    time=st.datetimes().map(lambda t: f"{t.isoformat(timespec='microseconds')}Z"),
    v=st.just(1),
)


def test_the_form_stays_as_it_is_for_ever() -> None:
    assert leaf(ENTRY) == LINE


@given(entry=entries)
def test_a_leaf_is_read_as_it_was_written(entry: LogEntry) -> None:
    line = leaf(entry)
    assert read_leaf(line) == entry
    assert b"\n" not in line
    # The same bytes as any other JSON writer with sorted keys gives.
    plain = json.loads(line)
    again = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert again.encode() == line
    assert all(type(value) in {str, int} for value in plain.values())


@pytest.mark.parametrize(
    "line",
    [
        LINE + b"\n",
        LINE + b" ",
        b" " + LINE,
        b"\xef\xbb\xbf" + LINE,
        LINE[:-1],
        LINE[:-1] + b',"z":1}',
        LINE.replace(b'"v":1', b'"v":1,"v":1'),
        LINE.replace(b'"epoch":7', b'"epoch": 7'),
        LINE.replace(b'"epoch":7', b'"epoch":7.0'),
        LINE.replace(b'"epoch":7', b'"epoch":"7"'),
        LINE.replace(b'"epoch":7', b'"epoch":null'),
        LINE.replace(b'"epoch":7', b'"epoch":07'),
        LINE.replace(b'"epoch":7', b'"epoch":-7'),
        LINE.replace(b"staff-0017", b"\\u0073taff-0017"),
        LINE.replace(b"staff-0017", b""),
        LINE.replace(b"staff-0017", b"\\n"),
        LINE.replace(b"staff-0017", b"\xff"),
        LINE.replace(b"staff-0017", b"s" * 257),
        LINE.replace(b'"actor":"staff-0017",', b""),
        LINE.replace(b'"seq":12,', b""),
        LINE.replace(b',"v":1', b""),
        LINE.replace(b'"v":1', b'"v":2'),
        LINE.replace(b"timeline_read", b"Timeline read"),
        LINE.replace(b"ab" * 32, b"AB" * 32),
        LINE.replace(b"ab" * 32, b"ab" * 31),
        LINE.replace(b".000000Z", b"Z"),
        LINE.replace(b".000000Z", b".000000+00:00"),
        LINE.replace(b"2026-09-01", b"2026-13-01"),
        LINE.replace(b"2026-09-01T00", b"2026-09-01T24"),
        b'{"actor":"x"}',
        b"[]",
        b"",
        b"[" * 100_000,
    ],
)
def test_another_form_is_refused(line: bytes) -> None:
    assert line != LINE
    with pytest.raises(LogBroken):
        read_leaf(line)


def test_keys_out_of_order_are_refused() -> None:
    fields = dict(reversed(json.loads(LINE).items()))
    with pytest.raises(LogBroken, match="canonical"):
        read_leaf(json.dumps(fields, separators=(",", ":")).encode())


def test_every_truncation_is_refused() -> None:
    for end in range(len(LINE)):
        with pytest.raises(LogBroken):
            read_leaf(LINE[:end])


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"actor": ""}, "actor"),
        ({"actor": "two\nlines"}, "actor"),
        ({"kind": "read_all"}, "kind"),
        ({"kind": "Read"}, "kind"),
        ({"pc": "short"}, "pc"),
        ({"seq": -1}, "seq"),
        ({"epoch": 2**53}, "epoch"),
        ({"time": "2026-09-01T00:00:00Z"}, "time"),
        ({"v": 2}, "v"),
        ({"previous": ""}, "previous"),
    ],
)
def test_what_cannot_be_read_is_not_written(change: dict[str, Any], where: str) -> None:
    with pytest.raises(LogBroken) as caught:
        leaf(msgspec.structs.replace(ENTRY, **change))
    assert caught.value.where == where
    assert "two" not in str(caught.value)


def test_a_kind_of_a_later_release_is_read() -> None:
    assert read_leaf(LINE.replace(b"timeline_read", b"something_new")).kind == "something_new"


def test_the_version_of_an_entry_is_known_even_if_nothing_else_is() -> None:
    assert version_of(LINE) == 1
    assert version_of(b'{"v":9,"other":[]}') == 9
    assert version_of(b'{"v":"1"}') is None
    assert version_of(b"\xff") is None


def test_a_commitment_hides_and_binds() -> None:
    salt, private = bytes(range(16)), b'{"household":"h-1"}'
    made = commitment(PRIVATE_LABEL, salt, private)
    assert made == sha256(b"visitsync/access-log/private/1\n" + salt + private).hexdigest()
    others = {
        commitment(PRIVATE_LABEL, bytes(16), private),
        commitment(PRIVATE_LABEL, salt, private + b" "),
        commitment("visitsync/other/1", salt, private),
        commitment(PRIVATE_LABEL, salt, b""),
    }
    assert len(others | {made}) == 5


@pytest.mark.parametrize(("label", "salt"), [("", 16), ("two\nlines", 16), ("a", 15), ("a", 17)])
def test_a_commitment_needs_a_label_and_a_whole_salt(label: str, salt: int) -> None:
    with pytest.raises(ValueError, match="commitment"):
        commitment(label, bytes(salt), b"")
