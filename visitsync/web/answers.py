"""What the JSON interface answers with; the pages and the terminal are made of the same.

The service's own values, except where JSON needs names for members or words for codes. A timeline
here holds released fields only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec

from visitsync.consent import Reason
from visitsync.schema.problems import PROBLEMS, sentence
from visitsync.schema.reading import Level
from visitsync.schema.silent import Struct
from visitsync.service.reports import Counts, Mode, Report, Status
from visitsync.service.views import Earlier, Masked, Shown, View
from visitsync.timeline import Gap, Mark
from visitsync.web.language import Language

_FIELDS: Final = msgspec.json.Decoder(dict[str, Any])
_RELEASED: Final = {
    "type": "object",
    "description": "As in the canonical report, as far as it is released.",
}
"""Released fields have no schema of their own: which are there is decided each time."""


class Because(Struct, frozen=True, kw_only=True):
    """Why a category of an entry is shown: the consent by id and version, or the law."""

    category: str
    rule: str
    ref: str


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One visit."""

    record: str
    revision: int
    recorded_at: dt.datetime
    visit: Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema=_RELEASED)]
    """Nested like the canonical report; only the fields that this viewer may see."""
    office_name: str | None
    because: tuple[Because, ...]
    marks: tuple[Mark, ...]
    earlier: tuple[Earlier, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """The members of `visit`."""
        return _FIELDS.decode(self.visit)


class HouseholdTimeline(Struct, frozen=True, kw_only=True):
    """One household's visits as one viewer may see them for one purpose."""

    household: str
    purpose: str
    protected: bool
    """An address shield is in force (住所の保護): whatever is made of this must carry it. Without
    ``Accept-Protected: address`` nothing that tells where they are is in it."""
    at: dt.datetime
    """The instant for which it was decided."""
    entries: tuple[TimelineEntry, ...]
    gaps: tuple[Gap, ...]
    masked: tuple[Masked, ...]
    """Offices that hold records which are not shown; ask them."""
    total: int
    """Entries on all pages together."""
    cursor: str | None
    """Where the next page begins."""


class ToMend(Struct, frozen=True, kw_only=True):
    """Something the office must look at, in the file it handed in."""

    file: str
    row: int | None
    level: Level
    code: str
    column: str | None
    message: str


class RecordLine(Struct, frozen=True, kw_only=True):
    """What became of one record."""

    index: int
    record: str | None
    """The office's own record id."""
    revision: int | None
    status: Status
    codes: tuple[str, ...]
    where: str | None
    messages: tuple[str, ...]


class SubmissionReport(Struct, frozen=True, kw_only=True):
    """What became of a submission."""

    submission: str | None
    """Its id; null where nothing was stored."""
    office: str
    dry_run: bool
    mode: Mode
    recorded_at: dt.datetime
    repeated: bool
    """Whether the same was handed in before, and this is the answer it got then."""
    counts: Counts
    records: tuple[RecordLine, ...]
    problems: tuple[ToMend, ...]
    unread_columns: tuple[str, ...]


class Standing(Struct, frozen=True, kw_only=True):
    """Whether the service runs, or is ready."""

    status: str


def timeline_of(view: View) -> HouseholdTimeline:
    """A view with its reasons by name."""
    return HouseholdTimeline(
        household=view.household,
        purpose=view.purpose,
        protected=view.protected,
        at=view.at,
        entries=tuple(_entry(one) for one in view.entries),
        gaps=view.gaps,
        masked=view.masked,
        total=view.total,
        cursor=view.cursor,
    )


def _entry(shown: Shown) -> TimelineEntry:
    return TimelineEntry(
        record=shown.record,
        revision=shown.revision,
        recorded_at=shown.recorded_at,
        visit=msgspec.Raw(shown.line),
        office_name=shown.office_name,
        because=_because(shown.why),
        marks=shown.marks,
        earlier=shown.earlier,
    )


@lru_cache(maxsize=1024)
def _because(why: tuple[Reason, ...]) -> tuple[Because, ...]:
    return tuple(Because(category=one.category, rule=one.rule, ref=one.ref) for one in why)


def report_of(report: Report, language: Language) -> SubmissionReport:
    """A report with a sentence beside each code."""
    return SubmissionReport(
        submission=report.submission,
        office=report.office,
        dry_run=report.dry_run,
        mode=report.mode,
        recorded_at=report.recorded_at,
        repeated=report.repeated,
        counts=report.counts,
        records=tuple(
            RecordLine(
                index=one.index,
                record=one.record,
                revision=one.revision,
                status=one.status,
                codes=one.codes,
                where=one.where,
                messages=tuple(_said(one.codes, language)),
            )
            for one in report.records
        ),
        problems=tuple(
            ToMend(
                file=one.file,
                row=one.row,
                level=one.level,
                code=one.code,
                column=one.column,
                message=sentence(one, language),
            )
            for one in report.problems
        ),
        unread_columns=report.unread_columns,
    )


def _said(codes: Iterable[str], language: Language) -> Iterable[str]:
    for code in codes:
        words = PROBLEMS[code]
        yield words.ja if language == "ja" else words.en
