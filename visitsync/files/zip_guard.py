"""A look into a workbook's zip before anything is unpacked: how much is there really?"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Final, NamedTuple

_MOST_MEMBERS: Final = 1_000
_MOST_UNPACKED: Final = 64 * 1024 * 1024
_MOST_RATIO: Final = 200
_RATIO_MATTERS_FROM: Final = 1024 * 1024
_MOST_CELLS: Final = 4_000_000
"""Rows × columns up to the last filled cell; the reader keeps them all in memory."""

_DIMENSION: Final = re.compile(
    rb"<(?:\w+:)?dimension\s[^>]*?ref=[\"']([A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})[\"']"
)
_FILLED: Final = re.compile(
    rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})(\d{1,7})[\"'][^>]*(?<!/)>\s*<(?!/)"
)
_ROW: Final = re.compile(rb"<(?:\w+:)?row\s[^>]*?\br=[\"'](\d{1,9})[\"'][^>]*(?<!/)>\s*<(?!/)")
_DECLARATION: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


class Looked(NamedTuple):
    """What a look into the zip found."""

    refused: str | None
    """The problem for which the file is not opened."""
    claims_more: bool = False
    """Whether a sheet claims many more rows or columns than it holds."""


def look_into(data: bytes) -> Looked:
    """Whether `data` is a workbook that can be opened within bounds."""
    if not data.startswith(b"PK"):
        return Looked("not_a_workbook")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _look_into(archive)
    except zipfile.BadZipFile:
        return Looked("truncated" if b"PK\x05\x06" not in data[-65_557:] else "not_a_workbook")
    except (OSError, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError):
        # A damaged, encrypted or exotically compressed member.
        return Looked("not_a_workbook")


def _look_into(archive: zipfile.ZipFile) -> Looked:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or sum(one.file_size for one in members) > _MOST_UNPACKED:
        return Looked("too_large")
    for one in members:
        if one.file_size > _RATIO_MATTERS_FROM and one.file_size > _MOST_RATIO * max(
            1, one.compress_size
        ):
            return Looked("too_large")
    if "xl/workbook.xml" not in {one.filename for one in members}:
        return Looked("not_a_workbook")
    claims_more = False
    for one in members:
        # Reading checks the length and checksum, so a member that lies about its size is refused.
        content = archive.read(one)
        if one.filename.endswith((".xml", ".rels")) and _DECLARATION.search(content):
            return Looked("not_a_workbook")
        if one.filename.startswith("xl/worksheets/"):
            rows, columns = _extent(content)
            if rows * columns > _MOST_CELLS:
                return Looked("too_large")
            claims_more = claims_more or _claims_more(content, rows, columns)
    return Looked(None, claims_more)


def _extent(sheet: bytes) -> tuple[int, int]:
    """The last row and column in which something stands."""
    rows, columns = 0, 0
    for found in _FILLED.finditer(sheet):
        rows = max(rows, int(found[2]))
        columns = max(columns, _column_number(found[1]))
    for row in _ROW.finditer(sheet):
        rows = max(rows, int(row[1]))
    return rows, columns


def _claims_more(sheet: bytes, rows: int, columns: int) -> bool:
    """Excel itself claims a few rows too many at times; ten times as many is no such slip."""
    found = _DIMENSION.search(sheet[:65_536])
    if found is None:
        return False
    return int(found[3]) > 10 * rows + 1000 or _column_number(found[2]) > 10 * columns + 100


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 0x40
    return number
