"""Entries of the access log, and what stands out in it, as tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console

from visitsync.cli.terminal import output
from visitsync.schema.visit import JST
from visitsync.service.log_entries import FoundEntry, Who
from visitsync.service.log_statistics import LogStatistics, PersonStatistics

_ENTRIES: Final = ("place", "when (JST)", "kind", "who", "household", "purpose", "decision", "n")
_PEOPLE: Final = ("who", "role")
_FIGURES: Final = {
    "looks": "looks",
    "group_median": "median",
    "times_median": "times",
    "off_hours": "off hours",
    "outside_caseload": "outside",
    "searches": "searches",
    "searches_without_result": "in vain",
    "refused": "refused",
    "emergencies_unreviewed": "unreviewed",
}


def entries(console: Console, found: Iterable[FoundEntry]) -> None:
    """A line for each."""
    console.print(output.table(_ENTRIES, map(_entry, found), figures=1))


def statistics(console: Console, found: LogStatistics) -> None:
    """A line for each person."""
    columns = (*_PEOPLE, *_FIGURES.values())
    console.print(output.table(columns, map(_person, found.people), figures=len(_FIGURES)))


def _entry(one: FoundEntry) -> Sequence[str]:
    household = "(erased)" if one.erased else str((one.private or {}).get("household") or "")
    return (
        f"{one.shard.rpartition('/')[2]}-{one.seq}",
        f"{one.at.astimezone(JST):%Y-%m-%d %H:%M:%S}",
        one.kind,
        _who(one.actor),
        f"{household} 住所の保護" if one.protected else household,
        one.purpose or "",
        one.decision or "",
        "" if one.records is None else str(one.records),
    )


def _who(who: Who) -> str:
    said = who.kind if who.id is None else f"{who.kind}:{who.id}"
    return " ".join(part for part in (said, who.name, who.by and f"by {who.by}") if part)


def _person(one: PersonStatistics) -> Sequence[str]:
    figures = (getattr(one, name) for name in _FIGURES)
    role = " ".join(part for part in (one.agency, *one.roles) if part)
    return (
        " ".join(part for part in (one.actor, one.name) if part),
        role,
        *("" if figure is None else f"{figure:g}" for figure in figures),
    )
