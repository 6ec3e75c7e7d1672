"""From a row of labelled cells to a canonical visit report, or to what is wrong with the row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final, NamedTuple, cast

from visitsync.errors import RecordError
from visitsync.fields.bindings import bindings, columns_of
from visitsync.fields.cells import Text, as_code, as_day, as_text
from visitsync.fields.dates import BadCell, month_of
from visitsync.fields.labels import Labels
from visitsync.fields.parts import (
    RecordId,
    code_reader,
    fault_of,
    fee_reader,
    health_readers,
    revision_reader,
    state_reader,
    times_reader,
)
from visitsync.fields.people import first_label, persons_reader, visitors_reader
from visitsync.fields.service_marks import services_reader
from visitsync.fields.slots import Cells, Faults, Slots, label_of
from visitsync.fields.table import Row, Table
from visitsync.fields.text import ITEM_MARK, fold, looks, suspicious
from visitsync.schema.directory import Office
from visitsync.schema.silent import silent
from visitsync.schema.visit import (
    TOOK_PLACE,
    Confirmation,
    Person,
    Source,
    Units,
    Visit,
    Visitor,
)
from visitsync.schema.vocabulary import VOCABULARY

_APPLICANTS: Final = ("guardian", "widow")
_CONFIRMATIONS: Final = ("stamp", "signature", "ticket", "none")


@silent
class Outcome(NamedTuple):
    """What became of a row: a visit with warnings, or no visit and why."""

    visit: Visit | None
    faults: Faults
    """Problem codes with their columns; they warn where there is a visit, else they reject."""


def slots_of(table: Table) -> Slots:
    """The bindings of the table's layout, ready to be resolved."""
    return Slots(
        Labels(table.labels, table.layout.synonyms),
        table.layout.dates,
        table.says,
        None if table.month is None else month_of(table.month),
    )


