"""The services that a row says were given, in the order of the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from visitsync.fields.cells import Services
from visitsync.fields.slots import Cells, Faults, Slots
from visitsync.fields.text import ITEM_MARK, TRIMMED
from visitsync.schema.vocabulary import VOCABULARY

_PLACE: Final = {service: place for place, service in enumerate(VOCABULARY.services)}


def services_reader(
    forms: Sequence[Services], slots: Slots
) -> Callable[[Cells, Faults], tuple[str, ...]]:
    """Reads all services of a row, each once. A mark of no list is ``unknown_mark``."""
    readers = [_words(form, slots) if form.column else _marks(form, slots) for form in forms]

    def read(cells: Cells, faults: Faults) -> tuple[str, ...]:
        given: set[str] = set()
        for reader in readers:
            reader(cells, faults, given)
        return tuple(sorted(given, key=_PLACE.__getitem__))

    return read


_Reader = Callable[[Cells, Faults, set[str]], None]


def _marks(form: Services, slots: Slots) -> _Reader:
    """One column for each service."""
    given, not_given = frozenset(form.given), frozenset(form.not_given)
    columns = [
        (index, label, service)
        for label, service in form.columns.items()
        if (index := slots.index(label)) is not None
    ]

    def read(cells: Cells, faults: Faults, found: set[str]) -> None:
        for index, label, service in columns:
            mark = cells[index]
            if mark in given:
                found.add(service)
            elif mark and mark not in not_given:
                faults.append(("unknown_mark", label))

    return read


def _words(form: Services, slots: Slots) -> _Reader:
    """Words, codes or single characters in one column."""
    label = form.column or ""
    cell, codes = slots.cell(label), form.codes
    not_given = frozenset(form.not_given)
    mark = ITEM_MARK if "[]" in label else form.split

    def read(cells: Cells, faults: Faults, found: set[str]) -> None:
        text = cell(cells)
        if not text or text in not_given:
            return
        if form.each_character:
            words = [one for one in text if one not in TRIMMED]
        else:
            words = [part.strip(TRIMMED) for part in (text.split(mark) if mark else [text])]
        for word in words:
            service = codes.get(word)
            if service is not None:
                found.add(service)
            elif word:
                faults.append(("unknown_mark", label))

    return read
