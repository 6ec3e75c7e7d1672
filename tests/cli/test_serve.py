"""``serve`` as a process of its own: a first start, a request, and an orderly end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from postgres import NONE_FOUND, Cluster
from service.a_service import free_port

from visitsync.__main__ import visitsync


@contextmanager
def serving(folder: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VISITSYNC_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "visitsync", "serve", "--port", str(port)],
        env={**clean, "VISITSYNC_DATA_DIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(port: int, seconds: float = 30.0) -> dict[str, str]:
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
                found: dict[str, str] = json.loads(response.read())
                return found
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_first_start_makes_everything_and_a_signal_ends_it_in_order(
    tmp_path: Path, how: signal.Signals
) -> None:
    folder, port = tmp_path / "new", free_port()
    with serving(folder, port) as process:
        assert answers(port) == {"status": "ready"}
        process.send_signal(how)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert str(folder / "dev-tokens.json") in err
    assert {one.name for one in folder.iterdir()} >= {"dev-tokens.json", "master.key"}
    assert all(one.stat().st_mode & 0o077 == 0 for one in folder.iterdir())


def test_a_second_start_keeps_what_is_there(tmp_path: Path) -> None:
    port = free_port()
    kept = []
    for _ in range(2):
        with serving(tmp_path, port) as process:
            answers(port)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        kept.append([(tmp_path / one).read_bytes() for one in ("dev-tokens.json", "master.key")])

    assert kept[0] == kept[1]


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with serving(tmp_path, taken.getsockname()[1]) as process:
            _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "Traceback" not in err
    assert "choose another" in err.splitlines()[-1]


def test_a_database_that_is_not_migrated_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISITSYNC_DATA_DIR", str(tmp_path))
    for arguments in (
        ["timeline", "h", "--as", "u01", "--purpose", "audit"],
        ["audit", "checkpoint"],
    ):
        result = CliRunner().invoke(visitsync, arguments)
        assert result.exit_code == 1


def test_a_misspelt_setting_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, free_port(), VISITSYNC_DATABSE_URL="x") as process:
        _, err = process.communicate(timeout=30)

    assert process.returncode == 1
    assert err.startswith("visitsync: ")
    assert "VISITSYNC_DATABSE_URL" in err
    assert len(err.splitlines()) == 1


def test_on_postgresql_nothing_is_made_unasked(tmp_path: Path, postgres: Cluster | None) -> None:
    if postgres is None:
        pytest.skip(NONE_FOUND)
    port = free_port()
    database = {"VISITSYNC_DATABASE_URL": postgres.new_database()}
    env = {"VISITSYNC_DATA_DIR": str(tmp_path), **database}

    with serving(tmp_path, port, **database) as process:
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "visitsync migrate" in err.splitlines()[-1]

    assert CliRunner(env=env).invoke(visitsync, ["migrate"]).exit_code == 0
    with serving(tmp_path, port, **database) as process:
        assert answers(port) == {"status": "ready"}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert not (tmp_path / "dev-tokens.json").exists()
