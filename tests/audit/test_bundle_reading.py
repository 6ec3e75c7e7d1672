"""A bundle is read by lines of a bounded length, and what changes meanwhile is noticed."""

from __future__ import annotations

from io import BytesIO

import pytest
from audit.made_logs import SIGNER, log, section

from visitsync.audit import encode_bundle, verify_bundle
from visitsync.audit.bundle_reading import MAX_LINE_BYTES, decode
from visitsync.audit.note import MAX_NOTE_BYTES
from visitsync.errors import LogBroken

LEAVES = log(20)
WHOLE = encode_bundle([section(LEAVES, 5, 12)])


class Watched(BytesIO):
    """A file that knows the longest line that was asked for, and how much was read."""

    longest = 0
    taken = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.longest = max(self.longest, len(line))
        self.taken += len(line)
        return line


@pytest.mark.parametrize("before", [b"", b"shard visitsync/shiomi/2026\n"])
def test_no_line_is_read_to_its_end_that_is_longer_than_an_entry_can_be(before: bytes) -> None:
    first = WHOLE.split(b"\n", 1)[0] + b"\n"
    source = Watched(first + before + b"x" * 5 * MAX_LINE_BYTES + b"\n")
    assert verify_bundle(source, SIGNER.vkey).exit_code == 1
    assert source.longest == MAX_LINE_BYTES


@pytest.mark.parametrize("kind", [b"checkpoint", b"witnessed"])
def test_no_note_is_read_that_is_longer_than_one_can_be(kind: bytes) -> None:
    lines = 20 * MAX_NOTE_BYTES // 100
    start, _, _ = WHOLE.rpartition(b"checkpoint ")
    source = Watched(start + kind + b" %d\n" % lines + (b"x" * 99 + b"\n") * lines)
    assert verify_bundle(source, SIGNER.vkey).exit_code == 1
    assert source.taken < len(start) + 2 * MAX_NOTE_BYTES + 2 * len(WHOLE)


@pytest.mark.parametrize(("was", "becomes"), [(b"hash ", b"hush "), (b"leaf ", b"leap ")])
def test_a_file_that_changes_while_it_is_read_is_noticed(was: bytes, becomes: bytes) -> None:
    source = BytesIO(WHOLE)
    (one,) = decode(source).sections
    assert (len(list(one.before)), len(list(one.leaves))) == (5, 7)
    source.seek(WHOLE.index(b"\n" + was) + 1)
    source.write(becomes)
    with pytest.raises(LogBroken, match="changed while it was read"):
        list(one.before if was == b"hash " else one.leaves)
