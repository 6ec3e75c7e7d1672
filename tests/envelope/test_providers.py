"""Providers of master keys: what a systemd credential may and may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from visitsync.envelope import MasterKeys
from visitsync.envelope.providers import Credential, KeyFile
from visitsync.errors import KeyFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    MasterKeys.create(tmp_path / "visitsync-keys")
    return tmp_path / "visitsync-keys"


@pytest.mark.parametrize("mode", [0o400, 0o440])
def test_a_credential_is_read_also_with_an_access_control_list(path: Path, mode: int) -> None:
    path.chmod(mode)
    assert Credential(path).load().key_id(1)


@pytest.mark.parametrize("mode", [0o460, 0o404, 0o402, 0o401, 0o410])
def test_a_credential_that_others_can_touch_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        Credential(path).load()


def test_a_key_file_is_not_given_the_credentials_leave(path: Path) -> None:
    path.chmod(0o440)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyFile("file", path).load()


def test_a_credential_is_changed_by_nobody_here(path: Path) -> None:
    before = path.read_bytes()
    one = Credential(path)
    for change in (one.create, one.rotate, lambda: one.retire(1)):
        with pytest.raises(KeyFileError, match="outside the service"):
            change()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_key_file_is_made_rotated_and_retired(tmp_path: Path) -> None:
    one = KeyFile("file", tmp_path / "keys")
    assert one.create().epochs == (1,)
    assert one.rotate().epochs == (1, 2)
    assert one.retire(1).epochs == one.load().epochs == (2,)
