"""Many offices' reports of one household, as one timeline. Nothing that came in is dropped."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from visitsync.schema.visit import JST
from visitsync.timeline.clashes import Presence, clashes
from visitsync.timeline.entries import (
    MARK_ORDER,
    Entry,
    Mark,
    MarkKind,
    Reported,
    Timeline,
)
from visitsync.timeline.gaps import gaps


def merge(reported: Iterable[Reported]) -> Timeline:
    """All reported revisions of one household as one timeline.

    The order in which they come does not matter, nor that one comes twice. Of each record the
    highest revision is current; should two offices' files have given one revision twice with
    different content, the later stored one, then the one whose bytes sort last. Entries stand in
    order of time; visits without a time after the others of their day.

    Marks and gaps are worked out from what belongs to attendance only (program, office, date,
    times, outcome, state), so whoever may see that a visit happened may see them. Hand in only
    records that the viewer may see: then nothing hidden can show through a mark or a gap.
    """
    revisions = _by_record(reported)
    entries = [
        Entry(record=record, current=known[-1], earlier=tuple(known[:-1]), marks=())
        for record, known in revisions.items()
    ]
    met = clashes(_presence(entry) for entry in entries if not entry.is_voided)
    marked = (
        msgspec.structs.replace(entry, marks=marks)
        if (marks := _marks(entry, met.get(entry.record, {})))
        else entry
        for entry in entries
    )
    return Timeline(
        entries=tuple(sorted(marked, key=_place)),
        gaps=gaps((e.current.visit.program, e.current.visit.date) for e in entries if e.took_place),
    )


def _by_record(reported: Iterable[Reported]) -> Mapping[str, Sequence[Reported]]:
    """Every distinct revision by record, the current one last."""
    found: dict[str, list[Reported]] = defaultdict(list)
    for one in reported:
        known = found[one.record]
        if one not in known:
            known.append(one)
    for known in found.values():
        if len(known) > 1:
            known.sort(key=lambda one: (one.revision, one.recorded_at, one.line))
    return found


def _presence(entry: Entry) -> Presence:
    visit = entry.current.visit
    return Presence(
        record=entry.record,
        program=visit.program,
        office=visit.source.office,
        date=visit.date,
        outcome=visit.outcome,
        start=visit.start,
        end=visit.end,
    )


def _marks(entry: Entry, met: Mapping[MarkKind, frozenset[str]]) -> tuple[Mark, ...]:
    marks = {kind: Mark(kind=kind, others=tuple(sorted(others))) for kind, others in met.items()}
    highest = entry.current.revision
    if highest > 1 and len({one.revision for one in (*entry.earlier, entry.current)}) < highest:
        marks["revision_gap"] = Mark(kind="revision_gap")
    return tuple(marks[kind] for kind in MARK_ORDER if kind in marks)


def _place(entry: Entry) -> tuple[dt.date, bool, dt.datetime, str, str, str]:
    visit = entry.current.visit
    at = visit.start or dt.datetime.combine(visit.date, dt.time.min, JST)
    return visit.date, visit.start is None, at, visit.program, visit.source.office, entry.record
