"""Rules about the code itself, read from its files and its imports."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

LONGEST = 400
CORE = (
    "schema",
    "fields",
    "files",
    "adapters",
    "linking",
    "consent",
    "retention",
    "timeline",
    "envelope",
    "audit",
)
PACKAGE = Path("visitsync")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}


def sources(*roots: str) -> list[Path]:
    return sorted(path for root in roots for path in Path(root).rglob("*.py"))


def cycle(imports: dict[str, set[str]]) -> list[str] | None:
    """Modules that import each other in a circle, if any do."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return None


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("visitsync")
    imports = {one: set(graph.find_modules_directly_imported_by(one)) for one in graph.modules}
    assert len(imports) > 200
    assert cycle(imports) is None
    # The control: one import back makes a circle that is found.
    deep, shallow = "visitsync.web.app", "visitsync.schema.visit"
    assert cycle({**imports, shallow: imports[shallow] | {deep}}) is not None


@pytest.mark.parametrize("path", sources("visitsync", "migrations", "deploy", "bench"), ids=str)
def test_no_file_is_longer_than_one_thing_needs(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_every_folder_and_file_has_a_name_that_tells_what_it_is_for() -> None:
    names = {part for path in sources("visitsync") for part in path.with_suffix("").parts}
    assert names.isdisjoint(NAMELESS)


@pytest.mark.parametrize("room", CORE)
def test_the_core_is_synchronous(room: str) -> None:
    for path in sources(f"visitsync/{room}"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncWith), path


def test_what_catches_everything_says_why() -> None:
    """Broad ``except`` only where C10 or the web edge asks for it, each with its reason."""
    for path in sources("visitsync"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "except Exception" in line:
                assert "# noqa: BLE001 -- " in line, path
