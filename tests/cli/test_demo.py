"""The demonstration runs to its end, in both languages, from nothing and a second time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VISITSYNC_")}
    return subprocess.run(
        [sys.executable, "-m", "visitsync", "demo", "--no-serve", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**clean, "PYTHONWARNINGS": "error"},
    )


def test_it_tells_the_whole_story(tmp_path: Path) -> None:
    first = demo("--lang", "en", "--data-dir", str(tmp_path))
    told = " ".join(first.stdout.split())  # lines break where a port or an id is longer

    assert (first.returncode, first.stderr) == (0, "")
    assert "Of 140 registrations" in told
    assert "404 Not found" in told
    assert told.count("caught") == 4
    assert "NOT CAUGHT" not in told
    assert "older checkpoint" in told

    again = demo("--lang", "ja", "--data-dir", str(tmp_path))
    assert (again.returncode, again.stderr) == (0, "")
    assert "140 件の登録" in again.stdout
    assert again.stdout.count("検出") == 4

    log = (tmp_path / "service.log").read_text(encoding="ascii")
    assert '"route"' in log
    for name in ("大石", "里美", "\\u5927\\u77f3", "F-013"):
        assert name not in log
    for file in ("dev-tokens.json", "master.key", "visitsync.db", "service.log"):
        assert (tmp_path / file).stat().st_mode & 0o077 == 0
