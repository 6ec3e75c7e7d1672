"""``visitsync notice``: versions added once, listed with their clause."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from service.test_notices import FILE

from visitsync.__main__ import visitsync


def called(*arguments: str) -> Result:
    return CliRunner().invoke(visitsync, list(arguments))


def test_it_is_added_once_and_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISITSYNC_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("VISITSYNC_DATABASE_URL", raising=False)
    assert called("migrate").exit_code == 0
    file = tmp_path / "notice.toml"
    file.write_text(FILE, encoding="utf-8")

    assert "is added" in called("notice", "add", str(file)).output
    assert "known already" in called("notice", "add", str(file)).output
    file.write_text(FILE.replace("ご家族の", "家族の"), encoding="utf-8")
    changed = called("notice", "add", str(file))
    assert changed.exit_code == 1
    assert "new version" in changed.output
    known = json.loads(called("notice", "list", "--json").output)
    assert [one["version"] for one in known] == ["2026-04"]
    assert "2026-04" in called("notice", "list").output
