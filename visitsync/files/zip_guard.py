"""A look into a workbook's zip before it is opened: how much is there really?"""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Collection, Mapping
from typing import Final, NamedTuple

from visitsync.files.sheet_guard import Look, Spot, TooLong, attributes_of
from visitsync.schema.silent import silent

_MOST_MEMBERS: Final = 1_000
_MOST_UNPACKED: Final = 64 * 1024 * 1024
_MOST_RATIO: Final = 200
_RATIO_MATTERS_FROM: Final = 1024 * 1024
_MOST_CELLS: Final = 4_000_000
"""Rows × columns up to the last filled cell, over all sheets."""
_MOST_TEXT: Final = 256 * 1024 * 1024
"""Characters of all cells that refer to shared strings."""
_BOOK: Final = "xl/workbook.xml"
_PARTS: Final = "xl/_rels/workbook.xml.rels"
_END_OF_ZIP: Final = b"PK\x05\x06"
_END_IS_WITHIN: Final = 65_557
"""Bytes from a zip's end in which its directory's end record stands (APPNOTE 4.3.16)."""


@silent
class Looked(NamedTuple):
    """What a look into the zip found."""

    refused: str | None
    """The problem for which the file is not opened."""
    claims_more: bool = False
    """Whether a sheet claims many more rows or columns than it holds."""
    without_value: Mapping[str, Collection[Spot]] = {}
    """By sheet the cells that hold an error or a formula without its result."""


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
    if _BOOK not in {one.filename for one in members}:
        return Looked("not_a_workbook")
    # Reading checks length and checksum, so a member that lies about its size is refused.
    looks = {one.filename: look for one in members if (look := _look_at(one, archive.read(one)))}
    looked = _within_bounds(list(looks.values()))
    if not any(look.without_value for look in looks.values()):
        return looked
    return looked._replace(
        without_value={
            sheet: looks[member].without_value
            for sheet, member in _members_of_sheets(archive)
            if member in looks
        }
    )


def _members_of_sheets(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """The name of each sheet with the member that holds it."""
    if _PARTS not in archive.namelist():
        return []
    targets = {
        part.get("Id"): posixpath.join("/xl", part.get("Target", "")).removeprefix("/")
        for part in attributes_of("Relationship", archive.read(_PARTS))
    }
    return [
        (sheet.get("name", ""), targets.get(sheet.get("id"), ""))
        for sheet in attributes_of("sheet", archive.read(_BOOK))
    ]


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
