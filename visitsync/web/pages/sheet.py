"""The household's sheet: what the timeline page shows, made ready for its template.

It is made of released fields alone, so nothing can stand on the page that was not released.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web.language import Language
from visitsync.web.pages.details import Row
from visitsync.web.pages.lanes import Picture, Point, Stretch, draw
from visitsync.web.pages.rendering import TEXTS
from visitsync.web.wareki import wareki

_MIDDAY: Final = dt.time(12)
_MOST_PEOPLE: Final = 8


class Person(NamedTuple):
    """A member of the household, where identity is visible."""

    role: str
    name: str
    kana: str | None
    born: str | None


class Other(NamedTuple):
    """Another entry that a flag points to."""

    anchor: str
    title: str


class Flag(NamedTuple):
    """Something to look at."""

    text: str
    others: tuple[Other, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of the list."""

    anchor: str
    program: str
    day: dt.date
    times: str
    outcome: str
    office: str
    rows: tuple[Row, ...]
    ids: str
    flags: tuple[Flag, ...]
    revision: str
    earlier: tuple[str, ...]
    why: tuple[str, ...]


class Month(NamedTuple):
    """The entries of a month."""

    first: dt.date
    entries: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that stands on the page."""

    household: str
    purpose: str
    people: tuple[Person, ...]
    picture: Picture
    months: tuple[Month, ...]
    masked: tuple[str, ...]
    gaps: tuple[str, ...]
    next_page: str | None
    language: Language

    def program_name(self, code: str) -> str:
        """A program as people call it; one that this release does not know by its code."""
        return program_name(code, self.language)


def program_name(code: str, language: Language) -> str:
    """A program as people call it; one that this release does not know by its code."""
    return VOCABULARY.programs.get(code, {}).get(language, code)


def spell_day(day: dt.date, language: Language) -> str:
    """A day as the reader writes it; in Japanese with the era."""
    return wareki(day) if language == "ja" else day.isoformat()


def spell_times(fields: Mapping[str, Any], language: Language) -> str:
    """From when to when, in Japanese time; empty where no time is known."""
    start, end = instant(fields.get("start")), instant(fields.get("end"))
    if start is None:
        return ""
    if end is None:
        return f"{start:%H:%M}–"
    overnight = TEXTS[language]["timeline"]["overnight"] if end.date() > start.date() else ""
    return f"{start:%H:%M}–{overnight}{end:%H:%M}"


def instant(value: object) -> dt.datetime | None:
    """A time of released fields, which may be written or not yet."""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return value.astimezone(JST) if isinstance(value, dt.datetime) else None


def day_of(fields: Mapping[str, Any]) -> dt.date:
    """The day of a visit."""
    value = fields["date"]
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def moment(fields: Mapping[str, Any]) -> dt.datetime:
    """Where a visit stands on the line of time; midday where only its day is known."""
    return instant(fields.get("start")) or dt.datetime.combine(day_of(fields), _MIDDAY, JST)


def people(visits: Sequence[Mapping[str, Any]], language: Language) -> tuple[Person, ...]:
    """The household's members by the names that the newest visits give them.

    Offices write one name in several ways; only equal ones are taken together, because telling who
    is who is the link desk's work and not this page's.
    """
    for fields in sorted(visits, key=moment, reverse=True):
        named = [one for one in fields.get("persons") or () if one.get("name")]
        if named:
            return tuple(
                Person(one["role"], one["name"], one.get("kana"), _born(one, language))
                for one in named[:_MOST_PEOPLE]
            )
    return ()


def _born(person: Mapping[str, Any], language: Language) -> str | None:
    written = person.get("birth_date")
    try:
        return spell_day(dt.date.fromisoformat(str(written)), language)
    except ValueError:
        return None if written is None else str(written)


def months(lines: Iterable[Line]) -> tuple[Month, ...]:
    """The entries by month, newest month and newest entry first."""
    ordered = sorted(lines, key=lambda one: (one.day, one.times), reverse=True)
    return tuple(
        Month(first, tuple(entries))
        for first, entries in groupby(ordered, key=lambda one: one.day.replace(day=1))
    )


def picture(
    visits: Iterable[tuple[str, Mapping[str, Any], bool]],
    stretches: Iterable[Stretch],
    language: Language,
) -> Picture:
    """The picture of `visits`: anchor, released fields, and whether it overlaps another."""
    points = []
    for anchor, fields, overlaps in visits:
        outcome = VOCABULARY.outcomes[fields["outcome"]][language]
        said = f"{spell_day(day_of(fields), language)} {spell_times(fields, language)} {outcome}"
        title = " ".join(said.split())
        points.append(
            Point(anchor, fields["program"], moment(fields), fields["outcome"], overlaps, title)
        )
    return draw(points, stretches, tuple(VOCABULARY.programs))
