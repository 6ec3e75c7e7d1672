"""The exported file: one form for each content, and every byte counts."""

from __future__ import annotations

from io import BytesIO

import msgspec
import pytest
from audit.made_logs import exported, log, section
from hypothesis import given
from hypothesis import strategies as st

from visitsync.audit import Section, bundle_reading, encode_bundle
from visitsync.audit.bundle import FIRST_LINE
from visitsync.audit.bundle_reading import MAX_LINE_BYTES, Bundle
from visitsync.audit.note import MAX_NOTE_BYTES
from visitsync.errors import LogBroken

WHOLE = exported(log(6))


def bundle(data: bytes) -> Bundle:
    return bundle_reading.decode(BytesIO(data))


def decode(data: bytes) -> tuple[Section, ...]:
    """All of it in memory, so that it can be compared."""
    return tuple(
        msgspec.structs.replace(
            one, before=tuple(one.before), leaves=tuple(one.leaves), after=tuple(one.after)
        )
        for one in bundle(data).sections
    )


@given(data=st.data())
def test_a_bundle_is_read_as_it_was_written(data: st.DataObject) -> None:
    sections = []
    for year in data.draw(st.lists(st.sampled_from([2026, 2027, 2028]), min_size=1, unique=True)):
        leaves = log(data.draw(st.integers(1, 8)), year)
        first = data.draw(st.integers(0, len(leaves) - 1))
        end = data.draw(st.integers(first + 1, len(leaves)))
        disclosed = sorted(data.draw(st.sets(st.integers(first, end - 1))))
        sections.append(section(leaves, first, end, year=year, disclosed=disclosed))
    written = encode_bundle(sections)
    assert decode(written) == tuple(sections)
    assert encode_bundle(decode(written)) == written


def test_the_form_stays_as_it_is_for_ever() -> None:
    lines = encode_bundle([section(log(4), 1, 3, disclosed=[2])]).decode().split("\n")
    assert lines[0] == "visitsync/access-log-bundle/v1"
    assert lines[1] == "shard visitsync/shiomi/2026"
    kinds = [line.split(" ")[0] for line in lines[2:8]]
    assert kinds == ["hash", "leaf", "leaf", "hash", "open", "checkpoint"]
    assert lines[3].split(" ", 2)[2].startswith('{"actor":"staff-1"')
    assert lines[7:11] == ["checkpoint 5", "visitsync/shiomi/2026", "4", lines[10]]
    assert lines[11] == ""
    assert lines[12].startswith("— visitsync/shiomi ")
    assert lines[13].startswith("end ")
    assert lines[14:] == [""]


def test_an_empty_period_is_all_hashes() -> None:
    whole = encode_bundle([section(log(5), 2, 2)])
    (read,) = decode(whole)
    assert (len(read.before), read.leaves, read.after) == (5, (), ())
    assert encode_bundle([read]) == whole


