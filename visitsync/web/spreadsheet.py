r"""CSV for spreadsheets: RFC 4180 in UTF-8 with a byte order mark, in which nothing is computed.

A cell that begins like a formula would be one to the program that opens the file; what people and
other systems wrote could then call, fetch or send. Such a cell begins with an apostrophe here.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

BOM: Final = b"\xef\xbb\xbf"
MEDIA_TYPE: Final = "text/csv"
_FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""Signs by which a formula begins, or which some program takes away before it looks for one."""


def neutral(cell: str) -> str:
    """A cell that no program takes for a formula.

    >>> neutral("=1+1"), neutral("＠x"), neutral("u01")
    ("'=1+1", "'＠x", 'u01')
    """
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def rows(lines: Iterable[Iterable[str]]) -> bytes:
    """Lines of cells as they stand in a file; the file begins with `BOM`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([neutral(cell) for cell in line] for line in lines)
    return text.getvalue().encode()
