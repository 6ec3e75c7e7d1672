"""Adapters are found by scanning their folder; a file that is none stops the start."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from visitsync.adapters import load_adapters
from visitsync.schema.vocabulary import VOCABULARY


def test_every_program_of_the_vocabulary_has_its_adapter() -> None:
    adapters = load_adapters()

    assert set(adapters) >= set(VOCABULARY.programs)
    for program, adapter in adapters.items():
        assert adapter.program == program
        assert adapter.title == VOCABULARY.programs[program]["ja"]


def test_what_an_adapter_declares_absent_are_fields_of_the_vocabulary() -> None:
    fields = {field for own in VOCABULARY.fields_of_category.values() for field in own}
    for adapter in load_adapters().values():
        assert set(adapter.absent) <= fields


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.py", "", "without an ADAPTER"),
        ("text.py", "ADAPTER = 'multiples'", "without an ADAPTER"),
        (
            "other.py",
            "from visitsync.adapters.multiples import ADAPTER",
            "The ADAPTER's program is not its file's name",
        ),
    ],
)
def test_a_file_that_is_no_adapter_stops_the_start(
    tmp_path: Path, name: str, content: str, sentence: str
) -> None:
    package = tmp_path / "visitsync"
    shutil.copytree("visitsync", package, ignore=shutil.ignore_patterns("__pycache__", "shiomi"))
    (package / "adapters" / name).write_text(content)
    done = subprocess.run(
        [sys.executable, "-c", "from visitsync.adapters import load_adapters; load_adapters()"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert sentence in done.stderr
