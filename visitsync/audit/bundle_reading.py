"""Read a bundle line by line, in as little memory for seven million entries as for seven.

The file is gone through once for its form. Its hashes and entries stay where they are, and are read
again, one after the other, by whoever checks them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO, Final, Generic, TypeVar

from visitsync.audit.bundle import FIRST_LINE, VERSION, Leaf, Opened, Section
from visitsync.audit.canonical import from_base64
from visitsync.audit.entry import SALT_BYTES
from visitsync.audit.note import MAX_NOTE_BYTES
from visitsync.audit.tree import HASH_BYTES
from visitsync.errors import LogBroken
from visitsync.schema.silent import Struct

MAX_LINE_BYTES: Final = 1024 * 1024
"""Several times what the longest entry can have; a longer line is not read to its end."""

_ANY_VERSION: Final = re.compile(rb"visitsync/access-log-bundle/v([1-9][0-9]{0,3})")
_SUM: Final = re.compile(rb"[0-9a-f]{64}")
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,15}")
_One = TypeVar("_One")


class Bundle(Struct, frozen=True):
    """What a bundle holds."""

    sections: tuple[Section, ...]
    as_exported: bool
    """Whether the sum in the last line is that of the lines above it."""


class Stretch(Generic[_One]):
    """Lines of one kind, read anew whenever they are gone through; one stretch at a time."""

    __slots__ = ("_count", "_parse", "_prefix", "_source", "_start")

    def __init__(
        self,
        source: BinaryIO,
        start: int,
        count: int,
        prefix: bytes,
        parse: Callable[[bytes], _One | None],
    ) -> None:
        self._source = source
        self._start = start
        self._count = count
        self._prefix = prefix
        self._parse = parse

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[_One]:
        self._source.seek(self._start)
        skipped = len(self._prefix)
        for _ in range(self._count):
            line = self._source.readline(MAX_LINE_BYTES)
            found = self._parse(line[skipped:-1])
            if found is None or not line.startswith(self._prefix):
                raise LogBroken("the file was changed while it was read")
            yield found


def version_of(source: BinaryIO) -> int | None:
    """The version of the format that a file says it is of; None if it is no bundle at all."""
    source.seek(0)
    first = source.readline(MAX_LINE_BYTES).removesuffix(b"\n")
    found = _ANY_VERSION.fullmatch(first)
    if found is not None:
        return int(found[1])
    if first and first in FIRST_LINE:
        return VERSION
    # A bundle whose first line was damaged is a damaged bundle, not another kind of file.
    while line := source.readline(MAX_LINE_BYTES):
        if line.startswith((b"leaf ", b"checkpoint ")):
            return VERSION
    return None


def decode(source: BinaryIO) -> Bundle:
    """What was written by `bundle.lines`. `source` must stay open while that is looked at.

    A wrong sum in the last line is told, not raised, so that a changed file can be looked into.

    Raises:
        LogBroken: at the first line that is not as it must be; `where` is its number, from 1.
    """
    reader = _Reader(source)
    if reader.take(FIRST_LINE, "first line"):
        raise reader.spoilt("the first line")
    sections = [_section(reader)]
    digest = reader.digest()
    while (summed := reader.take_if(b"end ")) is None:
        sections.append(_section(reader))
        digest = reader.digest()
    if _SUM.fullmatch(summed) is None or not reader.ended():
        raise reader.spoilt("the end")
    return Bundle(tuple(sections), summed == digest)


class _Reader:
    """The lines of a bundle, one after the other."""

    def __init__(self, source: BinaryIO) -> None:
        source.seek(0)
        self.source = source
        self.offset = 0
        """Where the next line begins."""
        self._at = 0
        self._sum = sha256()
        self._next = source.readline(MAX_LINE_BYTES)

    def ended(self) -> bool:
        return not self._next

    def digest(self) -> bytes:
        """The sum of all lines taken so far, in hex."""
        return self._sum.hexdigest().encode()

    def take(self, prefix: bytes, what: str) -> bytes:
        """The rest of the next line, which must begin with `prefix`."""
        found = self.take_if(prefix)
        if found is None:
            raise self.broken(f"no {what}")
        return found

    def take_if(self, prefix: bytes) -> bytes | None:
        """The rest of the next line if it begins with `prefix`; else the line stays."""
        line = self._next
        # What does not end with a line feed is cut off, or longer than any line can be.
        if not line.startswith(prefix) or not line.endswith(b"\n"):
            return None
        self._at += 1
        self.offset += len(line)
        self._sum.update(line)
        self._next = self.source.readline(MAX_LINE_BYTES)
        return line[len(prefix) : -1]

    def take_note(self, count: int) -> bytes:
        lines: list[bytes] = []
        size = 0
        while len(lines) < count and size <= MAX_NOTE_BYTES:
            line = self.take(b"", "line of the checkpoint")
            lines.append(line + b"\n")
            size += len(line)
        return b"".join(lines)

    def broken(self, what: str) -> LogBroken:
        return LogBroken(f"{what} where another line must stand", where=str(self._at + 1))

    def spoilt(self, what: str) -> LogBroken:
        return LogBroken(f"{what} is not as it was written", where=str(self._at))


def _section(reader: _Reader) -> Section:
    origin = _text(reader, reader.take(b"shard ", "year"))
    before = _stretch(reader, b"hash ", _hash)
    leaves = _stretch(reader, b"leaf ", _leaf)
    # Without a period between them, all hashes stand before it: one form for each content.
    after = _stretch(reader, b"hash ", _hash)
    opened: list[Opened] = []
    while (line := reader.take_if(b"open ")) is not None:
        opened.append(_opened(reader, line))
        if len(opened) > 1 and opened[-2].place >= opened[-1].place:
            raise reader.spoilt("the order of disclosed parts")
    witnessed: list[str] = []
    while (line := reader.take_if(b"witnessed ")) is not None:
        witnessed.append(_text(reader, reader.take_note(_number(reader, line))))
    count = _number(reader, reader.take(b"checkpoint ", "checkpoint"))
    return Section(
        origin=origin,
        before=before,
        leaves=leaves,
        after=after,
        opened=tuple(opened),
        witnessed=tuple(witnessed),
        note=_text(reader, reader.take_note(count)),
    )


def _stretch(
    reader: _Reader, prefix: bytes, parse: Callable[[bytes], _One | None]
) -> Stretch[_One]:
    start, count = reader.offset, 0
    while (line := reader.take_if(prefix)) is not None:
        if parse(line) is None:
            raise reader.spoilt("a hash")
        count += 1
    return Stretch(reader.source, start, count, prefix, parse)


def _hash(text: bytes) -> bytes | None:
    found = from_base64(text)
    return found if found is not None and len(found) == HASH_BYTES else None


def _leaf(text: bytes) -> Leaf | None:
    hashed, _, entry = text.partition(b" ")
    found = _hash(hashed)
    return None if found is None else Leaf(found, entry)


def _opened(reader: _Reader, line: bytes) -> Opened:
    place, _, rest = line.partition(b" ")
    first, separator, second = rest.partition(b" ")
    salt, private = from_base64(first), from_base64(second)
    if salt is None or len(salt) != SALT_BYTES or private is None or not separator:
        raise reader.spoilt("a disclosed part")
    return Opened(_number(reader, place), salt, private)


def _number(reader: _Reader, text: bytes) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise reader.spoilt("a number")
    return int(text)


def _text(reader: _Reader, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise reader.spoilt("the text") from None
