"""The household's sheet: what the timeline page shows, made ready for its template.

It is made of released fields alone, so nothing can stand on the page that was not released.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, NamedTuple

from visitsync.schema.silent import silent
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.views import Earlier
from visitsync.timeline import Gap
from visitsync.web.answers import Because, HouseholdTimeline, TimelineEntry
from visitsync.web.language import Language
from visitsync.web.pages.details import Row, ids, rows
from visitsync.web.pages.lanes import Picture, Point, Stretch, draw
from visitsync.web.pages.rendering import TEXTS
from visitsync.web.wareki import wareki

_MIDDAY: Final = dt.time(12)
_MOST_PEOPLE: Final = 8


@silent
class Person(NamedTuple):
    """A member of the household, where identity is visible."""

    role: str
    name: str
    kana: str | None
    born: str | None


@silent
class Other(NamedTuple):
    """Another entry that a flag points to."""

    anchor: str
    title: str


@silent
class Flag(NamedTuple):
    """Something to look at."""

    text: str
    others: tuple[Other, ...]


@silent
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
    """Every reason, with the categories that it shows."""


@silent
class Month(NamedTuple):
    """The entries of a month."""

    first: dt.date
    entries: tuple[Line, ...]


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """All that stands on the page."""

    household: str
    purpose: str
    protected: bool
    people: tuple[Person, ...]
    picture: Picture
    months: tuple[Month, ...]
    masked: tuple[str, ...]
    gaps: tuple[str, ...]
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
        day = dt.date.fromisoformat(str(written))
    except ValueError:
        return None if written is None else str(written)  # only a month or a year is known
    return f"{wareki(day)} ({day})" if language == "ja" else str(day)


def months(lines: Iterable[Line]) -> tuple[Month, ...]:
    """The entries by month, newest month and newest entry first."""
    ordered = sorted(lines, key=lambda one: (one.day, one.times), reverse=True)
    return tuple(
        Month(first, tuple(entries))
        for first, entries in groupby(ordered, key=lambda one: one.day.replace(day=1))
    )


def sheet(timeline: HouseholdTimeline, language: Language) -> Sheet:
    """Arrange a timeline for the reader."""
    spelling = {one.record: _title(one.fields, language) for one in timeline.entries}
    stretches = [
        Stretch(one.program, one.after, one.before, spell_gap(one, language))
        for one in timeline.gaps
    ]
    return Sheet(
        household=timeline.household,
        purpose=timeline.purpose,
        protected=timeline.protected,
        people=people([one.fields for one in timeline.entries], language),
        picture=picture(timeline, language),
        months=months(_line(one, spelling, language) for one in timeline.entries),
        masked=tuple(one.name for one in timeline.masked),
        gaps=tuple(one.title for one in stretches),
        language=language,
    )


def picture(timeline: HouseholdTimeline, language: Language) -> Picture:
    """The picture of a timeline."""
    points = [
        Point(
            _anchor(one.record),
            fields["program"],
            moment(fields),
            fields["outcome"],
            any(mark.kind != "revision_gap" for mark in one.marks),
            _title(fields, language),
        )
        for one in timeline.entries
        for fields in (one.fields,)
    ]
    stretches = [
        Stretch(one.program, one.after, one.before, spell_gap(one, language))
        for one in timeline.gaps
    ]
    return draw(points, stretches, tuple(VOCABULARY.programs))


def spell_gap(gap: Gap, language: Language) -> str:
    """A long interval in words."""
    texts = TEXTS[language]["timeline"]
    days = (gap.before - gap.after).days
    after, before = spell_day(gap.after, language), spell_day(gap.before, language)
    program = program_name(gap.program, language)
    length = f"{days}{'' if language == 'ja' else ' '}{texts['days']}"
    comma = "、" if language == "ja" else ", "
    return f"{program}: {after} {texts['to_word']} {before}{comma}{length}{comma}{texts['gap']}"


def spell_reason(reason: Because, language: Language) -> str:
    """Why something is shown, in words."""
    words = TEXTS[language]["why"]
    ref = reason.ref
    if reason.rule == "C2":
        ref = program_name(ref.removeprefix("program:"), language)
    return words[reason.rule].format(ref=ref) if reason.rule in words else reason.rule


@lru_cache(maxsize=1024)
def spell_reasons(because: tuple[Because, ...], language: Language) -> tuple[str, ...]:
    """Each reason in words, with the kinds of information that it shows.

    Many entries are shown for the same reasons, so they are spelled once.
    """
    words = TEXTS[language]["shows"]
    shown: dict[str, list[str]] = {}
    for one in because:
        kinds = shown.setdefault(spell_reason(one, language), [])
        kinds.append(words.get(one.category, one.category))
    return tuple(f"{reason}: {words['comma'].join(kinds)}" for reason, kinds in shown.items())


def _line(
    entry: TimelineEntry,
    spelling: Mapping[str, str],
    language: Language,
) -> Line:
    texts = TEXTS[language]["timeline"]
    fields = entry.fields
    return Line(
        anchor=_anchor(entry.record),
        program=fields["program"],
        day=day_of(fields),
        times=spell_times(fields, language),
        outcome=fields["outcome"],
        office=entry.office_name or "",
        rows=rows(fields, language),
        ids=ids(fields, language),
        flags=tuple(
            Flag(
                texts[mark.kind],
                tuple(
                    Other(_anchor(other), spelling[other])
                    for other in mark.others
                    if other in spelling
                ),
            )
            for mark in entry.marks
        ),
        revision=_spell_revision(entry.revision, fields, language),
        earlier=tuple(_spell_earlier(one, language) for one in reversed(entry.earlier)),
        why=spell_reasons(entry.because, language),
    )


def _spell_revision(revision: int, fields: Mapping[str, Any], language: Language) -> str:
    texts = TEXTS[language]["timeline"]
    state = fields.get("source", {}).get("state", "active")
    if state == "active":
        return ""
    return f"{texts['revision'].format(n=revision)} ({texts[state]})"


def _spell_earlier(earlier: Earlier, language: Language) -> str:
    texts = TEXTS[language]["timeline"]
    state = f" ({texts[earlier.state]})" if earlier.state in texts else ""
    recorded = spell_day(earlier.recorded_at.astimezone(JST).date(), language)
    return f"{texts['revision'].format(n=earlier.revision)}{state}: {texts['received']} {recorded}"


def _title(fields: Mapping[str, Any], language: Language) -> str:
    outcome = VOCABULARY.outcomes[fields["outcome"]][language]
    said = (
        spell_day(day_of(fields), language),
        spell_times(fields, language),
        program_name(fields["program"], language),
        outcome,
    )
    return " ".join(one for one in said if one)


def _anchor(record: str) -> str:
    return f"v-{record}"
