"""The parts of a report that a row says: revision, state, times, fee, health values, record id."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from visitsync.fields.cells import (
    Code,
    FeeForm,
    HealthForm,
    Number,
    as_code,
    as_health,
    as_number,
    as_text,
    as_time,
)
from visitsync.fields.layout import Layout, VisitForm
from visitsync.fields.numbers import count
from visitsync.fields.slots import Cells, Faults, Read, Slots, label_of, remembering
from visitsync.fields.times import DAY, clock
from visitsync.schema.visit import JST, Fee, State, Visitor

MOST_REVISIONS: Final = 9999


class Times(NamedTuple):
    """Planned or actual times in minutes from the midnight on which the visit's day begins."""

    start: int | None
    end: int | None

    def actual(self, date: dt.date) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The moments on and after `date`, in Japanese time."""
        midnight = dt.datetime(date.year, date.month, date.day, tzinfo=JST)
        start, end = (
            None if minutes is None else midnight + dt.timedelta(minutes=minutes)
            for minutes in self
        )
        return start, end


def times_reader(visit: VisitForm, slots: Slots) -> Read[Times]:
    """Start and end, from one cell or two; an end before the start is a fault."""
    overnight = visit.overnight
    if visit.time is not None:
        both = slots.range(as_time(visit.time), overnight=overnight)
        start_of, end_of = None, None
    else:
        both = None
        start_of = (
            None if visit.start is None else slots.time(as_time(visit.start), overnight=False)
        )
        end_of = None if visit.end is None else slots.time(as_time(visit.end), overnight=overnight)
    start_column, end_column = _label(visit, "start"), _label(visit, "end")

    def read(cells: Cells, faults: Faults) -> Times:
        if both is not None:
            start, end = both(cells, faults) or (None, None)
        else:
            start = None if start_of is None else start_of(cells, faults)
            end = None if end_of is None else end_of(cells, faults)
        if start == DAY:
            # 24:00 ends a day; what begins then begins on the next.
            faults.append(("bad_time", start_column))
        elif start is not None and end is not None and end < start:
            faults.append(("end_before_start", end_column))
        return Times(start, end)

    return read


def _label(visit: VisitForm, member: Literal["start", "end"]) -> str:
    """The label of the column that says when a visit begins or ends."""
    binding = visit.time or getattr(visit, member)
    return "" if binding is None else label_of(as_time(binding))


def revision_reader(given: str | Number | None, slots: Slots) -> Read[int | None]:
    """The revision, 1 where the file has none; anything but a number from 1 is ``bad_revision``."""
    if given is None or slots.index(as_number(given).column) is None:
        return lambda _cells, _faults: 1
    binding = as_number(given)
    cell, empty, label = slots.cell(binding.column), binding.empty, label_of(binding)
    number = remembering(lambda text: count(text, binding.suffixes))

    def read(cells: Cells, faults: Faults) -> int | None:
        text = cell(cells)
        revision = number(text) if text else empty
        if not isinstance(revision, int) or not 1 <= revision <= MOST_REVISIONS:
            faults.append(("bad_revision", label))
            return None
        return revision

    return read


StateOf: TypeAlias = Callable[[Cells, Faults, int | None], State]


def state_reader(given: str | Code | None, slots: Slots) -> StateOf:
    """What a revision says. Where no column tells, the first is active and later ones corrected."""
    code = None if given is None else as_code(given)
    if code is None or (code.column is not None and slots.index(code.column) is None):
        return lambda _cells, _faults, revision: "active" if revision == 1 else "corrected"
    read, label = slots.code(code, "unknown_state"), label_of(code)

    def of(cells: Cells, faults: Faults, _revision: int | None) -> State:
        before = len(faults)
        state = read(cells, faults)
        match state:
            case "active" | "corrected" | "voided":
                return state
            case _:
                if len(faults) == before:
                    faults.append(("unknown_state", label))
                return "active"

    return of


def code_reader(given: str | Code | None, slots: Slots, known: Sequence[str]) -> Read[str | None]:
    """A word of the vocabulary, or None where the file or the cell says nothing."""
    if given is None:
        return lambda _cells, _faults: None
    code = as_code(given)
    read, label = slots.code(code, "unknown_code"), label_of(code)

    def of(cells: Cells, faults: Faults) -> str | None:
        word = read(cells, faults)
        if word is not None and word not in known:
            faults.append(("unknown_code", label))
            return None
        return word

    return of


def fee_reader(form: FeeForm | None, slots: Slots) -> Read[Fee | None]:
    """The fee; None where its class is empty."""
    if form is None:
        return lambda _cells, _faults: None
    class_of = slots.code(form.class_, "unknown_fee_class")
    amounts = [
        None if given is None else slots.yen(as_number(given))
        for given in (form.charged, form.waived, form.expenses)
    ]

    def read(cells: Cells, faults: Faults) -> Fee | None:
        fee_class = class_of(cells, faults)
        charged, waived, expenses = (
            0 if amount is None else amount(cells, faults) or 0 for amount in amounts
        )
        if fee_class is None:
            return None
        return Fee(class_=fee_class, charged=charged, waived=waived, expenses=expenses)

    return read


def health_readers(
    forms: Mapping[str, str | HealthForm], slots: Slots
) -> Iterator[tuple[str, Read[int | str | None]]]:
    """By the name of each health value what reads it."""
    for key, given in forms.items():
        form = as_health(given)
        yield key, slots.count(form) if form.kind == "number" else _text(slots.cell(form.column))


def _text(cell: Callable[[Cells], str]) -> Read[int | str | None]:
    return lambda cells, _faults: cell(cells) or None


class RecordId:
    """The office's stable id of a visit, as it stands or made of canonical values.

    So that the same visit keeps its id when the office types its date another way, dates are
    ``YYYY-MM-DD`` and times ``HH:MM``, the planned one if the visit did not take place.
    """

    def __init__(self, layout: Layout, slots: Slots) -> None:
        self._layout = layout
        self._id = None if layout.visit.id is None else slots.text(as_text(layout.visit.id))
        self._columns = {
            name: slots.cell(name)
            for name in layout.visit.id_made_of
            if name not in {"case_no", "date", "start", "end", "visitor"}
        }

    def as_it_stands(self, cells: Cells, faults: Faults) -> str | None:
        """The id that the file holds; None where the layout makes one of columns."""
        if self._id is None:
            return None
        record_id = self._id(cells)
        if not record_id:
            faults.append(("missing_id", label_of(as_text(self._layout.visit.id or ""))))
        return record_id

    def made(
        self,
        cells: Cells,
        values: Mapping[str, object],
        visitors: Sequence[Visitor],
        faults: Faults,
    ) -> str:
        """The id made of columns.

        Args:
            cells: of the row.
            values: ``case_no``, ``date``, ``start`` and ``end`` as read.
            visitors: of the visit; the first one's id may be part of the id.
            faults: are added to where a part is empty.
        """
        parts = []
        for name in self._layout.visit.id_made_of:
            match values.get(name):
                case dt.date() as date:
                    part = date.isoformat()
                case int() as minutes:
                    part = clock(minutes)
                case str() as text:
                    part = text
                case _ if name == "visitor":
                    part = (visitors[0].id or "") if visitors else ""
                case _:
                    part = self._columns[name](cells) if name in self._columns else ""
            if not part:
                faults.append(("missing_id", self._label(name)))
            parts.append(part)
        return "/".join(parts)

    def _label(self, name: str) -> str:
        visit = self._layout.visit
        match name:
            case "case_no":
                return label_of(as_text(visit.case_no or ""))
            case "start" | "end":
                return label_of(as_time(visit.time or getattr(visit, name) or ""))
            case "visitor":
                forms = self._layout.visitor
                return label_of(as_text(forms[0].id or "")) if forms else ""
            case _:
                return name


def fault_of(where: str, layout: Layout) -> tuple[str, str]:
    """A contradiction that only the whole report shows, as the problem of a column."""
    if where.startswith("health."):
        binding = layout.health[where.removeprefix("health.")]
        return "out_of_range", binding if isinstance(binding, str) else binding.column
    if where.startswith("units"):
        return "bad_number", "" if layout.visit.units is None else layout.visit.units.column
    if where in {"start", "end"}:
        # All that can be left is an end without a start.
        return "bad_time", _label(layout.visit, "start")
    return "not_canonical", where
