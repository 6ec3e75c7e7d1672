"""Every problem code that the reading rooms can give has its sentences, and none is left over."""

from __future__ import annotations

import re
from pathlib import Path

from visitsync.schema.problems import PROBLEMS

ROOMS = (
    "fields",
    "files",
    "adapters",
    "service/reading.py",
    "cli/read.py",
    "schema/strict_json.py",
)
_WORD = re.compile(r'"([a-z][a-z_]+)"')


def test_codes_and_sentences_are_the_same() -> None:
    said: set[str] = set()
    for room in ROOMS:
        path = Path("visitsync") / room
        for file in [path] if path.is_file() else path.rglob("*.py"):
            said |= set(_WORD.findall(file.read_text(encoding="utf-8")))

    assert set(PROBLEMS) <= said
