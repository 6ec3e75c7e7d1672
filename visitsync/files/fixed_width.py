"""Fixed-width records, measured in bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from visitsync.fields.bindings import undecided_style, wanted
from visitsync.fields.labels import Labels
from visitsync.fields.layout import FileForm, Layout, Span
from visitsync.fields.table import Row, Table
from visitsync.fields.text import TRIMMED, clean, composed, fold
from visitsync.files.encoding import decode_field, is_utf8
from visitsync.files.grid import MAX_ROWS, what_stands_at
from visitsync.files.trouble import problem, refused
from visitsync.schema.reading import Problem

_END_OF_FILE: Final = b"\x1a"


class _Line(NamedTuple):
    number: int
    data: bytes
    is_cut: bool
    """Whether it is the last and does not end as a line ends."""

    def __repr__(self) -> str:
        return f"<Line {self.number}>"


def open_fixed_width(layout: Layout, name: str, data: bytes) -> Table:
    """The rows of a fixed-width file."""
    form = layout.file
    lines = _lines(form, data)
    says: Mapping[str, str] = {}
    code = _unfit(form, data, lines)
    if code is not None:
        return refused(layout, name, code)
    if form.header_type is not None:
        header = _cells(form, form.header_fields, lines.pop(0).data)
        says = {fold(label): text for label, text in header.items()}
    undecided = undecided_style(layout, says)
    if undecided is not None:
        return replace(refused(layout, name, "unknown_code", undecided), fit=len(form.fields))
    rows, problems = _rows(layout, name, lines)
    labels = Labels(tuple(form.fields), layout.synonyms)
    return Table(
        file=name,
        layout=layout,
        labels=labels.labels,
        rows=rows,
        says=says,
        month=what_stands_at(layout.title_says.month, name, says, ()),
        office_number=what_stands_at(layout.title_says.office_number, name, says, ()),
        problems=tuple(problems),
        unread_columns=frozenset(
            labels.labels[index] for index in labels.others((*wanted(layout), *layout.rows.ignore))
        )
        | _filled_gaps(form, lines),
        fit=len(form.fields),
    )


def _unfit(form: FileForm, data: bytes, lines: list[_Line]) -> str | None:
    """Why the file as a whole is not in this form."""
    if form.encoding == "cp932" and is_utf8(data):
        return "wrong_encoding"
    if not lines:
        return "empty"
    if len(lines) > MAX_ROWS:
        return "too_large"
    if form.header_type is None:
        return None
    if _type_of(form, lines[0].data) != form.header_type:
        return "no_header"
    return None if len(lines[0].data) == form.record_length else "wrong_length"


def _lines(form: FileForm, data: bytes) -> list[_Line]:
    """The records, numbered by line; blank lines and the end-of-file mark are none."""
    length = form.record_length or 1
    if form.line_ends:
        pieces = data.split(b"\n")
    else:
        pieces = [data[place : place + length] for place in range(0, len(data), length)]
    found = []
    for number, piece in enumerate(pieces, 1):
        record = piece.removesuffix(b"\r")
        if record.strip(b" \r" + _END_OF_FILE):
            is_cut = number == len(pieces) and len(record.rstrip(_END_OF_FILE)) < length
            found.append(_Line(number, record, is_cut))
    return found


def _rows(layout: Layout, name: str, lines: list[_Line]) -> tuple[list[Row], list[Problem]]:
    form = layout.file
    rows: list[Row] = []
    problems: list[Problem] = []
    counted = 0
    trailer: dict[str, str] | None = None
    for line in lines:
        kind = _type_of(form, line.data)
        if trailer is not None:
            problems.append(problem(name, line.number, "reject", "after_end"))
        elif form.trailer_type is not None and kind == form.trailer_type:
            trailer = _cells(form, form.trailer_fields, line.data)
        elif kind != form.row_type and not line.is_cut:
            problems.append(problem(name, line.number, "reject", "unknown_code", _TYPE))
        else:
            counted += 1
            if len(line.data) != form.record_length:
                code = "truncated" if line.is_cut else "wrong_length"
                problems.append(problem(name, line.number, "reject", code))
            else:
                rows.append(_row(form, line))
    if form.trailer_type is not None and trailer is None:
        problems.append(problem(name, None, "warn", "no_trailer"))
    elif trailer is not None and form.count is not None:
        said = trailer.get(form.count, "")
        if not said.isdecimal() or int(said) != counted:
            problems.append(problem(name, None, "warn", "count_mismatch", form.count))
    if not counted:
        problems.append(problem(name, None, "warn", "no_rows"))
    return rows, problems


def _filled_gaps(form: FileForm, lines: list[_Line]) -> frozenset[str]:
    """The places in which something stands though no field is declared there, as ``#41-60``."""
    gaps: list[Span] = []
    free = 1
    spans = [*form.fields.values(), *filter(None, [form.record_type])]
    for first, width in sorted(spans):
        if first > free:
            gaps.append((free, first - free))
        free = max(free, first + width)
    length = form.record_length or 0
    if free <= length:
        gaps.append((free, length + 1 - free))
    return frozenset(
        f"#{first}-{first + width - 1}"
        for first, width in gaps
        if any(
            clean(decode_field(_slice(line.data, (first, width)), form.encoding, cut_off=True))
            for line in lines
            if len(line.data) == length and _type_of(form, line.data) == form.row_type
        )
    )


_TYPE: Final = "レコード区分"
"""What the place is called that says what a record is, in problems."""


def _type_of(form: FileForm, data: bytes) -> str | None:
    if form.record_type is None:
        return form.row_type
    return _slice(data, form.record_type).decode("ascii", "replace")


def _row(form: FileForm, line: _Line) -> Row:
    cells = [
        decode_field(_slice(line.data, span), form.encoding, cut_off=label in form.cut_off)
        for label, span in form.fields.items()
    ]
    if not unicodedata.is_normalized("NFC", "\n".join(cells)):
        cells = [composed(cell) for cell in cells]
    return Row(line.number, tuple([cell.strip(TRIMMED) for cell in cells]))


def _cells(form: FileForm, fields: Mapping[str, Span], data: bytes) -> dict[str, str]:
    return {
        label: clean(decode_field(_slice(data, span), form.encoding, cut_off=False))
        for label, span in fields.items()
    }


def _slice(data: bytes, span: Span) -> bytes:
    first, width = span
    return data[first - 1 : first - 1 + width]
