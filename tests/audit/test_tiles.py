"""A log as static files: named and cut as the specification has it, read by the second reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit.made_logs import SIGNER, log
from audit.tile_folders import written
from reference import tiles_reference as reference
from reference.bundle_reference import Bad

from visitsync.audit import TileMaker, leaf_hash, root_of
from visitsync.audit.tiles import MAX_ENTRY_BYTES
from visitsync.errors import LogBroken


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700])
def test_the_second_reader_reads_every_size(tmp_path: Path, size: int) -> None:
    leaves = log(size)
    assert reference.read(written(tmp_path, leaves), SIGNER.vkey) == leaves


def test_any_changed_file_is_noticed(tmp_path: Path) -> None:
    written(tmp_path, log(300))
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 6
    for file in files:
        good = file.read_bytes()
        file.write_bytes(good[:20] + bytes((good[20] ^ 1,)) + good[21:])
        with pytest.raises((Bad, ValueError)):
            reference.read(tmp_path, SIGNER.vkey)
        file.write_bytes(good)
    assert reference.read(tmp_path, SIGNER.vkey)


def test_paths_and_widths_are_those_of_the_specification() -> None:
    made = TileMaker()
    tiles = [tile for n in range(256 * 1001 + 3) for tile in made.append(b"%d" % n)]
    tiles += made.finish()
    sizes = {tile.path: len(tile.data) // 32 for tile in tiles if "entries" not in tile.path}
    names = [tile.path for tile in tiles if tile.path.startswith("tile/entries/")]

    assert sizes["tile/0/000"] == sizes["tile/0/999"] == sizes["tile/0/x001/000"] == 256
    assert sizes["tile/0/x001/001.p/3"] == 3
    assert [one for one in sizes if not one.startswith("tile/0/")] == [
        "tile/1/000",
        "tile/1/001",
        "tile/1/002",
        "tile/1/003.p/233",
        "tile/2/000.p/3",
    ]
    assert names[-2:] == ["tile/entries/x001/000", "tile/entries/x001/001.p/3"]
    assert made.root() == root_of([leaf_hash(b"%d" % n) for n in range(made.size)])


def test_an_entry_longer_than_its_length_can_say_is_refused() -> None:
    assert list(TileMaker().append(b"x" * MAX_ENTRY_BYTES)) == []
    with pytest.raises(LogBroken, match="too long"):
        list(TileMaker().append(b"x" * (MAX_ENTRY_BYTES + 1)))
