"""A sixth program is one adapter file and its samples; no other line of the project changes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]


@pytest.fixture
def with_a_sixth(tmp_path: Path) -> Path:
    """A copy of the package and of the contract, with the invented program dropped in."""
    no_caches = shutil.ignore_patterns("__pycache__", ".hypothesis")
    shutil.copytree(PROJECT / "visitsync", tmp_path / "visitsync", ignore=no_caches)
    shutil.copytree(PROJECT / "tests/samples", tmp_path / "tests/samples", ignore=no_caches)
    (tmp_path / "tests/contract").mkdir()
    shutil.copy(HERE / "test_adapters.py", tmp_path / "tests/contract")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")

    shutil.copy(HERE / "sixth/harbour.py", tmp_path / "visitsync/adapters")
    shutil.copytree(HERE / "sixth/samples", tmp_path / "tests/samples/harbour")
    return tmp_path


def contract(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-k", "harbour or single_parent", "tests/contract"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_sixth_program_keeps_the_contract(with_a_sixth: Path) -> None:
    done = contract(with_a_sixth)

    assert done.returncode == 0, done.stdout[-3000:]
    assert len(re.findall(r"\[harbour.*PASSED", done.stdout)) >= 15


def test_a_sixth_program_without_samples_does_not(with_a_sixth: Path) -> None:
    shutil.rmtree(with_a_sixth / "tests/samples/harbour")

    assert contract(with_a_sixth).returncode != 0
