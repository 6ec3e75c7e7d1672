"""JSON and NDJSON. A column's label is its path: ``HOMON.BI``, ``TANTO[].NO``, ``SHIEN_CD[]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from visitsync.fields.bindings import undecided_style, wanted
from visitsync.fields.labels import Labels
from visitsync.fields.layout import Layout
from visitsync.fields.table import Row, Table
from visitsync.fields.text import ITEM_MARK, clean, fold
from visitsync.files.grid import MAX_ROWS, what_stands_at
from visitsync.files.trouble import problem, refused
from visitsync.schema.reading import Problem
from visitsync.schema.strict_json import NotStrictJson, loads

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_MOST_LABELS: Final = 500
_MAX_LABEL: Final = 80


class _Record(NamedTuple):
    number: int
    value: object
    problem: str | None = None

    def __repr__(self) -> str:
        return f"<Record {self.number}>"


class _WrongShape(Exception):
    """A list or object stands where the layout has a value, or the other way round."""


def open_json(layout: Layout, name: str, data: bytes) -> Table:
    """The records of a JSON document or of NDJSON lines."""
    form = layout.file
    data = data.removeprefix(_BYTE_ORDER_MARK)
    says: Mapping[str, str] = {}
    if form.kind == "ndjson":
        records = list(_lines(data))
        if not _any_object(records):
            return refused(layout, name, "wrong_kind")
    else:
        try:
            document = loads(data)
        except NotStrictJson as error:
            return refused(layout, name, _reason(error, data, is_last=True))
        found = _list_at(document, form.rows_at)
        if found is None:
            return refused(layout, name, "wrong_shape", form.rows_at)
        records = [_Record(number, value) for number, value in enumerate(found, 1)]
        says = dict(_values(document))
    if len(records) > MAX_ROWS:
        return refused(layout, name, "too_large")
    undecided = undecided_style(layout, says)
    if undecided is not None:
        return refused(layout, name, "unknown_code", undecided)
    labels = tuple(wanted(layout))
    rows, problems, present = _rows(name, labels, records)
    known = Labels(sorted(present), {})
    return Table(
        file=name,
        layout=layout,
        labels=labels,
        rows=rows,
        says=says,
        month=what_stands_at(layout.title_says.month, name, says, ()),
        office_number=what_stands_at(layout.title_says.office_number, name, says, ()),
        problems=tuple(problems),
        unread_columns=frozenset(_unread(present, labels, layout.rows.ignore)),
        fit=sum(known.find(label) is not None for label in labels),
    )


def _lines(data: bytes) -> Iterator[_Record]:
    pieces = data.split(b"\n")
    for number, piece in enumerate(pieces, 1):
        line = piece.strip(b" \t\r\x1a")
        if not line:
            continue
        try:
            yield _Record(number, loads(line))
        except NotStrictJson as error:
            yield _Record(number, None, _reason(error, line, is_last=number == len(pieces)))


def _reason(error: NotStrictJson, data: bytes, *, is_last: bool) -> str:
    """What is cut off at the end of a file is cut off, not wrong."""
    opened = data.lstrip().startswith((b"{", b"["))
    closed = data.rstrip().endswith((b"}", b"]"))
    if is_last and opened and not closed and error.reason in {"not_json", "not_unicode"}:
        return "truncated"
    return error.reason


def _any_object(records: list[_Record]) -> bool:
    """Whether this is NDJSON at all: a cut or broken line in it is no reason to refuse the file."""
    return any(
        isinstance(record.value, dict) or record.problem not in {None, "not_json"}
        for record in records
    )


def _list_at(document: object, path: str | None) -> list[object] | None:
    for member in path.split(".") if path else ():
        document = document.get(member) if isinstance(document, dict) else None
    return document if isinstance(document, list) else None


def _values(document: object, before: str = "") -> Iterator[tuple[str, str]]:
    """The folded path and text of each value outside lists: what a document says of itself."""
    if not isinstance(document, dict):
        return
    for member, value in document.items():
        path = f"{before}.{member}" if before else member
        if isinstance(value, dict):
            yield from _values(value, path)
        elif not isinstance(value, list):
            yield fold(path), _text(value)


def _unread(present: set[str], labels: Iterable[str], ignored: Iterable[str]) -> Iterator[str]:
    """The paths of `present` that are neither read nor ignored.

    To ignore a container is to ignore all that it holds. A container that is empty in some record
    is read where its members are.
    """
    read = {step for label in labels for step in _steps(fold(label))}
    left_out = {fold(label) for label in ignored}
    for path in present:
        folded = fold(path)
        if folded not in read and left_out.isdisjoint(_steps(folded)):
            yield path[:_MAX_LABEL]


def _steps(path: str) -> Iterator[str]:
    """``TANTO``, ``TANTO[]`` and ``TANTO[].NO`` for the last of them."""
    return (path[: end.start()] for end in re.finditer(r"\.|\[\]|$", path))


def _rows(
    name: str, labels: tuple[str, ...], records: list[_Record]
) -> tuple[list[Row], list[Problem], set[str]]:
    readers = [(label, _reader(label)) for label in labels]
    rows: list[Row] = []
    problems: list[Problem] = []
    present: set[str] = set()
    for record in records:
        code, column = record.problem, None
        cells: list[str] = []
        if code is None and not isinstance(record.value, dict):
            code = "wrong_shape"
        if code is None:
            if len(present) < _MOST_LABELS:
                present.update(_paths(record.value))
            for label, read in readers:
                try:
                    cells.append(read(record.value))
                except _WrongShape:
                    code, column = "wrong_shape", label
                    break
        if code is None:
            rows.append(Row(record.number, tuple(cells)))
        else:
            problems.append(problem(name, record.number, "reject", code, column))
    if not records:
        problems.append(problem(name, None, "warn", "no_rows"))
    return rows, problems, present


def _reader(path: str) -> Callable[[object], str]:
    """Reads the text at `path`; a list's items are joined by `ITEM_MARK`."""
    before, is_list, after = path.partition("[]")
    members = before.split(".")
    inner = after.removeprefix(".").split(".") if after else []

    def read(record: object) -> str:
        value = _at(record, members)
        if not is_list:
            return _text(value)
        if value is None:
            return ""
        if not isinstance(value, list):
            raise _WrongShape
        return ITEM_MARK.join(_text(_at(item, inner)).replace(ITEM_MARK, "\x1f") for item in value)

    return read


def _at(value: object, members: list[str]) -> object:
    for member in members:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise _WrongShape
        value = value.get(member)
    return value


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return clean(value)
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            raise _WrongShape


def _paths(value: object, before: str = "") -> Iterator[str]:
    """The labels of everything that a record holds."""
    match value:
        case dict():
            for member, inner in value.items():
                yield from _paths(inner, f"{before}.{member}" if before else member)
        case list():
            for inner in value[:100]:
                yield from _paths(inner, f"{before}[]")
            if not value:
                yield f"{before}[]"
        case _:
            yield before
