"""Nothing changes an anchored row without the log's entry of its transaction saying so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import visitsync
from visitsync.store.changes import UNANCHORED
from visitsync.store.columns import METADATA

PACKAGE = Path(visitsync.__file__).parent
MAKERS = {"insert", "update", "delete"}
THEMSELVES = {
    "changes.py": "notes what it runs",
    "bulk.py": "notes what it adds",
    "loading.py": "puts back rows whose anchors are in the log already",
}


def unnoted(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Statements that change a table and are not handed to `changes`: table and line."""
    noted = {
        id(inner)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).startswith("changes.")
        for inner in ast.walk(call)
    }
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and ast.unparse(call.func.value) in {"sa", "postgresql", "sqlite"}
            and call.func.attr in MAKERS
            and id(call) not in noted
        ):
            yield ast.unparse(call.args[0]), call.lineno


def test_every_change_of_an_anchored_row_is_noted() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {table}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.name not in THEMSELVES or path.parent.name != "store"
        for table, line in unnoted(ast.parse(path.read_text("utf-8")))
        if table not in UNANCHORED
    ]
    assert found == []


@pytest.mark.parametrize(
    "code", ["sa.delete(fact)", "sa.update(visit).values(x=1)", "c.execute(sa.insert(table), [1])"]
)
def test_control_a_change_that_is_not_noted_is_noticed(code: str) -> None:
    assert len(list(unnoted(ast.parse(code)))) == 1
    assert not list(unnoted(ast.parse(f"changes.run(c, {code})")))


def test_tables_without_anchors_are_tables() -> None:
    assert UNANCHORED.keys() - {"alembic_version"} <= METADATA.tables.keys()
