"""Every command: found by its file, with an example, light to load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from visitsync.__main__ import visitsync

PROMISED = {
    "audit export",
    "audit prove",
    "audit verify",
    "audit checkpoint",
    "audit search",
    "audit statistics",
    "audit timestamp",
    "audit verify-timestamp",
    "decide",
    "demo",
    "directory apply",
    "doctor",
    "layout check",
    "migrate",
    "push",
    "read",
    "receipt verify",
    "serve",
    "timeline",
    "token issue",
    "token list",
    "token revoke",
}
"""The commands of issue 2 that others rely on."""


def commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(visitsync)
    for name in visitsync.list_commands(context):
        found = visitsync.get_command(context, name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            yield from ((f"{name} {below}", one) for below, one in found.commands.items())


ALL = dict(commands())


def test_every_promised_command_is_there() -> None:
    assert set(ALL) >= PROMISED


@pytest.mark.parametrize("name", ALL)
def test_help_says_what_it_does_and_gives_an_example(name: str) -> None:
    result = CliRunner().invoke(visitsync, [*name.split(), "--help"])

    assert result.exit_code == 0
    assert ALL[name].help
    assert f"visitsync {name.split(maxsplit=1)[0]}" in " ".join(result.output.split())
    assert "Example" in result.output


@pytest.mark.parametrize("arguments", [["--nonsense"], ["nonsense"], ["push"], ["token", "issue"]])
def test_wrong_use_is_status_2_and_one_sentence(arguments: list[str]) -> None:
    result = CliRunner().invoke(visitsync, arguments)

    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_asking_for_help_loads_neither_server_nor_database() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from visitsync.__main__ import visitsync;"
        "CliRunner().invoke(visitsync, ['--version']);"
        "print([one for one in ('aiohttp', 'sqlalchemy', 'rich') if one in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
