"""The proof of one entry's place, as a file of its own (c2sp.org/tlog-proof).

    c2sp.org/tlog-proof@v1
    extra <base64>                        the entry's exact bytes
    index <place>
    <base64>                              one hash of the path per line, lowest first

    …                                     the signed checkpoint, as it is

The extra line is authenticated by nothing but the path: what it holds is hashed, and the hash must
lead to the signed root. Whoever has the file and the log's public key needs nothing else.
"""

from __future__ import annotations

import re
from typing import Final

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.entry import VERSION, read, version_of
from visitsync.audit.note import MAX_NOTE_BYTES, NoteVerifier
from visitsync.audit.older import read_older
from visitsync.audit.proofs import verify_inclusion
from visitsync.audit.tree import HASH_BYTES, leaf_hash
from visitsync.audit.verdict import Finding, Verdict
from visitsync.errors import BadNote, BadParameter, LogBroken
from visitsync.schema.silent import Struct

FIRST_LINE: Final = b"c2sp.org/tlog-proof@v1"
ANY_VERSION: Final = b"c2sp.org/tlog-proof@v"
MAX_PROOF_BYTES: Final = 2 * MAX_NOTE_BYTES

_INDEX: Final = re.compile(rb"index (0|[1-9][0-9]{0,18})")
_MAX_PATH: Final = 63


class PlaceProof(Struct, frozen=True, kw_only=True):
    """Where an entry stands, and what shows it."""

    line: bytes
    """The entry's exact bytes."""
    index: int
    path: tuple[bytes, ...]
    """As by `inclusion_proof`."""
    note: str
    """The signed checkpoint."""

    def __repr__(self) -> str:
        return f"<PlaceProof of entry {self.index}>"


def encode(proof: PlaceProof) -> bytes:
    """The file's bytes; equal proofs give equal bytes."""
    head = [FIRST_LINE, b"extra " + to_base64(proof.line).encode(), b"index %d" % proof.index]
    path = [to_base64(one).encode() for one in proof.path]
    return b"\n".join([*head, *path, b"", proof.note.encode()])


def decode(data: bytes) -> PlaceProof:
    """The proof that `encode` wrote as `data`.

    Raises:
        LogBroken: at the first line that is not as it must be; `where` is its number, from 1.
    """
    head, _, note = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if lines[0] != FIRST_LINE or len(data) > MAX_PROOF_BYTES:
        raise _spoilt(1)
    line = from_base64(lines[1][6:]) if len(lines) > 1 and lines[1][:6] == b"extra " else None
    if line is None:
        raise _spoilt(2)
    index = _INDEX.fullmatch(lines[2]) if len(lines) > 2 else None  # noqa: PLR2004 -- the third line
    if index is None:
        raise _spoilt(3)
    path = tuple(from_base64(one) or b"" for one in lines[3:])
    for at, one in enumerate(path):
        if len(one) != HASH_BYTES or at == _MAX_PATH:
            raise _spoilt(4 + at)
    try:
        return PlaceProof(line=line, index=int(index[1]), path=path, note=note.decode())
    except UnicodeDecodeError:
        raise _spoilt(len(lines) + 2) from None


def is_place_proof(data: bytes) -> bool:
    """Whether a file says that it is one, of whatever version."""
    return data.startswith(ANY_VERSION)


def verify_place(data: bytes, key: str | None, since: str | None = None) -> Verdict:
    """What can be said about a proof file. Never raises on content.

    Args:
        data: the file's bytes.
        key: the log's public key (vkey), from a source that is trusted.
        since: a checkpoint kept from another time; it can only be compared if it is of the
            same log and size, since the file shows one entry and not how the log grew.
    """
    if not is_place_proof(data):
        return Verdict(findings=(Finding("not_a_proof"),))
    version = data[len(ANY_VERSION) :].partition(b"\n")[0]
    if version.isdigit() and version != b"1":
        return Verdict(findings=(Finding("unknown_proof_version"),))
    try:
        proof = decode(data)
    except LogBroken as error:
        return Verdict(findings=(Finding("proof_damaged", {"line": error.where or ""}),))
    try:
        checkpoint = peek(proof.note)
    except BadNote:
        return Verdict(findings=(Finding("bad_checkpoint", {"shard": ""}),), notes=(proof.note,))
    found: dict[str, Finding] = {}
    verifier = _verifier(key, found)
    facts: dict[str, int | str] = {"shard": checkpoint.origin, "entry": proof.index}
    _signature(proof.note, verifier, checkpoint, found)
    _entry(proof, checkpoint, found)
    try:
        verify_inclusion(
            leaf_hash(proof.line), proof.index, checkpoint.size, checkpoint.root, proof.path
        )
    except LogBroken:
        found["not_included"] = Finding("not_included", facts)
    if since is not None:
        _older(since, verifier, checkpoint, found)
    if verifier is not None and not found.keys() - {"older_agrees", "older_typed"}:
        signer = {"size": checkpoint.size, "signer": verifier.name}
        found["included"] = Finding("included", {**facts, **signer})
    notes = (proof.note,) if since is None else (since, proof.note)
    return Verdict(findings=tuple(found.values()), entries=1, notes=notes)


def _verifier(key: str | None, found: dict[str, Finding]) -> NoteVerifier | None:
    if key is None:
        found["no_key"] = Finding("no_key")
        return None
    try:
        return NoteVerifier(key.strip())
    except BadParameter:
        found["bad_key"] = Finding("bad_key")
        return None


def _signature(
    note: str, verifier: NoteVerifier | None, checkpoint: Checkpoint, found: dict[str, Finding]
) -> None:
    if verifier is None:
        return
    try:
        open_signed(note, [verifier])
    except BadNote as error:
        code = "wrong_signature" if error.reason == "wrong_signature" else "not_signed"
        found[code] = Finding(code, {"shard": checkpoint.origin})


def _entry(proof: PlaceProof, checkpoint: Checkpoint, found: dict[str, Finding]) -> None:
    """The entry by itself: of the canonical form, and of this place and log."""
    facts: dict[str, int | str] = {"shard": checkpoint.origin, "entry": proof.index}
    try:
        entry = read(proof.line)
    except LogBroken:
        foreign = version_of(proof.line) not in {None, VERSION}
        code = "unknown_entry_version" if foreign else "not_canonical"
        found[code] = Finding(code, facts)
        return
    if entry.seq != proof.index:
        found["wrong_place"] = Finding("wrong_place", {**facts, "seq": entry.seq})
    if entry.shard != checkpoint.origin:
        found["wrong_shard"] = Finding("wrong_shard", facts)


def _older(
    since: str, verifier: NoteVerifier | None, checkpoint: Checkpoint, found: dict[str, Finding]
) -> None:
    facts: dict[str, int | str] = {"shard": checkpoint.origin, "size": checkpoint.size}
    older, said = read_older(since, () if verifier is None else (verifier,))
    found |= {one.code: one for one in said}
    if older is None:
        return
    if (older.origin, older.size) != (checkpoint.origin, checkpoint.size):
        code = "older_not_comparable"
    else:
        code = "older_agrees" if older.root == checkpoint.root else "split_view"
    found[code] = Finding(code, facts)


def _spoilt(line: int) -> LogBroken:
    return LogBroken("the proof is not as it was written", where=str(line))
