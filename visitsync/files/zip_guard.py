"""A look into a workbook's zip before it is opened: how much is there really?"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final, NamedTuple

from visitsync.files.sheet_guard import Look, TooLong

_MOST_MEMBERS: Final = 1_000
_MOST_UNPACKED: Final = 64 * 1024 * 1024
_MOST_RATIO: Final = 200
_RATIO_MATTERS_FROM: Final = 1024 * 1024
_MOST_CELLS: Final = 4_000_000
"""Rows × columns up to the last filled cell, over all sheets."""
_MOST_TEXT: Final = 256 * 1024 * 1024
"""Characters of all cells that refer to shared strings."""
_END_OF_ZIP: Final = b"PK\x05\x06"
_END_IS_WITHIN: Final = 65_557
"""Bytes from a zip's end in which its directory's end record stands (APPNOTE 4.3.16)."""


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
        whole = _END_OF_ZIP in data[-_END_IS_WITHIN:]
        return Looked("not_a_workbook" if whole else "truncated")
    except TooLong:
        return Looked("too_large")
    except (OSError, EOFError, zlib.error, NotImplementedError, RuntimeError, ValueError):
        # A damaged, encrypted or exotically packed member, or XML that is none.
        return Looked("not_a_workbook")


def _look_into(archive: zipfile.ZipFile) -> Looked:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS or sum(one.file_size for one in members) > _MOST_UNPACKED:
        return Looked("too_large")
    if any(map(_is_bomb, members)):
        return Looked("too_large")
    if "xl/workbook.xml" not in {one.filename for one in members}:
        return Looked("not_a_workbook")
    # Reading checks length and checksum, so a member that lies about its size is refused.
    return _within_bounds([look for one in members if (look := _look_at(one, archive.read(one)))])


def _is_bomb(member: zipfile.ZipInfo) -> bool:
    return member.file_size > _RATIO_MATTERS_FROM and member.file_size > _MOST_RATIO * max(
        1, member.compress_size
    )


def _look_at(member: zipfile.ZipInfo, content: bytes) -> Look | None:
    """What an XML member holds, whatever it is called; None where it is no XML."""
    if member.filename.endswith((".xml", ".rels")) or b"sheetData" in content or b"<si" in content:
        return Look(content)
    return None


def _within_bounds(looks: list[Look]) -> Looked:
    lengths = [length for look in looks for length in look.lengths]
    if sum(look.rows * look.columns for look in looks) > _MOST_CELLS:
        return Looked("too_large")
    references = [one for look in looks for one in look.references]
    if any(not 0 <= one < len(lengths) for one in references):
        return Looked("not_a_workbook")
    if sum(lengths[one] for one in references) > _MOST_TEXT:
        return Looked("too_large")
    return Looked(None, claims_more=any(map(_claims_more, looks)))


def _claims_more(look: Look) -> bool:
    """Excel itself claims a few rows too many at times; ten times as many is no such slip."""
    rows, columns = look.claimed
    return rows > 10 * look.rows + 1000 or columns > 10 * look.columns + 100
