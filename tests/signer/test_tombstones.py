"""The file of what was erased: only lengthened, durable, and never read wrongly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from visitsync.errors import TombstonesError
from visitsync.signer import Tombstone, Tombstones


def one(number: int, what: str = "records") -> Tombstone:
    letters = "abcdefghijklmnopqrstuvwxyz"
    household = "h" + letters[number] * 26
    return Tombstone("log" if what == "log" else "records", household, "e" + "a" * 26, number)


@pytest.fixture
def file(tmp_path: Path) -> Tombstones:
    made = Tombstones(tmp_path / "tombstones")
    made.begin()
    return made


def test_what_was_added_is_read_in_its_order_and_stands_once(
    file: Tombstones, tmp_path: Path
) -> None:
    assert file.read() == ()
    file.add([one(1), one(2)])
    file.add([one(2), one(3), one(3), one(3, "log")])
    file.begin()  # takes nothing away
    assert file.read() == (one(1), one(2), one(3), one(3, "log"))
    assert (tmp_path / "tombstones").stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_cut_short_was_never_relied_on(file: Tombstones, tmp_path: Path) -> None:
    """Cut anywhere, what stood there before is read, and the next one is added after it."""
    path = tmp_path / "tombstones"
    file.add([one(1)])
    short = path.stat().st_size
    file.add([one(2)])
    whole = path.read_bytes()
    for end in [*range(0, len(whole), 7), short - 1, short, len(whole) - 1]:
        path.write_bytes(whole[:end])
        kept = (one(1),) if end >= short else ()
        assert file.read() == kept
        file.add([one(4)])
        assert file.read() == (*kept, one(4))


def test_any_changed_byte_and_any_line_taken_out_is_noticed(
    file: Tombstones, tmp_path: Path
) -> None:
    path = tmp_path / "tombstones"
    file.add([one(1), one(2), one(3)])
    whole = path.read_bytes()
    for place in range(len(whole) - 1):  # the last line feed alone is a line that was cut short
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(TombstonesError, match="damaged"):
            file.read()
        with pytest.raises(TombstonesError, match="damaged"):
            file.add([one(4)])
    lines = whole.splitlines(keepends=True)
    for gone in range(len(lines) - 1):
        path.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        with pytest.raises(TombstonesError, match="damaged"):
            file.read()


def test_a_missing_file_is_no_empty_one(tmp_path: Path) -> None:
    missing = Tombstones(tmp_path / "tombstones")
    with pytest.raises(TombstonesError, match="missing"):
        missing.read()
    with pytest.raises(TombstonesError, match="missing"):
        missing.add([one(1)])


def test_a_disk_that_fails_is_told_with_its_reason(
    file: Tombstones, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "a path that must not be told")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TombstonesError, match=r"no space left") as raised:
        file.add([one(1)])
    assert "must not" not in str(raised.value)
