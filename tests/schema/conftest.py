"""The offices' expected records, as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden_records() -> list[bytes]:
    files = Path("tests/samples").rglob("*.ndjson")
    return [
        record
        for file in sorted(files)
        if not file.name.endswith(".rejected.ndjson") and "expected" in file.as_posix()
        for record in file.read_bytes().splitlines()
    ]
