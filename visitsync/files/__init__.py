"""Open a file: bytes and the layout they are declared to be in become rows of labelled cells. Pure.

Total: any bytes give a table. Where nothing can be taken, the table holds no row and one problem of
level ``file``. Nothing is guessed: not the encoding, not where the table stands.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping
from typing import Final

from visitsync.fields.layout import Kind, Layout
from visitsync.fields.table import Table
from visitsync.files.delimited import open_delimited
from visitsync.files.fixed_width import open_fixed_width
from visitsync.files.json_records import open_json
from visitsync.files.trouble import refused
from visitsync.files.workbook import open_workbook

MAX_BYTES: Final = 64 * 1024 * 1024
"""No office's month is larger."""

_OTHER_KINDS: Final = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"%PDF",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
)


_OPENERS: Final[Mapping[Kind, Callable[[Layout, str, bytes], Table]]] = {
    "csv": open_delimited,
    "tsv": open_delimited,
    "fixed_width": open_fixed_width,
    "xlsx": open_workbook,
    "json": open_json,
    "ndjson": open_json,
}


def open_file(layout: Layout, name: str, data: bytes) -> Table:
    """The rows of `data`, a file that `layout` is declared to describe.

    Args:
        layout: of the office that handed the file in.
        name: the file's name without folders.
        data: as received.
    """
    if not data or data in {b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"} or not data.strip():
        return refused(layout, name, "empty")
    if len(data) > MAX_BYTES:
        return refused(layout, name, "too_large")
    kind = layout.file.kind
    if kind != "xlsx" and data.startswith(_OTHER_KINDS):
        return refused(layout, name, "wrong_kind")
    if kind in {"json", "ndjson"} and data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return refused(layout, name, "wrong_encoding")
    return _OPENERS[kind](layout, name, data)
