"""Tiles of made logs in folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from audit.made_logs import signed

from visitsync.audit import TileMaker


def written(folder: Path, leaves: Sequence[bytes]) -> Path:
    """The folder, with the tiles and the checkpoint of a log in it."""
    made = TileMaker()
    tiles = [tile for line in leaves for tile in made.append(line)]
    for tile in (*tiles, *made.finish()):
        (folder / tile.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / tile.path).write_bytes(tile.data)
    (folder / "checkpoint").write_text(signed(leaves))
    return folder
