"""Verify an exported access log from the bundle, a public key and an older checkpoint alone.

Everything is recomputed from the exported bytes. What is found: entries edited, removed, inserted
or moved, an end cut off, a log signed again by another key, time that runs backwards, and, against
an older checkpoint, a log that was rewritten or shows different contents to different people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from visitsync.audit import bundle as bundles
from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.note import NoteVerifier
from visitsync.audit.section import check_section, hashes_of
from visitsync.audit.tree import root_of
from visitsync.audit.verdict import Finding, Verdict
from visitsync.errors import BadParameter, LogBroken


def verify_bundle(data: bytes, key: str | None, since: str | None = None) -> Verdict:
    """What can be said about a bundle. Never raises on content.

    Args:
        data: the bundle's bytes.
        key: the log's public key (vkey), from a source that is trusted, never from the bundle.
        since: a signed checkpoint that was kept from an earlier time; without one, a log that was
            rewritten as a whole and signed again by the same key is not noticed.
    """
    version = bundles.version_of(data)
    if version is None:
        return Verdict(findings=(Finding("not_a_bundle"),))
    if version != bundles.VERSION:
        return Verdict(findings=(Finding("unknown_version", {"version": version}),))
    try:
        sections = bundles.decode(data)
    except LogBroken as error:
        return Verdict(findings=(Finding("damaged", {"line": error.where or ""}),))

    findings = [] if bundles.is_as_exported(data) else [Finding("not_as_exported")]
    verifiers = _verifiers(key, findings)
    older = _older(since, verifiers, findings)
    heads: dict[str, Checkpoint] = {}
    for section in sections:
        head, found = check_section(section, verifiers, heads)
        findings += found
        if head is not None:
            heads[section.origin] = head
    if older is not None:
        findings.append(_against(older, sections, heads, findings))
    notes = (since, *(section.note for section in sections))
    return Verdict(
        findings=tuple(findings),
        entries=sum(len(section.leaves) for section in sections),
        notes=tuple(note for note in notes if note is not None),
    )


def _verifiers(key: str | None, findings: list[Finding]) -> Sequence[NoteVerifier]:
    if key is None:
        findings.append(Finding("no_key"))
        return ()
    try:
        return (NoteVerifier(key.strip()),)
    except BadParameter:
        findings.append(Finding("bad_key"))
        return ()


def _older(
    since: str | None, verifiers: Sequence[NoteVerifier], findings: list[Finding]
) -> Checkpoint | None:
    if since is None:
        findings.append(Finding("no_older"))
        return None
    try:
        return open_signed(since, verifiers) if verifiers else peek(since)
    except LogBroken:
        findings.append(Finding("older_unusable"))
        return None


def _against(
    older: Checkpoint,
    sections: Sequence[bundles.Section],
    heads: Mapping[str, Checkpoint],
    found: Sequence[Finding],
) -> Finding:
    """How the log stands to a checkpoint that was kept."""
    section = next((one for one in sections if one.origin == older.origin), None)
    if section is None:
        return Finding("older_of_another_log", {"shard": older.origin})
    hashes, head = hashes_of(section), heads.get(older.origin)
    facts: dict[str, int | str] = {"shard": older.origin, "size": older.size}
    if older.size > len(hashes) and _is_told(older, found):
        return Finding("lost_in_incident", {**facts, "entries": len(hashes)})
    if older.size > len(hashes):
        return Finding("shorter", {**facts, "entries": len(hashes)})
    if head is not None and head.size == older.size and head.root != older.root:
        return Finding("split_view", facts)
    if root_of(hashes[: older.size]) != older.root:
        return Finding("rewritten", facts)
    return Finding("older_agrees", facts)


def _is_told(older: Checkpoint, found: Sequence[Finding]) -> bool:
    """Whether a later part of the year says that entries of this one, up to there, were lost."""
    return any(
        one.code == "entries_lost"
        and one.facts["before"] == older.origin
        and int(one.facts["lost"]) >= older.size
        for one in found
    )
