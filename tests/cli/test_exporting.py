"""The log's bundle written to a file piece by piece: whole, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.test_host_commands import Host

from visitsync.errors import DatabaseUnavailable
from visitsync.service import access_log

EVER = ("audit", "export", "--from", "2020-04-01", "--to", "2100-04-01")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    made = Host(tmp_path_factory.mktemp("host") / "data", "")
    assert made.run("migrate").exit_code == 0
    return made


def test_what_ends_in_the_middle_leaves_an_empty_file(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes a part of the log for all of it."""

    async def gone(*_: object) -> None:
        raise DatabaseUnavailable("The database is gone")

    out = tmp_path / "log.bundle"
    assert host.run(*EVER, str(out)).exit_code == 0
    whole = out.read_bytes()
    assert whole.splitlines()[-1].startswith(b"end ")
    with monkeypatch.context() as patched:
        patched.setattr(access_log, "still_signed_in", gone)
        failed = host.run(*EVER, str(out))
    assert failed.exit_code != 0
    assert "Wrote" not in failed.output
    assert out.read_bytes() == b""
    # The control: it is written over with all of the longer log.
    assert host.run(*EVER, str(out)).exit_code == 0
    assert len(out.read_bytes()) > len(whole)


def test_what_may_not_be_exported_changes_no_file(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> None:
        raise DatabaseUnavailable("The database is gone")

    out = tmp_path / "log.bundle"
    assert host.run(*EVER, str(out)).exit_code == 0
    whole = out.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(access_log, "must_audit", refused)
        assert host.run(*EVER, str(out)).exit_code != 0
    assert out.read_bytes() == whole
