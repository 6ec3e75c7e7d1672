"""A second verifier of access-log bundles, written from the description of the format alone.

It shares no code with `visitsync.audit`: regular expressions over the text, `json` and recursion
instead of a reader, typed records and levels. Slow and without explanations: it answers the exit
status only. It stands alone, with `cryptography` beside Python:

    python3 bundle_reference.py log.bundle key.pub checkpoint-2026-08-31.txt; echo $?
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

B64 = r"[A-Za-z0-9+/]*={0,2}"
TEXT_FIELDS = ["actor", "basis", "office", "program", "purpose", "request", "rule", "shard"]
CODE_FIELDS = ["decision", "kind"]
HASH_FIELDS = ["payload", "pc"]
NUMBER_FIELDS = ["epoch", "records", "seq", "v"]
KNOWN = {*TEXT_FIELDS, *CODE_FIELDS, *HASH_FIELDS, *NUMBER_FIELDS, "previous", "restored", "time"}
SHARD = re.compile(
    r"shard (?P<origin>[^\n]*)\n"
    rf"(?P<before>(?:hash {B64}\n)*)"
    rf"(?P<leaves>(?:leaf {B64} [^\n]*\n)*)"
    rf"(?P<after>(?:hash {B64}\n)*)"
    rf"(?P<opened>(?:open (?:0|[1-9]\d*) {B64} {B64}\n)*)"
    r"(?P<kind>checkpoint|witnessed) (?P<count>0|[1-9]\d*)\n"
)
WITNESSED = re.compile(r"(?P<kind>checkpoint|witnessed) (?P<count>0|[1-9]\d*)\n")


class Bad(Exception):
    """Tampered with."""


class Unsure(Exception):
    """Cannot be decided."""


def require(holds: object) -> None:
    if not holds:
        raise Bad


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return sha(b"")
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha(b"\x01" + root(hashes[:k]) + root(hashes[k:]))


def b64(text: str, length: int | None = None) -> bytes:
    data = base64.b64decode(text)
    require(base64.b64encode(data).decode() == text and length in (None, len(data)))
    return data


def head(note: str, key: str | None) -> tuple[str, int, bytes]:
    """Origin, size and root; with a key, one of its signatures must stand there and be right."""
    match = re.fullmatch(
        r"((?P<origin>[^\n]+)\n(?P<size>0|[1-9]\d{0,18})\n(?P<root>[^\n]+)\n)\n(?P<sigs>.+\n)",
        note,
        re.DOTALL,
    )
    require(match and not re.search(r"[\x00-\x09\x0b-\x1f]", note))
    assert match is not None
    signed, trusted = match[1].encode(), 0
    for line in match["sigs"][:-1].split("\n"):
        parts = re.fullmatch(rf"— ([^\s+]+) ({B64})", line)
        require(parts)
        assert parts is not None
        raw = b64(parts[2])
        require(len(raw) > 4)
        if key is None:
            continue
        name, key_id, material = key.split("+", 2)
        if (parts[1], raw[:4].hex()) == (name, key_id) and not trusted:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(material)[1:])
            try:
                public.verify(raw[4:], signed)
            except InvalidSignature:
                raise Bad from None
            trusted += 1
    require(key is None or trusted)
    size, found = int(match["size"]), b64(match["root"], 32)
    require(size or found == sha(b""))
    return match["origin"], size, found


def check_entry(line: str) -> dict[str, Any]:
    try:
        pairs: list[tuple[str, Any]] = json.loads(line, object_pairs_hook=list)
        fields = dict(pairs)
    except (ValueError, TypeError, RecursionError):
        raise Bad from None
    if type(fields.get("v")) is int and fields["v"] != 1:
        raise Unsure
    canonical = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    require(canonical == line and set(fields) <= KNOWN)
    require({"actor", "kind", "seq", "shard", "time", "v"} <= set(fields))
    for name, value in fields.items():
        if name in NUMBER_FIELDS:
            require(type(value) is int and 0 <= value < 2**53)
            continue
        require(type(value) is str and value)
        if name in TEXT_FIELDS:
            require(len(value) <= 256 and not re.search(r"[\x00-\x1f\x7f]", value))
        elif name in CODE_FIELDS:
            require(re.fullmatch(r"[a-z][a-z0-9_]{0,63}", value))
        elif name in HASH_FIELDS:
            require(re.fullmatch(r"[0-9a-f]{64}", value))
        elif name == "time":
            require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value))
            try:
                dt.datetime.fromisoformat(value)
            except ValueError:
                raise Bad from None
    return fields


def year_of(origin: str) -> tuple[str, float]:
    """The year, and in its tenths which further part of it."""
    match = re.fullmatch(
        r"(visitsync/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)/(20\d\d)(?:-([2-9]))?", origin
    )
    require(match)
    assert match is not None
    return match[1], int(match[2]) + int(match[3] or 0) / 10


def check_shard(
    match: re.Match[str],
    note: str,
    key: str | None,
    earlier: dict[str, tuple[int, bytes]],
    told: dict[str, int],
) -> tuple[str, list[bytes], bytes]:
    origin, size, signed_root = head(note, key)
    name, year = year_of(origin)
    require(origin == match["origin"])
    require(all(year_of(one)[0] == name and year_of(one)[1] < year for one in earlier))

    hashes = [b64(line[5:], 32) for line in match["before"].splitlines()]
    opened: dict[int, str] = {}
    for line in match["opened"].splitlines():
        _, place, salt, private = line.split(" ")
        require(not opened or int(place) > max(opened))
        opened[int(place)] = sha(
            b"visitsync/access-log/private/1\n" + b64(salt, 16) + b64(private)
        ).hex()

    before = None
    for line in match["leaves"].split("\n")[:-1]:
        _, stated, text = line.split(" ", 2)
        place = len(hashes)
        hashes.append(sha(b"\x00" + text.encode()))
        require(b64(stated) == hashes[-1])
        fields = check_entry(text)
        require((fields["seq"], fields["shard"]) == (place, origin))
        when = dt.datetime.fromisoformat(fields["time"])
        local = when.astimezone(dt.timezone(dt.timedelta(hours=9)))
        require(local.year - (local.month < 4) == int(year))
        require(before is None or before <= when)
        before = when
        is_part = year != int(year)
        require((fields["kind"] == "year_opened") == (place == 0 and not is_part))
        require((fields["kind"] == "incident") == (place == 0 and is_part))
        require(place == 0 or "previous" not in fields)
        require(("restored" in fields) == (place == 0 and is_part))
        if place == 0:
            chain = "restored" if is_part else "previous"
            require(chain in fields or not earlier)
            if is_part and "previous" in fields:
                lost, lost_size, _ = head(fields["previous"], key)
                require(year_of(lost)[0] == name and year_of(lost)[1] < year)
                told[head(fields["restored"], key)[0]] = lost_size
            if chain in fields:
                closed, closed_size, closed_root = head(fields[chain], key)
                require(year_of(closed)[0] == name and year_of(closed)[1] < year)
                require(
                    earlier.get(closed, (closed_size, closed_root)) == (closed_size, closed_root)
                )
                require(not any(one > closed for one in earlier))
        if place in opened:
            require(opened.pop(place) == fields.get("pc"))
    require(not opened)
    hashes += [b64(line[5:], 32) for line in match["after"].splitlines()]
    require(len(hashes) == size and root(hashes) == signed_root)
    return origin, hashes, signed_root


def verify(  # noqa: C901, PLR0915 -- one page, to be read from top to bottom
    data: bytes, key: str | None, since: str | None = None
) -> int:
    """0 good, 1 tampered with, 2 cannot decide."""
    first = b"visitsync/access-log-bundle/v1\n"
    if not data.startswith(first):
        if re.match(rb"visitsync/access-log-bundle/v[1-9]\d{0,3}\n", data):
            return 2
        bundle_like = b"\nleaf " in data or b"\ncheckpoint " in data
        return 1 if bundle_like or (data and first.startswith(data)) else 2
    unsure = key is None
    older = None
    try:
        older = head(since, key) if since is not None else None
    except Bad:
        unsure = True
    try:
        rest = data[len(first) :].decode()
        heads: dict[str, tuple[int, bytes]] = {}
        trees: dict[str, list[bytes]] = {}
        told: dict[str, int] = {}
        body, last = data[:-69], data[-69:]
        require(last == b"end " + hashlib.sha256(body).hexdigest().encode() + b"\n")
        rest = rest[:-69]
        require(rest)
        while rest:
            match = SHARD.match(rest)
            require(match)
            assert match is not None
            rest = rest[match.end() :]
            cosigned, part = [], match
            while True:
                lines = rest.split("\n", int(part["count"]))
                require(len(lines) == int(part["count"]) + 1)
                note = rest[: len(rest) - len(lines[-1])]
                rest = lines[-1]
                if part["kind"] == "checkpoint":
                    break
                cosigned.append(note)
                following = WITNESSED.match(rest)
                require(following)
                assert following is not None
                part, rest = following, rest[following.end() :]
            try:
                origin, hashes, found = check_shard(match, note, key, heads, told)
            except Unsure:
                unsure = True
                continue
            heads[origin], trees[origin] = (len(hashes), found), hashes
            for seen in cosigned:
                theirs, size, its_root = head(seen, key)
                require(theirs == origin and size <= len(hashes))
                require(root(hashes[:size]) == its_root)
        if older is not None:
            hashes_now = trees.get(older[0])
            if hashes_now is None or len(hashes_now) < older[1] <= told.get(older[0], 0):
                unsure = True
            else:
                require(older[1] <= len(hashes_now))
                require(root(hashes_now[: older[1]]) == older[2])
    except (Bad, ValueError):
        return 1
    return 2 if unsure else 0


def path_root(hashed: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path leads (RFC 6962, 2.1.1, read backwards)."""
    require(0 <= index < size)
    if size == 1:
        require(not path)
        return hashed
    require(path)
    k = 1
    while k * 2 < size:
        k *= 2
    if index < k:
        return sha(b"\x01" + path_root(hashed, index, k, path[:-1]) + path[-1])
    return sha(b"\x01" + path[-1] + path_root(hashed, index - k, size - k, path[:-1]))


