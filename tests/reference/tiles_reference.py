"""A second reader of c2sp.org/tlog-tiles folders: no code of ours but the second verifier's.

Every file is read, and none may be there that does not belong.
"""

from __future__ import annotations

from pathlib import Path

from reference.bundle_reference import Bad, head, require, sha


def numbered(n: int) -> str:
    digits = f"{n:0{(len(str(n)) + 2) // 3 * 3}}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{one}" for one in groups[:-1]), groups[-1]])


def read(folder: Path, key: str) -> list[bytes]:
    """The entries of a folder whose signature, tiles and root agree.

    Raises:
        Bad: they do not.
    """
    left = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}

    def take(level: str, total: int) -> list[bytes]:
        files = []
        for n in range(-(-total // 256)):
            width = min(256, total - n * 256)
            name = f"tile/{level}/{numbered(n)}" + ("" if width == 256 else f".p/{width}")
            require(name in left)
            left.discard(name)
            files.append((folder / name).read_bytes())
        return files

    require("checkpoint" in left)
    left.discard("checkpoint")
    _, size, root = head((folder / "checkpoint").read_text(), key)
    entries: list[bytes] = []
    for data in take("entries", size):
        at, before = 0, len(entries)
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            require(end <= len(data))
            entries.append(data[at + 2 : end])
            at = end
        require(len(entries) == min(size, before + 256))
    hashes = [sha(b"\x00" + one) for one in entries]
    level = 0
    while True:
        require(b"".join(take(str(level), len(hashes))) == b"".join(hashes))
        if len(hashes) < 256:
            break
        hashes = [mth(hashes[at : at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    require(not left)
    if mth([sha(b"\x00" + one) for one in entries]) != root:
        raise Bad
    return entries


def mth(hashes: list[bytes]) -> bytes:
    if len(hashes) <= 1:
        return hashes[0] if hashes else sha(b"")
    k = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha(b"\x01" + mth(hashes[:k]) + mth(hashes[k:]))
