"""What `files` hands to an adapter: the rows of one opened file under the labels of its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from visitsync.fields.layout import Layout
from visitsync.schema.directory import Office
from visitsync.schema.reading import Problem
from visitsync.schema.silent import silent


class Row(NamedTuple):
    """One row of labelled cells."""

    number: int
    """Counted from 1 as a person would count it in that file."""
    cells: Sequence[str]
    """As many as there are labels; clean text, empty where there is nothing. A cell under a label
    that holds ``[]`` is a list, its items separated by `text.ITEM_MARK`."""

    def __repr__(self) -> str:
        return f"<Row {self.number}>"


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One opened file. Printing it tells no cell."""

    file: str
    """The file's name without folders."""
    layout: Layout
    labels: tuple[str, ...] = ()
    rows: Sequence[Row] = field(default=(), repr=False)
    says: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the title block or header record says, by folded label."""
    month: str | None = field(default=None, repr=False)
    """The month that the file says it reports, as it says it."""
    office_number: str | None = field(default=None, repr=False)
    """The office that the file says it is from."""
    problems: tuple[Problem, ...] = ()
    """What was found while opening; the rows it rejects are not among `rows`."""
    unread_columns: frozenset[str] = frozenset()
    """Labels that the layout neither binds nor ignores."""
    fit: int = 0
    """How many of the layout's labels were found: which layout a file is written in."""

    @property
    def refused(self) -> bool:
        """Whether nothing is taken from the file."""
        return any(problem.level == "file" for problem in self.problems)


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """The files that an office handed in together, opened."""

    office: Office
    tables: tuple[Table, ...]
