"""What it costs to verify a log offline, beside hashing its entries alone.

    python3 deploy/venv.py --dev python bench/verifying.py [--entries 1000000] [--record]

Writes a year's bundle, then verifies it with the key and an older checkpoint in a process of its
own that has nothing but the file, as an auditor would, and notes the most memory that process held.
The floor reads the same file line by line and makes one SHA-256 of each line. The same for a tenth
of the entries tells what grows with the log. Writes bench/results/verifying.json where it is asked
to.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import main_job
from audit.made_logs import SIGNER, entry

from visitsync.audit import (
    Checkpoint,
    Frontier,
    bundle_lines,
    instant,
    leaf,
    leaf_hash,
    opening,
    origin,
    sign_checkpoint,
    verify_bundle,
)
from visitsync.audit.bundle import Leaf, Section
from visitsync.audit.shards import JST

HERE: Final = Path(__file__).parent
YEAR: Final = 2026
AIM_SECONDS: Final = 60
BEGAN: Final = dt.datetime(YEAR, 4, 1, tzinfo=JST)


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    parser.add_argument("--only", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.only:
        print(json.dumps(alone(*map(Path, wanted.only))))
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "machine": main_job.machine(),
            "aim, s": AIM_SECONDS,
            "a tenth": measured(Path(folder), wanted.entries // 10),
            "all": measured(Path(folder), wanted.entries),
        }
    written = json.dumps(figures, indent=2, ensure_ascii=False)
    if wanted.record:
        (HERE / "results" / "verifying.json").write_text(written + "\n")
    print(written)


def measured(folder: Path, entries: int) -> dict[str, Any]:
    """One bundle, verified in a process of its own."""
    bundle, older = folder / "log.bundle", folder / "older.txt"
    write(bundle, older, entries)
    command = [sys.executable, __file__, "--only", str(bundle), str(older)]
    done = subprocess.run(command, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit"] == 0
    return {"entries": entries, "bytes": bundle.stat().st_size, **found}


def write(bundle: Path, older: Path, entries: int) -> None:
    """A year's bundle, and a checkpoint from when it had half of its entries."""
    made = Made(entries, older)
    with bundle.open("wb") as file:
        file.writelines(bundle_lines([made.section()]))


class Made:
    """Leaves that are made as they are written; a million of them would fill the memory."""

    def __init__(self, entries: int, older: Path) -> None:
        self.entries = entries
        frontier = Frontier()
        for one in self:
            frontier.append(one.hashed)
            if frontier.size == entries // 2:
                older.write_text(signed(frontier))
        self.note = signed(frontier)

    def __len__(self) -> int:
        return self.entries

    def __iter__(self) -> Iterator[Leaf]:
        for seq in range(self.entries):
            at = instant(BEGAN + dt.timedelta(seconds=seq))
            line = leaf(
                entry(seq, YEAR, time=at) if seq else opening("shiomi", BEGAN, previous=None)
            )
            yield Leaf(leaf_hash(line), line)

    def section(self) -> Section:
        """The whole year."""
        return Section(origin=origin("shiomi", YEAR), leaves=self, note=self.note)


def signed(frontier: Frontier) -> str:
    """The checkpoint of a tree."""
    head = Checkpoint(origin("shiomi", YEAR), frontier.size, frontier.root())
    return sign_checkpoint(head, SIGNER)


def alone(bundle: Path, older: Path) -> dict[str, Any]:
    """In a process of its own: verify, note the memory, then hash alone."""
    at_start = peak()
    begin, worked = time.perf_counter(), time.process_time()
    with bundle.open("rb") as file:
        verdict = verify_bundle(file, SIGNER.vkey, older.read_text())
    verifying, of_processor = time.perf_counter() - begin, time.process_time() - worked
    held = peak()
    worked = time.process_time()
    with bundle.open("rb") as file:
        for line in file:
            hashlib.sha256(line).digest()
    hashing = time.process_time() - worked
    assert "older_agrees" in verdict.codes()
    return {
        "exit": verdict.exit_code,
        "verifying, s": round(verifying, 2),
        "… of the processor's time, s": round(of_processor, 2),
        "hashing alone, of the processor's time, s": round(hashing, 2),
        "ratio": round(of_processor / hashing, 1),
        "most memory, MiB": round(held),
        "… of it before the file was opened, MiB": round(at_start),
    }


def peak() -> float:
    """The most memory this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
