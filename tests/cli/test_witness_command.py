"""The witness's command beside a running service, and the bundle that says who vouches."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli.test_host_commands import APRIL, MULTIPLES, Host, push
from cli.test_serve import answers, serving
from click.testing import Result
from service.a_service import free_port


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder, port = tmp_path_factory.mktemp("host") / "data", free_port()
    with serving(folder, port) as process:
        answers(port)
        yield Host(folder, f"http://127.0.0.1:{port}")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def look(host: Host, home: Path, *more: str, url: str = "") -> Result:
    token = host.token("offices", MULTIPLES)
    arguments = ["--url", url or host.url, *more, str(home)]
    return host.run("witness", *arguments, VISITSYNC_TOKEN=token, LANG="C.UTF-8")


def test_from_a_first_look_to_a_bundle_that_says_so(host: Host, tmp_path: Path) -> None:
    home, key = tmp_path / "witness", tmp_path / "key.pub"
    assert "Name the log's public key" in look(host, home).stderr
    key.write_text(host.run("audit", "checkpoint", "--key").stdout)
    first = look(host, home, "--name", "office/mt", "--key", str(key))
    assert (first.exit_code, "is kept from now on" in first.stderr) == (0, True)
    vkey = first.stdout.strip()
    assert vkey.startswith("office/mt+")

    pushed = push(host, "--witness", str(home), str(APRIL), LANG="C.UTF-8")
    assert (pushed.exit_code, "nothing of before was changed" in pushed.stderr) == (0, True)
    assert look(host, home).stdout.strip() == vkey

    bundle = tmp_path / "log.bundle"
    days = ["--from", "2020-04-01", "--to", "2100-04-01"]
    assert host.run("audit", "export", *days, str(bundle)).exit_code == 0
    verify = ["audit", "verify", str(bundle), "--key", str(key), "--witness", vkey]
    verified = host.run(*verify, LANG="C.UTF-8")
    assert verified.exit_code == 0
    assert "1 of the witnesses you named vouch" in verified.stdout


def test_what_cannot_be_looked_at_is_status_2(host: Host, tmp_path: Path) -> None:
    key = host.run("audit", "checkpoint", "--key").stdout.strip()
    away = look(host, tmp_path / "w", "--key", key, url="http://127.0.0.1:9")
    assert (away.exit_code, away.stdout) == (2, "")
    assert "cannot be reached" in away.stderr
    assert look(host, tmp_path / "x", "--key", "nonsense").exit_code == 2


def test_a_log_that_contradicts_is_status_1(host: Host, tmp_path: Path) -> None:
    key = host.run("audit", "checkpoint", "--key").stdout.strip()
    home = tmp_path / "w"
    assert look(host, home, "--key", key).exit_code == 0
    (kept,) = (home / "heads").iterdir()
    origin, size, *rest = kept.read_text().split("\n")
    kept.write_text("\n".join([origin, str(int(size) + 1), *rest]))
    damaged = look(host, home)
    assert (damaged.exit_code, "Leave" in damaged.stderr) == (1, True)
