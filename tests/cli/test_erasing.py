"""``keys shred`` and ``retention`` at the host's shell: two people, and what each is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from build import OPERATOR
from click.testing import CliRunner, Result
from service.protected import a_home

from visitsync.__main__ import visitsync
from visitsync.service import tokens
from visitsync.service.context import open_context
from visitsync.service.migration import migrate
from visitsync.settings import load


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home, self.token = asyncio.run(self._set_up())

    async def _set_up(self) -> tuple[str, str]:
        settings = load({}, data_dir=self.folder)
        await migrate(settings)
        async with open_context(settings) as context:
            home = await a_home(context)
            issued = await tokens.issue(context, OPERATOR, subject="staff:officer", days=1)
        return home, issued.secret

    def run(self, *words: str, **environment: str) -> Result:
        env = {"VISITSYNC_DATA_DIR": str(self.folder), "LOGNAME": "alice", "COLUMNS": "200"}
        return CliRunner(env={**env, **environment}).invoke(visitsync, words)

    def the_day_comes(self) -> None:
        asyncio.run(self._move_back())

    async def _move_back(self) -> None:
        async with (
            open_context(load({}, data_dir=self.folder)) as context,
            context.database.writing() as connection,
        ):
            await connection.execute(sa.text("UPDATE erasure SET due_at = 1"))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


def test_keys_shred_takes_two_people_and_its_certificate_verifies(
    shell: Shell, tmp_path: Path
) -> None:
    home = shell.home
    assert "The keys are active" in shell.run("keys", "shred", home).output
    assert "never_existed" in shell.run("keys", "shred", "h" + "a" * 26).output
    asked = shell.run("keys", "shred", home, "--reason", "an order of the court")
    assert asked.exit_code == 0, asked.output
    assert "Somebody else must approve" in asked.output
    same = shell.run("keys", "shred", home, "--approve")
    assert same.exit_code != 0
    announced = shell.run("keys", "shred", home, "--approve", VISITSYNC_TOKEN=shell.token)
    assert announced.exit_code == 0, announced.output
    assert "announced" in announced.output
    assert json.loads(shell.run("retention", "run", "--json").output) == []

    shell.the_day_comes()
    (tmp_path / "out").mkdir()
    ran = shell.run("retention", "run", "--json", "--certificates", str(tmp_path / "out"))
    (done,) = json.loads(ran.output)
    assert (done["household"], done["outcome"]) == (home, "erased")
    assert "The keys are destroyed" in shell.run("keys", "shred", home).output

    file = tmp_path / "out" / f"{done['id']}.txt"
    assert shell.run("keys", "certificate", done["id"]).output == file.read_text()
    key = tmp_path / "key.pub"
    key.write_text(shell.run("audit", "checkpoint", "--key").output)
    good = shell.run("receipt", "verify", str(file), "--key", str(key), LC_ALL="en_US.UTF-8")
    assert good.exit_code == 0, good.output
    assert "Keys destroyed: " in good.output
    file.write_text(file.read_text().replace("\nkeys ", "\nkeys 1"))
    assert shell.run("receipt", "verify", str(file), "--key", str(key)).exit_code == 1


def test_a_hold_is_placed_by_one_and_released_by_two(shell: Shell) -> None:
    held = json.loads(
        shell.run("retention", "hold", shell.home, "--reason", "an inquiry", "--json").output
    )
    shell.run("keys", "shred", shell.home, "--reason", "too early")
    refused = shell.run("keys", "shred", shell.home, "--approve", VISITSYNC_TOKEN=shell.token)
    assert refused.exit_code != 0
    assert "A hold stands" in str(refused.exception)
    assert "until somebody else" in shell.run("retention", "release", held["id"]).output
    assert shell.run("retention", "release", held["id"], "--approve").exit_code != 0
    lifted = shell.run("retention", "release", held["id"], "--approve", VISITSYNC_TOKEN=shell.token)
    assert "is lifted" in lifted.output
    withdrawn = shell.run("keys", "shred", shell.home, "--withdraw")
    assert "withdrawn" in withdrawn.output


def test_nothing_is_due_by_the_rules_that_are_shipped(shell: Shell) -> None:
    found = json.loads(shell.run("retention", "due", "--json").output)
    assert (found["due"], found["unknown"]) == ([], 1)
    assert json.loads(shell.run("retention", "announce", "--json").output) == {"asked": 0}
    assert "0 erasures are announced" in shell.run("retention", "confirm").output
    assert "is not known" in shell.run("retention", "due").output
    assert shell.run("keys", "shred", "h", "--approve", "--withdraw").exit_code == 2
