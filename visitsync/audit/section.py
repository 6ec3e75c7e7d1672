"""Check one fiscal year of a bundle: its checkpoint, its tree, its entries and its first leaf."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from visitsync.audit import shards
from visitsync.audit.bundle import Section
from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.entry import (
    INCIDENT,
    PRIVATE_LABEL,
    VERSION,
    YEAR_OPENED,
    LogEntry,
    commitment,
    read,
    version_of,
)
from visitsync.audit.note import NoteVerifier
from visitsync.audit.tree import Frontier, leaf_hash
from visitsync.audit.verdict import Finding
from visitsync.errors import BadNote, LogBroken
from visitsync.schema.silent import silent


@silent
class Checked(NamedTuple):
    """What a year is found to be."""

    head: Checkpoint | None
    """Its checkpoint, if it can be read."""
    size: int
    """How many entries it has in the bundle."""
    roots: Mapping[int, bytes]
    """By size, of those that were asked for and that it has."""
    findings: tuple[Finding, ...]


def check_section(
    section: Section,
    verifiers: Sequence[NoteVerifier],
    earlier: Mapping[str, Checkpoint],
    sizes: Collection[int] = (),
) -> Checked:
    """What is found about one year; each of its lines is looked at once and not kept.

    Args:
        section: the year.
        verifiers: the log's key; empty if none is known, then signatures are not checked.
        earlier: the checkpoints of the years before it in the bundle, by origin.
        sizes: of which older sizes the root is asked for.

    Raises:
        LogBroken: the file changes while it is read.
    """
    check = _Check(section, verifiers, earlier)
    checkpoint = check.head()
    tree = _Tree(sizes)
    for hashed in section.before:
        tree.append(hashed)
    check.entries(tree)
    for hashed in section.after:
        tree.append(hashed)
    if checkpoint is not None:
        check.tree(checkpoint, tree.frontier)
    return Checked(checkpoint, tree.frontier.size, tree.roots, tuple(check.found.values()))


class _Tree:
    """The tree of a year, and its roots as they were at older sizes."""

    def __init__(self, sizes: Collection[int]) -> None:
        self.frontier = Frontier()
        self.sizes = sizes
        self.roots = {0: self.frontier.root()} if 0 in sizes else {}

    def append(self, hashed: bytes) -> None:
        self.frontier.append(hashed)
        if self.frontier.size in self.sizes:
            self.roots[self.frontier.size] = self.frontier.root()


class _Check:
    """The findings about one year; of each kind only the first, from which the others follow."""

    def __init__(
        self, section: Section, verifiers: Sequence[NoteVerifier], earlier: Mapping[str, Checkpoint]
    ) -> None:
        self.section = section
        self.verifiers = verifiers
        self.earlier = earlier
        self.found: dict[str, Finding] = {}
        self.start, self.end = _bounds(section.origin)

    def note(self, code: str, **facts: int | str) -> None:
        self.found.setdefault(code, Finding(code, {"shard": self.section.origin, **facts}))

    def head(self) -> Checkpoint | None:
        """The checkpoint, even if its signature is not good, as long as it can be read."""
        try:
            checkpoint = peek(self.section.note)
        except BadNote:
            self.note("bad_checkpoint")
            return None
        if checkpoint.origin != self.section.origin or not self.start:
            self.note("bad_checkpoint")
        if not all(_follows(self.section.origin, one) for one in self.earlier):
            self.note("years_out_of_order")
        try:
            if self.verifiers:
                open_signed(self.section.note, self.verifiers)
        except BadNote as error:
            self.note("wrong_signature" if error.reason == "wrong_signature" else "not_signed")
        return checkpoint

    def tree(self, checkpoint: Checkpoint, found: Frontier) -> None:
        """The entries against the signed root."""
        section = self.section
        if found.size != checkpoint.size:
            self.note("wrong_count", size=checkpoint.size, entries=found.size)
        elif found.root() != checkpoint.root:
            if "altered" not in self.found:  # which says more
                self.note("wrong_root")
        elif self.verifiers and self.found.keys() <= {"entries_lost"}:
            self.note(
                "whole",
                size=found.size,
                entries=len(section.leaves),
                first=len(section.before),
                signer=self.verifiers[0].name,
            )

    def entries(self, tree: _Tree) -> None:
        """Each entry by itself, and against the one before it; its hash goes to the tree."""
        opened = {part.place: part for part in self.section.opened}
        earliest = self.start
        for place, stored in enumerate(self.section.leaves, start=len(self.section.before)):
            hashed = leaf_hash(stored.line)
            tree.append(hashed)
            if hashed != stored.hashed:
                self.note("altered", entry=place)
            try:
                entry = read(stored.line)
            except LogBroken:
                foreign = version_of(stored.line) not in {None, VERSION}
                self.note("unknown_entry_version" if foreign else "not_canonical", entry=place)
                continue
            if entry.seq != place:
                self.note("wrong_place", entry=place, seq=entry.seq)
            if entry.shard != self.section.origin:
                self.note("wrong_shard", entry=place)
            if not self.start <= entry.time < self.end:
                self.note("outside_year", entry=place)
            elif entry.time < earliest:
                self.note("time_backwards", entry=place)
            earliest = max(earliest, entry.time)
            self._opening(place, entry)
            part = opened.pop(place, None)
            if part and entry.pc != commitment(PRIVATE_LABEL, part.salt, part.private):
                self.note("bad_disclosure", entry=place)
        for place in opened:  # disclosed, but of no entry that can be read here
            self.note("bad_disclosure", entry=place)

    def _opening(self, place: int, entry: LogEntry) -> None:
        """The year's first entry opens it, and no other does."""
        is_part = _is_part(self.section.origin)
        if place > 0:
            if entry.kind in {YEAR_OPENED, INCIDENT} or entry.previous or entry.restored:
                self.note("bad_opening", entry=place)
        elif entry.kind != (INCIDENT if is_part else YEAR_OPENED) or is_part != bool(
            entry.restored
        ):
            self.note("bad_opening", entry=place)
        elif entry.restored is not None:
            self._lost(entry.restored, entry.previous)
        elif entry.previous is not None:
            self._previous(entry.previous)
        elif self.earlier:
            self.note("years_disagree")

    def _lost(self, restored: str, lost: str | None) -> None:
        """The link past an incident: the section before was put back; what was lost is told."""
        self._previous(restored)
        closed = self._closed(restored)
        gone = None if lost is None else self._closed(lost)
        if closed is None or (lost is not None and gone is None):
            return
        self.note(
            "entries_lost",
            size=closed.size,
            lost=-1 if gone is None else gone.size,
            before=closed.origin,
        )

    def _closed(self, note: str) -> Checkpoint | None:
        """The checkpoint of an earlier year, or part of one."""
        try:
            closed = open_signed(note, self.verifiers) if self.verifiers else peek(note)
            shards.check_precedes(closed, self.section.origin)
        except LogBroken:
            self.note("bad_previous")
            return None
        return closed

    def _previous(self, note: str) -> None:
        """The link to the year before."""
        closed = self._closed(note)
        if closed is None:
            return
        held = self.earlier.get(closed.origin)
        # A year later than the closed one would have had to be closed in its stead.
        if held not in {None, closed} or any(one > closed.origin for one in self.earlier):
            self.note("years_disagree")


def _bounds(origin: str) -> tuple[str, str]:
    """The first instant of the year, and the first after it; nothing falls in no year."""
    try:
        return shards.bounds(shards.split(origin)[1])
    except LogBroken:
        return "", ""


def _is_part(origin: str) -> bool:
    """Whether an origin is of another part of a year than the first."""
    try:
        return shards.order(origin)[2] > 1
    except LogBroken:
        return False


def _follows(origin: str, earlier: str) -> bool:
    """Whether one origin is of a later year of the same municipality's log than another."""
    try:
        (name, *at), (of, *before) = shards.order(origin), shards.order(earlier)
    except LogBroken:
        return False
    return name == of and at > before
