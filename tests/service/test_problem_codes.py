"""Every problem code has its sentences, and no sentence is left without its code."""

from __future__ import annotations

import re
from pathlib import Path

from visitsync.schema.problems import PROBLEMS

_WORD = re.compile(r'"([a-z][a-z_]+)"')


def test_every_sentence_is_of_a_code_that_the_package_gives() -> None:
    given: set[str] = set()
    for file in Path("visitsync").rglob("*.py"):
        given |= set(_WORD.findall(file.read_text(encoding="utf-8")))

    assert {code.removeprefix("bad_json_") for code in PROBLEMS} <= given


def test_every_code_of_a_problem_has_its_sentence() -> None:
    """Codes are literals; a forgotten sentence would fail only when an office meets it."""
    found: set[str] = set()
    for room in ("fields", "files", "adapters"):
        for file in Path("visitsync", room).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            found |= set(re.findall(r'BadCell\("([a-z_]+)"\)', text))
            found |= set(re.findall(r'\(\("([a-z_]+)", ', text))
            found |= set(re.findall(r'refused\(layout, name, "([a-z_]+)"', text))
            found |= set(re.findall(r'"(?:reject|warn|file)", "([a-z_]+)"', text))

    assert len(found) > 40
    assert found - {"reject", "warn"} <= set(PROBLEMS)
