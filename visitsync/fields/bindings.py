"""Every binding of a layout with the place where it stands, for whoever must look at all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from visitsync.fields.cells import (
    Code,
    Day,
    HealthForm,
    Number,
    PersonForm,
    Services,
    Text,
    Time,
    Units,
    as_code,
    as_day,
    as_number,
    as_text,
    as_time,
)
from visitsync.fields.layout import Layout
from visitsync.fields.text import fold

Binding: TypeAlias = Text | Day | Time | Number | Code | Units | Services | HealthForm

ID_PARTS: Final = frozenset({"case_no", "date", "start", "end", "visitor"})
"""What `VisitForm.id_made_of` may name besides columns."""


def bindings(layout: Layout) -> Iterator[tuple[str, Binding]]:
    """The bindings of `layout`, each with its place as ``visit.date`` or ``person[1].name``."""
    yield from _of_visit(layout)
    for number, person in enumerate(layout.person, 1):
        yield from _of_person(person, f"person[{number}]")
    for number, visitor in enumerate(layout.visitor, 1):
        for member in ("id", "name", "qualification"):
            text = getattr(visitor, member)
            if text is not None:
                yield f"visitor[{number}].{member}", as_text(text)
    for number, services in enumerate(layout.service, 1):
        yield f"service[{number}]", services
    if layout.fee is not None:
        yield "fee.class", layout.fee.class_
        for member in ("charged", "waived", "expenses"):
            amount = getattr(layout.fee, member)
            if amount is not None:
                yield f"fee.{member}", as_number(amount)
    for category, text in layout.notes.items():
        yield f"notes.{category}", as_text(text)
    for key, value in layout.health.items():
        yield f"health.{key}", HealthForm(column=value) if isinstance(value, str) else value


def _of_visit(layout: Layout) -> Iterator[tuple[str, Binding]]:
    visit = layout.visit
    for member in ("id", "office_number", "case_no"):
        text = getattr(visit, member)
        if text is not None:
            yield f"visit.{member}", as_text(text)
    for label in visit.id_made_of:
        if label not in ID_PARTS:
            yield "visit.id_made_of", Text(column=label)
    if visit.revision is not None:
        yield "visit.revision", as_number(visit.revision)
    if visit.date is not None:
        yield "visit.date", as_day(visit.date)
    for member in ("start", "end", "time"):
        time = getattr(visit, member)
        if time is not None:
            yield f"visit.{member}", as_time(time)
    for member in ("state", "outcome", "basis", "place", "confirmed_by"):
        code = getattr(visit, member)
        if code is not None:
            yield f"visit.{member}", as_code(code)
    if visit.units is not None:
        yield "visit.units", visit.units


def _of_person(person: PersonForm, place: str) -> Iterator[tuple[str, Binding]]:
    if isinstance(person.role, Code):
        yield f"{place}.role", person.role
    for member in ("name", "kana", "postal_code", "address", "phone"):
        text = getattr(person, member)
        if text is not None:
            yield f"{place}.{member}", as_text(text)
    for member in ("birth_date", "due_date"):
        day = getattr(person, member)
        if day is not None:
            yield f"{place}.{member}", as_day(day)
    if person.sex is not None:
        yield f"{place}.sex", as_code(person.sex)
    for kind, text in person.identifiers.items():
        yield f"{place}.identifiers.{kind}", as_text(text)
    if person.count is not None:
        yield f"{place}.count", as_number(person.count)


def columns_of(binding: Binding) -> tuple[str, ...]:
    """The labels that a binding names."""
    column = binding.column
    single = () if column is None else (column,)
    match binding:
        case Text() | Day():
            return single or binding.columns
        case Services():
            return single or tuple(binding.columns)
        case _:
            return single


def wanted(layout: Layout) -> Mapping[str, bool]:
    """The labels that a layout names, each with whether a file must have it."""
    found: dict[str, bool] = {}
    for _, binding in bindings(layout):
        for label in columns_of(binding):
            found[label] = found.get(label, False) or not binding.optional
    return found


def undecided_style(layout: Layout, says: Mapping[str, str]) -> str | None:
    """The label that should decide how dates are written, where the file says nothing known there."""
    for _, binding in bindings(layout):
        if isinstance(binding, Day) and binding.style_from is not None:
            said = says.get(fold(binding.style_from), "")
            if said not in binding.style_by:
                return binding.style_from
    return None
