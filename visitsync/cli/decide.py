"""``visitsync decide``: consent decisions on scenario files, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from visitsync.consent import decide, read_scenario
from visitsync.schema.strict_json import NotStrictJson, loads

_NOT_ANSWERED = 2
"""Exit status where a file could not be answered at all."""


@click.command(epilog="Example: visitsync decide scenario.json")
@click.argument(
    "paths", metavar="SCENARIO…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def command(*, paths: tuple[Path, ...]) -> None:
    """Say what each SCENARIO's viewer may see of each record, and why, as JSON lines.

    Several scenarios, or a directory with *.json files, give lines with "scenario" added. Facts
    that cannot be read are named on stderr and only ever hide more. Exit status: 0, or 2 if a file
    is no JSON object.
    """
    named = len(paths) > 1 or any(path.is_dir() for path in paths)
    unanswered = False
    for file in _files(paths):
        raw = _read(file)
        if raw is None:
            unanswered = True
            continue
        for line in _lines(file, raw):
            whole = {"scenario": file.name} | line if named else line
            click.echo(json.dumps(whole, ensure_ascii=False).encode())
    if unanswered:
        raise click.exceptions.Exit(_NOT_ANSWERED)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        # A directory without scenarios is itself given on, to be reported like a missing file.
        yield from sorted(path.glob("*.json")) or [path]


def _read(file: Path) -> dict[str, object] | None:
    try:
        raw = loads(file.read_bytes(), mark_refused=True)
    except OSError:
        _tell(file, "cannot be opened; name a file that you may read.")
        return None
    except NotStrictJson as error:
        _tell(file, f"is no JSON ({error.reason}); whoever wrote it must write it again.")
        return None
    if not isinstance(raw, dict):
        _tell(file, "is no JSON object; whoever wrote it must write it again.")
        return None
    return raw


def _lines(file: Path, raw: dict[str, object]) -> Iterator[dict[str, object]]:
    scenario = read_scenario(raw)
    for one in scenario.unreadable:
        _tell(file, str(one))
    decisions = decide(scenario)
    for rule in sorted({rule for decision in decisions for rule in decision.failed}):
        _tell(file, f"The rule {rule} failed, so less is shown; report it to who made visitsync.")
    for decision in decisions:
        yield decision.as_json()


def _tell(path: Path, sentence: str) -> None:
    click.echo(f"visitsync: {path.name}: {sentence}", err=True)
