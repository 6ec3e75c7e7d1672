"""The form of a layout: how one office's file says what a visit report holds. Data, no code.

A layout is a TOML file for one office, one kind of file and, where the office changed its form, one
range of months. ``docs/layouts.md`` tells how to write one; `layout_file` reads one, strictly.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from visitsync.fields.cells import (
    Code,
    Day,
    FeeForm,
    HealthForm,
    Number,
    Part,
    PersonForm,
    Services,
    Text,
    Time,
    Units,
    VisitorForm,
)
from visitsync.fields.dates import Style

Kind: TypeAlias = Literal["csv", "tsv", "fixed_width", "xlsx", "json", "ndjson"]
Encoding: TypeAlias = Literal["cp932", "utf-8", "utf-8-sig", "utf-16"]
Span: TypeAlias = tuple[int, int]
"""First byte, counted from 1, and width in bytes."""


class FileForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What kind of file it is and where its table stands."""

    kind: Kind
    """``csv`` counts records as a spreadsheet shows them, ``tsv`` (tabs) counts lines;
    ``fixed_width`` is measured in bytes; ``json`` is one document, ``ndjson`` one object a line;
    ``xlsx`` is a workbook."""
    encoding: Encoding = "utf-8"
    """``cp932`` (what Windows calls ANSI), ``utf-8``, ``utf-8-sig`` or ``utf-16``. Declared, never
    guessed; a byte order mark of UTF-8 is taken off. JSON is always UTF-8. Not used for
    ``xlsx``."""
    delimiter: str | None = None
    """Between the cells of ``csv``; a comma unless said otherwise."""
    header_rows: int = 1
    """How many rows the labels take; 0 where the file has none (then give `labels`)."""
    labels: tuple[str, ...] = ()
    """The labels of a file that has none, from the first column."""
    sheet: str | None = None
    """The sheet's name in a workbook; the first that holds the labels unless said otherwise."""
    rows_at: str | None = None
    """``json``: the member that holds the list of records; the document itself unless said."""
    record_length: int | None = None
    """``fixed_width``: bytes of a line without its end."""
    line_ends: bool = True
    """``fixed_width``: whether records are lines."""
    record_type: Span | None = None
    """``fixed_width``: where every line says what it is."""
    header_type: str | None = None
    """What a header record says there."""
    row_type: str | None = None
    """What a visit's (or fee's) record says there."""
    trailer_type: str | None = None
    """What the last record says there; a file without one is incomplete."""
    header_fields: dict[str, Span] = msgspec.field(default_factory=dict)
    """Labels and places in the header record."""
    fields: dict[str, Span] = msgspec.field(default_factory=dict)
    """Labels and places in a row."""
    trailer_fields: dict[str, Span] = msgspec.field(default_factory=dict)
    """Labels and places in the trailer."""
    count: str | None = None
    """The trailer's field that tells how many rows there are."""
    cut_off: tuple[str, ...] = ()
    """Fields that the writing system cuts off at their width, even inside a character."""


class RowForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which rows are visits, and what stands in place of a cell."""

    ditto: tuple[str, ...] = ()
    """Marks that mean: the same as in the row above."""
    total: tuple[str, ...] = ()
    """Rows whose first filled cell begins so, compared as labels are, are sums, not visits; a row
    with a date is none."""
    total_expected: bool = False
    """Whether a file without such a row is incomplete."""
    notes: tuple[str, ...] = ()
    """The row whose first filled cell begins so, compared as labels are, ends the table."""
    ignore: tuple[str, ...] = ()
    """Columns that are known and not carried; any other unread column is reported. In JSON a
    container stands for all that it holds."""
    last_line_ended: bool = False
    """Whether a complete file always ends with a line end: a last line without is then cut off."""


class Place(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where something about the whole file stands, when no label says it."""

    row: int | None = None
    """The row, from 1."""
    cell: int | None = None
    """The cell in that row, from 1."""
    file_name: str | None = None
    """A regular expression found in the file's name; its groups, put together, are the value."""


class TitleForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file says about itself.

    Each member is a label of which the right neighbour says it (``json``: a member of the document,
    ``head.office``; ``fixed_width``: a field of the header record), or a place.
    """

    office_number: str | Place | None = None
    """The office's number; compared with the directory, never trusted."""
    month: str | Place | None = None
    """The month that the file reports."""


class Months(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which months the layout is; needs `title_says.month`."""

    first: str | None = None
    """``2026-04``, inclusive."""
    last: str | None = None
    """``2026-09``, inclusive."""


class VisitForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The visit itself."""

    id: str | Text | None = None
    """The office's own stable id of the visit."""
    id_made_of: tuple[str, ...] = ()
    """Where there is none: what makes one. ``case_no``, ``date``, ``start``, ``end``, ``visitor``
    (the first visitor's id) or labels of columns; joined by ``/`` in their canonical form."""
    revision: str | Number | None = None
    """版; 1 where the file has none."""
    state: str | Code | None = None
    """``active``, ``corrected`` or ``voided``."""
    office_number: str | Text | None = None
    """Where every row names the office; compared, never trusted."""
    case_no: str | Text | None = None
    """The office's number of the household."""
    date: str | Day | None = None
    """The day on which the visit begins."""
    start: str | Time | None = None
    """When it began."""
    end: str | Time | None = None
    """When it ended."""
    time: str | Time | None = None
    """Instead of both: one cell such as 10:00～12:00."""
    overnight: bool = False
    """Whether an end may lie on the next day, written 30:00 or 翌6:00."""
    outcome: str | Code | None = None
    """``done``, ``absent``, ``refused``, ``cancelled_late``, ``cancelled`` or ``not_visited``."""
    basis: str | Code | None = None
    """``application``, ``recommendation`` or ``measure``; application where the file has none."""
    place: str | Code | None = None
    """``home``, ``supporter_home``, ``facility`` or ``accompaniment``. Where the file has none:
    accompaniment if such a service was given, else home."""
    confirmed_by: str | Code | None = None
    """``stamp``, ``signature``, ``ticket`` or ``none``."""
    units: Units | None = None
    """What the office bills."""


class Layout(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole layout file."""

    office: str
    """The office's id in the directory."""
    program: str
    """The program's code; must be that of the office in the directory."""
    title: str
    """What people call this form."""
    holds: Literal["visits", "fees"] = "visits"
    """``fees``: a file of fees that join the visits handed in with it by id and revision."""
    dates: tuple[Style, ...] = ("western",)
    """How dates are written wherever a column does not say otherwise."""
    months: Months | None = None
    """Only where the office changed its form."""
    file: FileForm
    """What kind of file it is."""
    title_says: TitleForm = TitleForm()
    """What the file says about itself."""
    synonyms: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """A label used in this layout, and what else the office's files call that column."""
    rows: RowForm = RowForm()
    """Which rows are visits."""
    visit: VisitForm = VisitForm()
    """The visit itself."""
    person: tuple[PersonForm, ...] = ()
    """The household's members, in the order in which they are reported."""
    visitor: tuple[VisitorForm, ...] = ()
    """Who came, in order."""
    service: tuple[Services, ...] = ()
    """What was done."""
    fee: FeeForm | None = None
    """What was charged."""
    notes: dict[str, str | Text] = msgspec.field(default_factory=dict)
    """Free text by category: ``notes``, ``health``, ``child_protection``, ``contact``."""
    health: dict[str, str | HealthForm] = msgspec.field(default_factory=dict)
    """Structured values, such as ``epds`` (0 to 30) and ``weight_g``."""
