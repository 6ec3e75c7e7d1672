"""What witnesses vouch for in an exported log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from visitsync.audit.bundle import Section
from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.note import NoteVerifier, open_note, split_note
from visitsync.audit.verdict import Finding
from visitsync.errors import BadNote, BadParameter, LogBroken


def verifiers_of(keys: Sequence[str]) -> tuple[NoteVerifier, ...] | None:
    """The witnesses' keys; None if one is no key."""
    try:
        return tuple(NoteVerifier(one.strip()) for one in keys)
    except BadParameter:
        return None


def heads_witnessed(section: Section) -> set[int]:
    """The sizes of the heads that witnesses cosigned, whose roots are asked for."""
    heads = [_head(note, ()) for note in section.witnessed]
    return {one.size for one in heads if one is not None}


def check_witnessed(
    section: Section,
    roots: Mapping[int, bytes],
    log: Sequence[NoteVerifier],
    witnesses: Sequence[NoteVerifier],
) -> list[Finding]:
    """Whether the heads that witnesses cosigned are heads of this log, and who vouches how far.

    Args:
        section: of the bundle.
        roots: of the section, by size: of all that `heads_witnessed` gives, as far as there are.
        log: the log's key, if it was given.
        witnesses: their keys, from a source that is trusted, never from the bundle.
    """
    findings: list[Finding] = []
    seen: dict[str, int] = {}
    unnamed: set[str] = set()
    for note in section.witnessed:
        head = _head(note, log)
        if head is None or not _is_of(head, section, roots):
            findings.append(Finding("witnessed_disagrees", {"shard": section.origin}))
            continue
        for witness in witnesses:
            try:
                open_note(note, [witness])
            except BadNote as error:
                if error.reason != "not_signed":
                    facts = {"shard": section.origin, "witness": witness.name}
                    findings.append(Finding("witness_forged", facts))
                continue
            seen[witness.name] = max(seen.get(witness.name, 0), head.size)
        unnamed |= _others(note, [*log, *witnesses])
    findings += _vouching(section.origin, seen)
    if unnamed:
        facts_of: dict[str, int | str] = {"shard": section.origin, "count": len(unnamed)}
        findings.append(Finding("witnesses_unnamed", facts_of))
    return findings


def _vouching(shard: str, seen: dict[str, int]) -> Iterator[Finding]:
    for name, size in sorted(seen.items()):
        yield Finding("witness_vouches", {"shard": shard, "witness": name, "size": size})
    if seen:
        facts: dict[str, int | str] = {
            "shard": shard,
            "count": len(seen),
            "size": min(seen.values()),
        }
        yield Finding("witnesses", facts)


def _head(note: str, log: Sequence[NoteVerifier]) -> Checkpoint | None:
    try:
        return open_signed(note, log) if log else peek(note)
    except LogBroken:
        return None


def _is_of(head: Checkpoint, section: Section, roots: Mapping[int, bytes]) -> bool:
    return head.origin == section.origin and roots.get(head.size) == head.root


def _others(note: str, known: Sequence[NoteVerifier]) -> set[str]:
    """The names in signature lines of keys that were not given."""
    _, lines = split_note(note)
    pairs = {(one.name, one.key_id) for one in known}
    return {name for _, name, key_id, _ in lines if (name, key_id) not in pairs}
