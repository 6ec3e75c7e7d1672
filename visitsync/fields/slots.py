"""From a layout's bindings to functions that read a row's cells.

The columns are looked up once for a table; what remains for a row is indexing. A function that
finds a cell wanting adds a fault (problem code and column) to the list it is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

from visitsync.fields.bindings import columns_of
from visitsync.fields.cells import Code, Day, HealthForm, Number, Text, Time, Units
from visitsync.fields.dates import BadCell, Month, Style, day_reader, partial_reader
from visitsync.fields.labels import Labels
from visitsync.fields.numbers import count, quantity, yen
from visitsync.fields.text import ITEM_MARK, TRIMMED, fold
from visitsync.fields.times import time_of_day, time_range

T = TypeVar("T")
Cells: TypeAlias = Sequence[str]
Faults: TypeAlias = list[tuple[str, str]]
"""Problem codes, each with the label of its column."""
Read: TypeAlias = Callable[[Cells, Faults], T]
Items: TypeAlias = Callable[[Cells], tuple[str, ...]]

_REMEMBERED: Final = 4096
"""How many different cells a reader keeps the value of."""


def items_of(text: Text | Day | Code | Number) -> bool:
    """Whether a binding can hold several items, each for a person or visitor of its own."""
    if any("[]" in label for label in columns_of(text)):
        return True
    return isinstance(text, Text | Day) and (
        text.split is not None or (bool(text.columns) and text.join is None)
    )


def label_of(binding: Text | Day | Code | Number | Time | Units | HealthForm) -> str:
    """The label that a problem with this binding names."""
    return next(iter(columns_of(binding)), "")


class Slots:
    """The bindings of one layout resolved against one table.

    Args:
        labels: of the table.
        dates: the styles of dates where a binding names none.
        says: what the title block or header record says, by folded label.
        month: that the file states, if any.
    """

    def __init__(
        self,
        labels: Labels,
        dates: tuple[Style, ...],
        says: Mapping[str, str],
        month: Month | None,
    ) -> None:
        self._labels = labels
        self._dates = dates
        self._says = says
        self._month = month
        self.used: set[int] = set()
        """The columns that were asked for since this was last emptied."""

    def index(self, label: str) -> int | None:
        """The column labelled so, remembered as used."""
        found = self._labels.find(label)
        if found is not None:
            self.used.add(found)
        return found

    def cell(self, label: str | None) -> Callable[[Cells], str]:
        """The text of one column; empty where the file lacks it."""
        index = None if label is None else self.index(label)
        if index is None:
            return lambda _: ""
        found = index
        return lambda cells: cells[found]

    def text(self, binding: Text | Day) -> Callable[[Cells], str]:
        """The one text that a binding says, several columns joined."""
        read = self._joined(binding) if binding.columns else self.cell(binding.column)
        endings = binding.strip_end if isinstance(binding, Text) else ()
        return (lambda cells: _without(read(cells), endings)) if endings else read

    def _joined(self, binding: Text | Day) -> Callable[[Cells], str]:
        parts = [self.cell(label) for label in binding.columns]
        join = binding.join or ""
        if "{}" in join:
            return lambda cells: _filled(join, [part(cells) for part in parts])
        return lambda cells: join.join(filter(None, (part(cells) for part in parts)))

    def items(self, binding: Text | Day | Code | Number) -> Items:
        """The several texts that a binding says, in order."""
        endings = binding.strip_end if isinstance(binding, Text) else ()
        names = columns_of(binding)
        if len(names) != 1:
            parts = [self.cell(label) for label in names]
            return lambda cells: tuple(_without(part(cells), endings) for part in parts)
        read = self.cell(names[0])
        mark = ITEM_MARK if "[]" in names[0] else getattr(binding, "split", None) or ITEM_MARK
        return lambda cells: tuple(
            _without(part.strip(TRIMMED), endings) for part in _split(read(cells), mark)
        )

    def day(self, binding: Day) -> Callable[[str], dt.date | BadCell]:
        """Reads the text of a whole date."""
        return remembering(day_reader(self._styles(binding), self._month))

    def partial(self, binding: Day) -> Callable[[str], str | BadCell | None]:
        """Reads the text of a birth date."""
        return remembering(partial_reader(self._styles(binding), binding.unknown))

    def _styles(self, binding: Day) -> tuple[Style, ...]:
        if binding.style_from is None:
            return binding.styles or self._dates
        return binding.style_by.get(self._says.get(fold(binding.style_from), ""), ())

    def code(self, binding: Code, problem: str) -> Read[str | None]:
        """The vocabulary's word for a cell; None where an empty cell says nothing."""
        if binding.always is not None:
            always = binding.always
            return lambda _cells, _faults: always
        read, column, codes = self.cell(binding.column), label_of(binding), binding.codes
        empty = binding.empty
        word = coder(codes)

        def of(cells: Cells, faults: Faults) -> str | None:
            text = read(cells)
            if not text:
                return empty
            found = word(text)
            if found is None:
                faults.append((problem, column))
            return found

        return of

    def time(self, binding: Time, *, overnight: bool) -> Read[int | None]:
        """Minutes from midnight."""
        return self._checked(binding, lambda text: time_of_day(text, overnight=overnight))

    def range(self, binding: Time, *, overnight: bool) -> Read[tuple[int, int] | None]:
        """Start and end in minutes from midnight."""
        return self._checked(binding, lambda text: time_range(text, overnight=overnight))

    def yen(self, binding: Number) -> Read[int | None]:
        """Whole yen, for an empty cell 0 or what the layout says."""
        suffixes, empty = binding.suffixes, binding.empty or 0

        def of(text: str) -> int | BadCell:
            return yen(text, suffixes) if text else empty

        return self._checked(binding, of)

    def count(self, binding: Number | HealthForm) -> Read[int | None]:
        """A whole number, or what the layout says of an empty cell."""
        suffixes = binding.suffixes
        empty = binding.empty if isinstance(binding, Number) else None

        def of(text: str) -> int | BadCell | None:
            return count(text, suffixes) if text else empty

        return self._checked(binding, of)

    def quantity(self, binding: Units) -> Read[str | None]:
        """A decimal string."""
        return self._checked(binding, lambda text: quantity(text, binding.suffixes, binding.divide))

    def _checked(
        self,
        binding: Time | Number | Units | HealthForm,
        value: Callable[[str], T | BadCell],
    ) -> Read[T | None]:
        read, column = self.cell(binding.column), label_of(binding)
        value = remembering(value)

        def of(cells: Cells, faults: Faults) -> T | None:
            found = value(read(cells))
            if isinstance(found, BadCell):
                faults.append((found.code, column))
                return None
            return found

        return of


def coder(codes: Mapping[str, str]) -> Callable[[str], str | None]:
    """What a word stands for; without `codes` the cells hold the vocabulary's own words."""
    if not codes:
        return lambda text: text
    return codes.get


def remembering(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read`, computed once for equal cells: dates and times repeat from row to row."""
    known: dict[str, T] = {}

    def remembered(text: str) -> T:
        if text in known:
            return known[text]
        if len(known) >= _REMEMBERED:
            known.clear()
        value = known[text] = read(text)
        return value

    return remembered


def _without(text: str, endings: Sequence[str]) -> str:
    for ending in endings:
        if text.endswith(ending):
            return text.removesuffix(ending).rstrip(TRIMMED)
    return text


def _filled(pattern: str, parts: Sequence[str]) -> str:
    if not any(parts):
        return ""
    for part in parts:
        pattern = pattern.replace("{}", part.replace("{}", ""), 1)
    return pattern


def _split(text: str, mark: str) -> list[str]:
    if not text:
        return []
    parts = text.split(mark)
    while mark != ITEM_MARK and parts and not parts[-1].strip(TRIMMED):
        parts.pop()
    return parts
