"""A look at a worksheet's XML before the workbook reader sees it: how far do its cells reach?

The reader keeps every cell up to the last filled one in memory and copies a shared string for each
cell that refers to it, so one far cell or one long string can be gigabytes. No entity is expanded:
a DOCTYPE is refused.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias
from xml.parsers import expat

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})", re.ASCII)
_ROW: Final = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_LAST_ROW: Final = 1_048_576
_LAST_COLUMN: Final = 16_384
_MOST_TEXT: Final = 32_767
_MOST_WITHOUT_VALUE: Final = 100_000

Spot: TypeAlias = tuple[int, int]
"""Row and column, from 1."""


class NotASheet(ValueError):
    """The XML is damaged, or no worksheet that a spreadsheet writes."""


class TooLong(ValueError):
    """A text is longer than a cell can hold."""


class Look:
    """What one XML member of a workbook holds.

    Args:
        content: the member's bytes.

    Raises:
        NotASheet: where it is not well-formed, has a DOCTYPE, or a cell's place is none.
        TooLong: where a shared string is longer than a cell can hold, or too many cells have no
            value.
    """

    def __init__(self, content: bytes) -> None:
        self.rows = 0
        """The last row in which something stands."""
        self.columns = 0
        """The last column in which something stands."""
        self.claimed = (0, 0)
        """Rows and columns that the sheet says it has."""
        self.lengths: list[int] = []
        """Of the shared strings, where this member holds them."""
        self.references: list[int] = []
        """Which shared strings the cells refer to."""
        self.without_value: set[Spot] = set()
        """Cells with an error (#N/A), or with a formula that nobody computed: not empty ones."""
        self._row, self._column = 0, 0
        self._type: str | None = None
        self._formula, self._valued = False, False
        self._text: list[str] | None = None
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse
        try:
            parser.Parse(content, True)  # noqa: FBT003 -- expat takes no keywords
        except expat.ExpatError:
            raise NotASheet from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self._row, self._column = _row(attributes.get("r"), self._row + 1), 0
            case "c":
                self._cell(attributes)
            case "v" | "is" | "f":
                self.rows, self.columns = (
                    max(self.rows, self._row),
                    max(self.columns, self._column),
                )
                self._formula = self._formula or name.endswith("f")
                keeps = self._type == "s" or self._formula
                self._text = [] if keeps and name.endswith("v") else self._text
            case "si":
                self._text = []
            case "dimension":
                last = attributes.get("ref", "").rpartition(":")[2]
                self.claimed = _place(last) or (_LAST_ROW, _LAST_COLUMN)
            case _:
                pass

    def _cell(self, attributes: dict[str, str]) -> None:
        self._type = attributes.get("t")
        self._formula, self._valued = False, False
        if "r" not in attributes:
            self._column += 1
            return
        place = _place(attributes["r"])
        if place is None:
            raise NotASheet
        self._row, self._column = place

    def _end(self, name: str) -> None:
        if self._text is None:
            if name.rpartition(":")[2] == "c":
                self._end_of_cell()
            return
        text = "".join(self._text)
        match name.rpartition(":")[2]:
            case "si":
                if len(text) > _MOST_TEXT:
                    raise TooLong
                self.lengths.append(len(text))
                self._text = None
            case "v":
                if self._type == "s":
                    self.references.append(int(text) if text.isascii() and text.isdigit() else -1)
                self._valued = bool(text)
                self._text = None
            case _:
                pass

    def _end_of_cell(self) -> None:
        # A formula whose result is an empty text is a cell of type str.
        if self._type == "e" or (self._formula and not self._valued and self._type != "str"):
            self.without_value.add((self._row, self._column))
            if len(self.without_value) > _MOST_WITHOUT_VALUE:
                raise TooLong

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def attributes_of(element: str, content: bytes) -> list[dict[str, str]]:
    """The attributes of each element of that name in XML that a `Look` has passed."""
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == element:
            found.append({key.rpartition(":")[2]: value for key, value in attributes.items()})

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse(content, True)  # noqa: FBT003 -- expat takes no keywords
    return found


def _place(reference: str) -> Spot | None:
    """Row and column of a reference such as ``AB12``, within what a sheet can have."""
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 0x40
    row = int(found[2])
    return (row, column) if row <= _LAST_ROW and column <= _LAST_COLUMN else None


def _row(number: str | None, following: int) -> int:
    if number is None:
        return following
    if _ROW.fullmatch(number) is None or int(number) > _LAST_ROW:
        raise NotASheet
    return int(number)


def _refuse(*_: object) -> None:
    raise NotASheet