def verify_proof(data: bytes, key: str | None) -> int:
    """The same for a c2sp.org/tlog-proof file whose extra data is the entry."""
    if not data.startswith(b"c2sp.org/tlog-proof@v1\n"):
        return (
            1
            if data.startswith(b"c2sp.org/tlog-proof@v")
            and not re.match(rb"c2sp\.org/tlog-proof@v[0-9]+(\n|$)", data)
            else 2
        )
    try:
        match = re.fullmatch(
            rf"c2sp\.org/tlog-proof@v1\nextra ({B64})\nindex (0|[1-9][0-9]{{0,18}})\n"
            rf"((?:{B64}\n)*?)\n((?s:.+))",
            data.decode(),
        )
        require(match)
        assert match is not None
        line, path = b64(match[1]), [b64(one, 32) for one in match[3].splitlines()]
        origin, size, signed_root = head(match[4], key)
        require(path_root(sha(b"\x00" + line), int(match[2]), size, path) == signed_root)
        fields = check_entry(line.decode())
        require((fields["seq"], fields["shard"]) == (int(match[2]), origin))
    except Unsure:
        return 2
    except (Bad, ValueError):
        return 1
    return 2 if key is None else 0


if __name__ == "__main__":
    bundle_file, key_file, *older_files = map(Path, sys.argv[1:])
    older_text = older_files[0].read_text() if older_files else None
    sys.exit(verify(bundle_file.read_bytes(), key_file.read_text().strip(), older_text))