def test_every_truncation_is_refused() -> None:
    for end in range(len(WHOLE)):
        with pytest.raises(LogBroken):
            decode(WHOLE[:end])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\nshard ", b"\nyear "),
        (b"\nshard ", b"\n\nshard "),
        (b"\nleaf ", b"\nleaf  "),
        (b"\ncheckpoint 5\n", b"\ncheckpoint 05\n"),
        (b"\ncheckpoint 5\n", b"\ncheckpoint 4\n"),
        (b"\ncheckpoint 5\n", b"\ncheckpoint 6\n"),
        (b"\ncheckpoint 5\n", b"\ncheckpoint five\n"),
        (b"\ncheckpoint 5\n", b"\ncheckpoint 99999999999999999999\n"),
        (b"\ncheckpoint 5\n", b"\nopen 1 AAAA AAAA\ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nopen 1 AAAAAAAAAAAAAAAAAAAAAA==\ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nopen x AAAAAAAAAAAAAAAAAAAAAA== \ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nopen 1 !!!! AAAA\ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nopen 1 AAAAAAAAAAAAAAAAAAAAAA== !!!!\ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nhash AAAA\ncheckpoint 5\n"),
        (b"\ncheckpoint 5\n", b"\nhash " + b"A" * 42 + b"B=\ncheckpoint 5\n"),
        (b"shard visitsync", b"shard visit\xffsync"),
        (b"\nend ", b"\nEnd "),
        (b"\nend ", b"\nend 0"),
        (b"\nend ", b"\nend " + b"0" * 64 + b"\nend "),
        (b"/v1\n", b"/v1 \n"),
        (b"\n", b"\r\n"),
    ],
)
def test_another_form_is_refused(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    with pytest.raises(LogBroken) as caught:
        decode(WHOLE.replace(old, new))
    assert caught.value.where is not None
    assert caught.value.where.isdigit()


@pytest.mark.parametrize("tail", [b"x", b"\n", b"shard x\n"])
def test_nothing_stands_behind_the_end(tail: bytes) -> None:
    with pytest.raises(LogBroken, match="the end"):
        decode(WHOLE + tail)


def test_disclosed_parts_stand_in_order_and_once() -> None:
    one, two = b"open 1 AAAAAAAAAAAAAAAAAAAAAA== AA==\n", b"open 2 AAAAAAAAAAAAAAAAAAAAAA== \n"
    head, tail = WHOLE.split(b"checkpoint")
    assert decode(head + one + two + b"checkpoint" + tail)
    for parts in (two + one, one + one):
        with pytest.raises(LogBroken, match="order"):
            decode(head + parts + b"checkpoint" + tail)


@pytest.mark.parametrize("rest", [b"", b"end " + b"0" * 64 + b"\n"])
def test_a_bundle_without_a_year_is_refused(rest: bytes) -> None:
    with pytest.raises(LogBroken, match="no year"):
        decode(FIRST_LINE + b"\n" + rest)


def test_the_sum_tells_whether_it_came_as_it_was_exported() -> None:
    assert bundle(WHOLE).as_exported
    body, _, last = WHOLE.rpartition(b"end ")
    assert not bundle(body.replace(b"shiomi", b"shiomj", 1) + b"end " + last).as_exported
    assert not bundle(body + b"end " + b"0" * 64 + b"\n").as_exported


def test_no_line_is_read_that_is_longer_than_any_can_be() -> None:
    head, tail = WHOLE.split(b"}\n", 1)
    assert decode(head + b" " * 9 + b"}\n" + tail)
    with pytest.raises(LogBroken):
        decode(head + b" " * MAX_LINE_BYTES + b"}\n" + tail)


def test_a_checkpoint_is_not_read_beyond_what_a_note_can_be() -> None:
    head, _ = WHOLE.split(b"checkpoint 5\n")
    note = b"x\n" * MAX_NOTE_BYTES
    with pytest.raises(LogBroken, match="no year"):
        bundle(head + b"checkpoint %d\n" % (3 * MAX_NOTE_BYTES) + 3 * note)


def test_a_file_that_changes_while_it_is_read_is_noticed() -> None:
    source = BytesIO(WHOLE)
    (read,) = bundle_reading.decode(source).sections
    source.seek(WHOLE.index(b"\nleaf ") + 6)
    source.write(b"!")
    with pytest.raises(LogBroken, match="while it was read"):
        tuple(read.leaves)


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (WHOLE, 1),
        (WHOLE.replace(b"/v1", b"/v2"), 2),
        (WHOLE.replace(b"bundle", b"bungle"), 1),
        (b"x\ny\nleaf ", 1),
        (b"x\ny\ncheckpoint ", 1),
        (FIRST_LINE[:9], 1),
        (b"", None),
        (b"PK\x03\x04 some other file\n", None),
    ],
)
def test_a_damaged_bundle_is_told_from_another_file(data: bytes, version: int | None) -> None:
    assert bundle_reading.version_of(BytesIO(data)) == version


def test_no_content_is_printed() -> None:
    (read,) = decode(encode_bundle([section(log(3), disclosed=[1])]))
    assert repr(read.opened) == "(<Opened part of entry 1>,)"
    assert isinstance(read, Section)
