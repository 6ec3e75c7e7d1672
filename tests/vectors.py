"""Published test vectors, read where the environment variable VISITSYNC_VECTORS names their folder.

They are other people's work and are not copied into this project; CI sets the variable. Each of
their files states its origin and licence.
"""

from __future__ import annotations

import gzip
import json
import os
from base64 import b64decode
from pathlib import Path
from typing import Any, Final

import pytest

_FOLDER: Final = Path(os.environ.get("VISITSYNC_VECTORS") or "/nonexistent")

needs_vectors: Final = pytest.mark.skipif(
    not _FOLDER.is_dir(),
    reason="VISITSYNC_VECTORS names no folder with the published test vectors",
)


def load(name: str) -> Any:
    """One file of vectors, plain or gzipped JSON."""
    data = (_FOLDER / name).read_bytes()
    return json.loads(gzip.decompress(data) if name.endswith(".gz") else data)


def wycheproof(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each test of a Wycheproof file with the group it stands in."""
    groups = load(f"wycheproof/{name}_test.json.gz")["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


def hashes(encoded: list[str] | None) -> list[bytes]:
    """A proof as these files write it; an empty one may be absent."""
    return [b64decode(one) for one in encoded or ()]