class RowReader:
    """Reads the rows of one table as visits. Made once for a table; a row is then quick.

    Args:
        table: of which the layout holds visits.
        office: that handed it in.
        needs_applicant: whether a visit without guardian or widow is incomplete.
    """

    def __init__(self, table: Table, office: Office, *, needs_applicant: bool) -> None:
        layout, visit, slots = table.layout, table.layout.visit, slots_of(table)
        self._layout, self._office, self._file = layout, office, table.file
        self._needs_applicant = needs_applicant
        self._first_sight = FirstSight(table, office)
        self._case_no = slots.text(as_text(visit.case_no or ""))
        day, outcome = as_day(visit.date or ""), as_code(visit.outcome or "")
        self._date_text, self._date, self._date_label = (
            slots.text(day),
            slots.day(day),
            label_of(day),
        )
        self._outcome, self._outcome_label = (
            slots.code(outcome, "unknown_outcome"),
            label_of(outcome),
        )
        self._times = times_reader(visit, slots)
        self._revision = revision_reader(visit.revision, slots)
        self._state = state_reader(visit.state, slots)
        self._basis = code_reader(visit.basis, slots, tuple(VOCABULARY.bases))
        self._place = code_reader(visit.place, slots, tuple(VOCABULARY.places))
        self._confirmed = code_reader(visit.confirmed_by, slots, _CONFIRMATIONS)
        self._quantity = None if visit.units is None else slots.quantity(visit.units)
        self._fee = fee_reader(layout.fee, slots)
        self._notes = [(key, slots.text(as_text(text))) for key, text in layout.notes.items()]
        self._health = list(health_readers(layout.health, slots))
        self._id = RecordId(layout, slots)
        self._services = services_reader(layout.service, slots)
        self._visitors = [visitors_reader(form, slots) for form in layout.visitor]
        self._persons = [
            (persons_reader(form, slots), first_label([form], "birth_date"))
            for form in layout.person
        ]
        self._name_label = first_label(layout.person, "name") or ""

    def read(self, row: Row) -> Outcome:
        """What `row` says. Total: any cells give an outcome."""
        faults, warnings = self._first_sight.of(row.cells)
        if not faults:
            visit = self._visit(row, faults)
            if visit is not None:
                return Outcome(visit, warnings)
        return Outcome(None, list(dict.fromkeys(faults)))

    def _visit(self, row: Row, faults: Faults) -> Visit | None:
        cells = row.cells
        date = self._day(cells, faults)
        outcome = self._what_became_of_it(cells, faults)
        times = self._times(cells, faults)
        revision = self._revision(cells, faults)
        state = self._state(cells, faults, revision)
        case_no = self._case_no(cells)
        persons = self._people(cells, date, faults)
        visitors: tuple[Visitor, ...] = ()
        for group in self._visitors:
            visitors += group(cells, faults)
        services = self._services(cells, faults)
        place = self._place(cells, faults) or self._place_by(services)
        units = self._units(cells, faults)
        fee = self._fee(cells, faults)
        basis = self._basis(cells, faults) or "application"
        confirmed = self._confirmed(cells, faults) or "none"
        health = {key: v for key, of in self._health if (v := of(cells, faults)) is not None}
        record_id = self._id.as_it_stands(cells, faults)
        if faults or date is None or outcome is None or revision is None:
            return None
        if record_id is None:
            values = {"case_no": case_no, "date": date, "start": times.start, "end": times.end}
            record_id = self._id.made(cells, values, visitors, faults)
            if faults:
                return None
        start, end = times.actual(date) if outcome in TOOK_PLACE else (None, None)
        try:
            return Visit(
                program=self._office.program,
                source=Source(
                    office=self._office.id,
                    record_id=record_id,
                    revision=revision,
                    state=state,
                    local_program=self._office.local_program,
                    file=self._file,
                    row=row.number,
                ),
                case_no=case_no or None,
                persons=persons,
                basis=basis,
                outcome=outcome,
                start=start,
                end=end,
                date=date,
                place=place,
                visitors=visitors,
                services=services,
                units=units,
                fee=fee,
                notes={key: text for key, of in self._notes if (text := of(cells))},
                health=health,
                confirmed_by=cast("Confirmation", confirmed),
            )
        except RecordError as error:
            faults.append(fault_of(error.where or "", self._layout))
            return None

    def _day(self, cells: Cells, faults: Faults) -> dt.date | None:
        date = self._date(self._date_text(cells))
        if isinstance(date, BadCell):
            faults.append((date.code, self._date_label))
            return None
        return date

    def _what_became_of_it(self, cells: Cells, faults: Faults) -> str | None:
        before = len(faults)
        outcome = self._outcome(cells, faults)
        if len(faults) == before and outcome not in VOCABULARY.outcomes:
            faults.append(("unknown_outcome", self._outcome_label))
        return outcome

    def _people(self, cells: Cells, date: dt.date | None, faults: Faults) -> tuple[Person, ...]:
        before = len(faults)
        people: tuple[Person, ...] = ()
        day = "" if date is None else date.isoformat()
        for group, birth_label in self._persons:
            own = group(cells, faults)
            people += own
            if day and any(p.birth_date is not None and p.birth_date > day for p in own):
                faults.append(("birth_in_future", birth_label or ""))
        applicants = [person for person in people if person.role in _APPLICANTS]
        if any(person.name is None for person in applicants) or (
            self._needs_applicant and not applicants and len(faults) == before
        ):
            faults.append(("missing_name", self._name_label))
        return people

    def _place_by(self, services: tuple[str, ...]) -> str:
        """Where no column tells the place, somebody who was accompanied was not at home."""
        if self._layout.visit.place is None and any(
            service.startswith("accompaniment.") for service in services
        ):
            return "accompaniment"
        return "home"

    def _units(self, cells: Cells, faults: Faults) -> Units | None:
        if self._quantity is None or self._layout.visit.units is None:
            return None
        quantity = self._quantity(cells, faults)
        if quantity is None:
            return None
        return Units(kind=self._layout.visit.units.kind, quantity=quantity)


class FirstSight:
    """What makes looking further into a row pointless, or worth a warning.

    Args:
        table: of which the rows are.
        office: that handed it in.
    """

    def __init__(self, table: Table, office: Office) -> None:
        layout, slots = table.layout, slots_of(table)
        given = layout.visit.office_number
        self._office_number = None if given is None else slots.text(as_text(given))
        self._office_label = "" if given is None else label_of(as_text(given))
        self._expected = fold(office.number_in_files)
        self._columns = list(dict.fromkeys(_columns_looked_at(table, slots)))

    def of(self, cells: Cells) -> tuple[Faults, Faults]:
        """Faults that reject the row, and faults that warn."""
        faults: Faults = []
        warnings: Faults = []
        if self._office_number is not None:
            number = self._office_number(cells)
            if number != self._expected and fold(number) != self._expected:
                return [("wrong_office", self._office_label)], warnings
        if suspicious("\n".join(cells)):
            for index, label, is_text in self._columns:
                for text in cells[index].split(ITEM_MARK) if "[]" in label else (cells[index],):
                    for level, code in looks(text):
                        if level == "reject":
                            faults.append((code, label))
                        elif is_text and (code, label) not in warnings:
                            warnings.append((code, label))
        return faults, warnings


def _columns_looked_at(table: Table, slots: Slots) -> Iterator[tuple[int, str, bool]]:
    """Index and label of each column that is carried, and whether it is carried as text.

    A telephone number may begin with +, so it is no text here.
    """
    for place, binding in bindings(table.layout):
        is_text = isinstance(binding, Text) and not place.endswith(".phone")
        for label in columns_of(binding):
            index = slots.index(label)
            if index is not None:
                yield index, label, is_text
