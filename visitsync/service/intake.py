"""Taking in what an office handed in: canonical records, each by itself good or rejected."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from visitsync.errors import BadJson, RecordError
from visitsync.schema import strict_json, visit
from visitsync.schema.directory import Office
from visitsync.schema.silent import Struct
from visitsync.schema.visit import Visit
from visitsync.service.slices import in_slices

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_CONTROL: Final = re.compile(
    rb"(?<!\\)(?:\\\\)*\\(?:u00|[bf])"  # as JSON escapes U+0000 to U+001F but TAB, LF and CR
    rb"|\x7f|\xc2[\x80-\x9f]"
)
_BLANK: Final = b" \t\r"
_PLACE: Final = re.compile(r"\((byte \d+)\)$")


class Item(Struct, frozen=True):
    """One record as handed in."""

    index: int
    line: bytes
    """The canonical line; empty where it is rejected."""
    visit: Visit | None
    code: str | None = None
    """Why it is rejected."""
    where: str | None = None


def lines_of(content: bytes, *, ndjson: bool) -> Sequence[bytes]:
    """The records of a body: its lines, or the members of its array.

    Raises:
        BadJson: it is empty, or no array.
    """
    if ndjson:
        found = [line for line in content.split(b"\n") if line.strip(_BLANK)]
    else:
        found = _members(content)
    if not found:
        raise BadJson("The body holds no record")
    return found


def _members(content: bytes) -> list[bytes]:
    try:
        return [bytes(one) for one in _ARRAY.decode(content)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        raise BadJson(
            "The body is no JSON array of records", where=place[1] if place else None
        ) from None


async def read(lines: Iterable[bytes], office: Office) -> list[Item]:
    """Each line by itself: a record of this office under its contract, or why not."""
    items = []
    async for index, line in in_slices(enumerate(lines)):
        items.append(_judged(_item(index, line), office))
    return items


async def of_visits(visits: Iterable[Visit], office: Office) -> list[Item]:
    """The same for records that an adapter read from the office's own files."""
    items = []
    async for index, one in in_slices(enumerate(visits)):
        items.append(_judged(Item(index, visit.encode(one), one), office))
    return items


def _item(index: int, line: bytes) -> Item:
    """The record written as `line`.

    Decoding does not see a name that stands twice; but then the line differs from the canonical
    one, and only such a line is read a second time, strictly.
    """
    try:
        found = visit.decode(line)
        canonical = visit.encode(found)
        if canonical != line:
            strict_json.loads(line)
            _refuse_unless_nfc(canonical)
    except RecordError as error:
        return Item(index, b"", None, error.code, error.where)
    except strict_json.NotStrictJson as error:
        return Item(index, b"", None, f"bad_json_{error.reason}")
    if _CONTROL.search(canonical) is not None:
        # It would reach terminals and spreadsheets; line feeds and tabs are part of notes.
        return Item(index, b"", None, "control_character")
    return Item(index, canonical, found)


def _refuse_unless_nfc(canonical: bytes) -> None:
    # Escapes (\u304b\u3099) hide from the check that decoding makes on the line as it came.
    if not unicodedata.is_normalized("NFC", canonical.decode()):
        raise RecordError("holds text that is not NFC")


def _judged(item: Item, office: Office) -> Item:
    """A good record, unless it is another office's, program's, or outside the contract."""
    found = item.visit
    if found is None:
        return item
    if found.source.office != office.id:
        return Item(item.index, b"", found, "wrong_office", "source.office")
    if found.program != office.program:
        return Item(item.index, b"", found, "wrong_program", "program")
    if not office.under_contract(found.date):
        return Item(item.index, b"", found, "outside_contract", "date")
    return item


def content_of(line: bytes) -> bytes:
    """What a canonical line says, apart from where it stood in the office's file.

    The same report in another file, or in another row, says the same. Quotes inside a text are
    escaped, so what is searched for can only be a name.
    """
    start = line.index(b',"file":')
    return line[:start] + line[line.index(b'},"case_no":', start) :]
