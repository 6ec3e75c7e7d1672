"""Every binding of a layout with the place where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from visitsync.fields.cells import (
    Code,
    Day,
    HealthForm,
    Number,
    Part,
    PersonForm,
    Services,
    Text,
    Time,
    Units,
    as_code,
    as_day,
    as_health,
    as_number,
    as_text,
    as_time,
)
from visitsync.fields.layout import Layout, VisitForm
from visitsync.fields.text import fold

Binding: TypeAlias = Text | Day | Time | Number | Code | Units | Services | HealthForm

ID_PARTS: Final = frozenset({"case_no", "date", "start", "end", "visitor"})
"""What `VisitForm.id_made_of` may name besides columns."""


def bindings(layout: Layout) -> Iterator[tuple[str, Binding]]:
    """The bindings of `layout`, each with its place as ``visit.date`` or ``person[1].name``."""
    yield from _of_visit(layout.visit)
    for number, person in enumerate(layout.person, 1):
        yield from _of_person(person, f"person[{number}]")
    for number, visitor in enumerate(layout.visitor, 1):
        yield from _each(visitor, f"visitor[{number}]", ("id", "name", "qualification"), as_text)
    for number, services in enumerate(layout.service, 1):
        yield f"service[{number}]", services
    if layout.fee is not None:
        yield "fee.class", layout.fee.class_
        yield from _each(layout.fee, "fee", ("charged", "waived", "expenses"), as_number)
    for category, text in layout.notes.items():
        yield f"notes.{category}", as_text(text)
    for key, value in layout.health.items():
        yield f"health.{key}", as_health(value)


def _of_visit(visit: VisitForm) -> Iterator[tuple[str, Binding]]:
    yield from _each(visit, "visit", ("id", "office_number", "case_no"), as_text)
    for label in visit.id_made_of:
        if label not in ID_PARTS:
            yield "visit.id_made_of", Text(column=label)
    yield from _each(visit, "visit", ("revision",), as_number)
    yield from _each(visit, "visit", ("date",), as_day)
    yield from _each(visit, "visit", ("start", "end", "time"), as_time)
    codes = ("state", "outcome", "basis", "place", "confirmed_by")
    yield from _each(visit, "visit", codes, as_code)
    if visit.units is not None:
        yield "visit.units", visit.units


def _of_person(person: PersonForm, place: str) -> Iterator[tuple[str, Binding]]:
    if isinstance(person.role, Code):
        yield f"{place}.role", person.role
    yield from _each(person, place, ("name", "kana", "postal_code", "address", "phone"), as_text)
    yield from _each(person, place, ("birth_date", "due_date"), as_day)
    yield from _each(person, place, ("sex",), as_code)
    for kind, text in person.identifiers.items():
        yield f"{place}.identifiers.{kind}", as_text(text)
    yield from _each(person, place, ("count",), as_number)


def _each(
    part: Part, place: str, members: Sequence[str], made: Callable[[Any], Binding]
) -> Iterator[tuple[str, Binding]]:
    """The bindings among `members` that a part of a layout has."""
    for member in members:
        given = getattr(part, member)
        if given is not None:
            yield f"{place}.{member}", made(given)


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
    """The label that should decide the style of dates, where the file says nothing known there."""
    for _, binding in bindings(layout):
        if isinstance(binding, Day) and binding.style_from is not None:
            said = says.get(fold(binding.style_from), "")
            if said not in binding.style_by:
                return binding.style_from
    return None
