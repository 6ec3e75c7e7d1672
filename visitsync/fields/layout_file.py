"""Reading a layout file, strictly: what it must say, and what may not stand together."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from typing import Final, get_args

import msgspec

from visitsync.errors import LayoutError
from visitsync.fields.bindings import Binding, bindings, columns_of
from visitsync.fields.cells import Code, Day, Services, Text, Units
from visitsync.fields.layout import FileForm, Layout, Months, Place, TitleForm, VisitForm
from visitsync.fields.text import fold
from visitsync.schema.visit import NOTE_CATEGORIES, Confirmation, Sex, State
from visitsync.schema.vocabulary import VOCABULARY

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_SEVERAL: Final = frozenset({"person", "visitor"})
"""Of what one cell may hold several."""
_HEALTH_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")

_WORDS: Final[Mapping[str, Collection[str]]] = {
    "state": get_args(State),
    "outcome": VOCABULARY.outcomes,
    "basis": VOCABULARY.bases,
    "place": VOCABULARY.places,
    "confirmed_by": get_args(Confirmation),
    "role": VOCABULARY.person_roles,
    "sex": get_args(Sex),
    "class": VOCABULARY.fee_classes,
}


def parse(text: str) -> Layout:
    """Read a layout file.

    Raises:
        LayoutError: where it is no TOML, has an unknown or missing member, or contradicts itself;
            names the place.
    """
    try:
        layout = msgspec.convert(tomllib.loads(text), Layout)
    except tomllib.TOMLDecodeError as error:
        raise LayoutError("The layout is no TOML; mend it", where=str(error)) from None
    except msgspec.ValidationError as error:
        raise LayoutError("The layout has a wrong member; mend it", where=str(error)) from None
    _check_file(layout.file)
    _check_what_it_holds(layout)
    for place, binding in bindings(layout):
        _check_binding(place, binding)
    _check_title(layout.title_says, layout.months)
    for member in ("ditto", "total", "notes"):
        if not all(map(fold, getattr(layout.rows, member))):
            raise LayoutError("A mark or word must not be blank", where=f"rows.{member}")
    return layout


def _check_file(form: FileForm) -> None:
    fixed = form.kind == "fixed_width"
    if fixed != bool(form.fields):
        raise LayoutError("Only fixed_width has fields, and it must", where="file.fields")
    if fixed:
        _check_fixed_width(form)
    if form.kind in {"json", "ndjson"} and not form.encoding.startswith("utf-8"):
        raise LayoutError("JSON is always in utf-8", where="file.encoding")
    if form.delimiter is not None and (form.kind != "csv" or len(form.delimiter) != 1):
        raise LayoutError("Only csv has a delimiter, of one character", where="file.delimiter")
    if form.header_rows < 0 or (form.header_rows == 0 and not form.labels):
        raise LayoutError("A file without header rows needs labels", where="file.labels")
    if form.count is not None and form.count not in form.trailer_fields:
        raise LayoutError("is no field of the trailer", where="file.count")


def _check_fixed_width(form: FileForm) -> None:
    if form.record_length is None:
        raise LayoutError("fixed_width needs its length in bytes", where="file.record_length")
    if form.encoding == "utf-16":
        raise LayoutError("fixed_width is measured in cp932 or utf-8", where="file.encoding")
    if (form.row_type is None) != (form.record_type is None):
        raise LayoutError("record_type and row_type go together", where="file.row_type")
    if form.record_type is None and (form.header_type or form.trailer_type):
        raise LayoutError("Without record_type no record is told from another", where="file")
    for part in ("header_fields", "fields", "trailer_fields"):
        _check_spans(getattr(form, part), form.record_length, f"file.{part}")


def _check_spans(fields: Mapping[str, tuple[int, int]], length: int, where: str) -> None:
    for label, (first, width) in fields.items():
        if first < 1 or width < 1 or first + width - 1 > length:
            raise LayoutError("A field lies outside the record", where=f"{where} {label}")


def _check_what_it_holds(layout: Layout) -> None:
    visit = layout.visit
    if (visit.id is None) == (not visit.id_made_of):
        raise LayoutError("Say either visit.id or visit.id_made_of", where="visit")
    if layout.holds == "fees":
        if layout.fee is None or visit.id is None:
            raise LayoutError("A layout of fees needs visit.id and fee", where="fee")
        return
    if visit.date is None:
        raise LayoutError("A visit needs its date", where="visit.date")
    if visit.outcome is None:
        raise LayoutError("A visit needs its outcome", where="visit.outcome")
    if visit.time is not None and (visit.start is not None or visit.end is not None):
        raise LayoutError("Say either time or start and end", where="visit.time")
    if not layout.person:
        raise LayoutError("A visit needs the household's members", where="person")
    _check_id(visit, with_visitor=any(form.id is not None for form in layout.visitor))
    _check_names(layout)


def _check_id(visit: VisitForm, *, with_visitor: bool) -> None:
    """An id can be made only of what the layout binds."""
    bound = {
        "case_no": visit.case_no is not None,
        "date": True,
        "start": visit.start is not None or visit.time is not None,
        "end": visit.end is not None or visit.time is not None,
        "visitor": with_visitor,
    }
    for part in visit.id_made_of:
        if not bound.get(part, True):
            raise LayoutError(f"The layout does not bind {part}", where="visit.id_made_of")


def _check_names(layout: Layout) -> None:
    for category in layout.notes:
        _one_of(category, NOTE_CATEGORIES, "notes")
    for key in layout.health:
        if _HEALTH_KEY.fullmatch(key) is None:
            raise LayoutError("A health value is named in small letters", where=f"health.{key}")
    for number, person in enumerate(layout.person, 1):
        if isinstance(person.role, str):
            _one_of(person.role, VOCABULARY.person_roles, f"person[{number}].role")


def _check_binding(place: str, binding: Binding) -> None:
    named = columns_of(binding)
    if isinstance(binding, Code):
        _check_code(place, binding)
    elif not named:
        raise LayoutError("names no column", where=place)
    if isinstance(binding, Text | Day | Services) and binding.column and binding.columns:
        raise LayoutError("Say either column or columns", where=place)
    if isinstance(binding, Day) and bool(binding.style_from) != bool(binding.style_by):
        raise LayoutError("style_from and style_by go together", where=place)
    if isinstance(binding, Units):
        _one_of(binding.kind, VOCABULARY.units, f"{place}.kind")
    if isinstance(binding, Services):
        _check_services(place, binding)
    if getattr(binding, "divide", 1) < 1:
        raise LayoutError("must be 1 or more", where=f"{place}.divide")
    if isinstance(binding, Text | Day):
        _check_several(place, binding)


def _check_several(place: str, binding: Text | Day) -> None:
    if binding.split == "":
        raise LayoutError("must not be empty", where=f"{place}.split")
    if binding.split is not None and binding.columns:
        raise LayoutError("Only one column can be split", where=f"{place}.split")
    if binding.split is not None and place.partition("[")[0] not in _SEVERAL:
        raise LayoutError("Only persons and visitors can be several", where=f"{place}.split")
    if binding.join is not None and not binding.columns:
        raise LayoutError("Only several columns can be joined", where=f"{place}.join")


def _check_code(place: str, code: Code) -> None:
    if (code.column is None) == (code.always is None):
        raise LayoutError("Say either column or always", where=place)
    known = _WORDS[place.rpartition(".")[2]]
    for word in [*code.codes.values(), code.empty, code.always]:
        if word is not None:
            _one_of(word, known, place)


def _check_services(place: str, services: Services) -> None:
    if services.columns and not services.given:
        raise LayoutError("Say which marks mean that it was given", where=f"{place}.given")
    if services.column and not services.codes:
        raise LayoutError("Say what may stand there", where=f"{place}.codes")
    for service in [*services.codes.values(), *services.columns.values()]:
        _one_of(service, VOCABULARY.services, place)


def _check_title(title: TitleForm, months: Months | None) -> None:
    for member in ("office_number", "month"):
        place = getattr(title, member)
        if isinstance(place, Place):
            _check_place(place, f"title_says.{member}")
    if months is None:
        return
    if title.month is None:
        raise LayoutError("months needs to know where the file says its month", where="title_says")
    for month in (months.first, months.last):
        if month is not None and _MONTH.fullmatch(month) is None:
            raise LayoutError("A month is written 2026-04", where="months")


def _check_place(place: Place, where: str) -> None:
    if (place.file_name is None) == (place.row is None or place.cell is None):
        raise LayoutError("Say either row and cell, or file_name", where=where)
    if place.file_name is not None:
        try:
            re.compile(place.file_name)
        except re.error:
            raise LayoutError("is no regular expression", where=where) from None


def _one_of(word: str, known: Collection[str], where: str) -> None:
    if word not in known:
        raise LayoutError(f"{word} is no word of the vocabulary there", where=where)
