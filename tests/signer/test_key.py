"""The signing key in a file of its own: whole, and its owner's alone, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from visitsync.errors import SignerError
from visitsync.signer import key

NAME = "visitsync/shiomi"


def test_what_is_written_is_read(tmp_path: Path) -> None:
    seed = key.new_seed()
    made = key.write(tmp_path / "signing.key", NAME, seed)
    assert key.read(tmp_path / "signing.key").vkey == made.vkey
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600
    assert key.write(tmp_path / "signing.key", NAME, seed).vkey == made.vkey


def test_the_line_is_the_one_that_other_note_libraries_read(tmp_path: Path) -> None:
    key.write(tmp_path / "signing.key", NAME, bytes(range(32)))
    parts = (tmp_path / "signing.key").read_text().rstrip("\n").split("+", 4)
    assert parts[:3] == ["PRIVATE", "KEY", NAME]
    assert parts[4] == "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


def test_another_key_is_never_written_over(tmp_path: Path) -> None:
    key.write(tmp_path / "signing.key", NAME, bytes(32))
    before = (tmp_path / "signing.key").read_bytes()
    with pytest.raises(SignerError, match="stands there already"):
        key.write(tmp_path / "signing.key", NAME, bytes(range(32)))
    assert (tmp_path / "signing.key").read_bytes() == before


def test_each_changed_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    key.write(path, NAME, bytes(range(32)))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        with pytest.raises(SignerError, match="damaged"):
            key.read(path)
    path.write_bytes(whole + b"\n")
    with pytest.raises(SignerError, match="damaged"):
        key.read(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    key.write(tmp_path / "signing.key", NAME, bytes(32))
    (tmp_path / "signing.key").chmod(mode)
    with pytest.raises(SignerError, match="its owner's alone"):
        key.read(tmp_path / "signing.key")


def test_no_key_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="cannot be read"):
        key.read(tmp_path / "signing.key")
    with pytest.raises(SignerError, match="cannot be written"):
        key.write(tmp_path / "nowhere" / "signing.key", NAME, bytes(32))
