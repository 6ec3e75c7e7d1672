"""Verify an exported access log from the bundle, a public key and an older checkpoint alone.

Everything is recomputed from the exported bytes. What is found: entries edited, removed, inserted
or moved, an end cut off, a log signed again by another key, time that runs backwards, and, against
an older checkpoint, a log that was rewritten or shows different contents to different people.
Nothing grows with the log: a year of millions of entries needs no more memory than a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import BinaryIO

from visitsync.audit import bundle_reading
from visitsync.audit.bundle import VERSION
from visitsync.audit.checkpoint import Checkpoint
from visitsync.audit.note import NoteVerifier
from visitsync.audit.older import read_older
from visitsync.audit.section import Checked, check_section
from visitsync.audit.verdict import Finding, Verdict
from visitsync.audit.witnessed import (
    check_witnessed,
    contradicting,
    heads_witnessed,
    verifiers_of,
)
from visitsync.errors import BadParameter, LogBroken


def verify_bundle(
    data: bytes | BinaryIO, key: str | None, since: str | None = None, witnesses: Sequence[str] = ()
) -> Verdict:
    """What can be said about a bundle. Never raises on content.

    Args:
        data: the bundle's bytes, or the file that holds them, opened to be read.
        key: the log's public key (vkey), from a source that is trusted, never from the bundle.
        since: a checkpoint that was kept from an earlier time, signed or typed; without one, a log
            that was rewritten as a whole and signed again by the same key is not noticed.
        witnesses: public keys of witnesses, from a source that is trusted.
    """
    source = BytesIO(data) if isinstance(data, bytes) else data
    version = bundle_reading.version_of(source)
    if version is None:
        return Verdict(findings=(Finding("not_a_bundle"),))
    if version != VERSION:
        return Verdict(findings=(Finding("unknown_version", {"version": version}),))
    try:
        return _verify(bundle_reading.decode(source), key, since, witnesses)
    except LogBroken as error:
        return Verdict(findings=(Finding("damaged", {"line": error.where or ""}),))


def _verify(
    bundle: bundle_reading.Bundle, key: str | None, since: str | None, witnesses: Sequence[str]
) -> Verdict:
    findings = [] if bundle.as_exported else [Finding("not_as_exported")]
    verifiers = _verifiers(key, findings)
    older = _older(since, verifiers, findings)
    named = verifiers_of(witnesses)
    if named is None:
        findings.append(Finding("bad_witness_key"))
    heads: dict[str, Checkpoint] = {}
    years: dict[str, Checked] = {}
    for section in bundle.sections:
        sizes = heads_witnessed(section)
        if older is not None and older.origin == section.origin:
            sizes |= {older.size}
        year = check_section(section, verifiers, heads, sizes)
        findings += year.findings
        findings += check_witnessed(section, year.roots, verifiers, named or ())
        years.setdefault(section.origin, year)
        if year.head is not None:
            heads[section.origin] = year.head
    vouching = {one.facts["witness"] for one in findings if one.code == "witness_vouches"}
    findings += [
        Finding("witness_absent", {"witness": one.name})
        for one in named or ()
        if one.name not in vouching
    ]
    if older is not None:
        findings.append(_against(older, years.get(older.origin), findings))
    notes = [since]
    for section in bundle.sections:
        # A cosigned head that contradicts the log is the proof against whoever signed both.
        notes += [*contradicting(section, years[section.origin].roots, verifiers), section.note]
    return Verdict(
        findings=tuple(findings),
        entries=sum(len(section.leaves) for section in bundle.sections),
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
    older, said = read_older(since, verifiers)
    findings += said
    return older


def _against(older: Checkpoint, year: Checked | None, found: Sequence[Finding]) -> Finding:
    """How the log stands to a checkpoint that was kept."""
    if year is None:
        return Finding("older_of_another_log", {"shard": older.origin})
    facts: dict[str, int | str] = {"shard": older.origin, "size": older.size}
    if older.size > year.size and _is_told(older, found):
        return Finding("lost_in_incident", {**facts, "entries": year.size})
    if older.size > year.size:
        return Finding("shorter", {**facts, "entries": year.size})
    if year.head is not None and year.head.size == older.size and year.head.root != older.root:
        return Finding("split_view", facts)
    if year.roots.get(older.size) != older.root:
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
