r"""A bundle: the exported access log in one text file that other tools can check line by line.

    visitsync/access-log-bundle/v1
    shard visitsync/shiomi/2026           one section per fiscal year, ascending
    hash <base64>                         leaf hash of an entry before the period
    leaf <base64> {"actor":…}             leaf hash, then the entry's exact bytes
    hash <base64>                         leaf hash of an entry after the period
    open <place> <base64> <base64>        salt and private part of an entry, if disclosed
    witnessed <number of lines>           a head of this year that somebody else cosigned, if any
    …                                     that signed note, as it is
    checkpoint <number of lines>
    …                                     the signed note, as it is
    end <SHA-256 in hex of all lines above>

Every entry of the year has its ``hash`` or ``leaf`` line, in order, from place 0; so the root can
be computed for this size and for any older one, whatever the period. Lines end with a line feed.
Every byte is significant: what is not canonical is refused. The sum in the last line only tells a
damaged file from one that came as it was exported; what convinces is the signed root.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.audit.entry import SALT_BYTES
from visitsync.audit.tree import HASH_BYTES, leaf_hash
from visitsync.errors import LogBroken

VERSION: Final = 1
FIRST_LINE: Final = b"visitsync/access-log-bundle/v%d" % VERSION

_ANY_VERSION: Final = re.compile(rb"visitsync/access-log-bundle/v([1-9][0-9]{0,3})")
_SUM: Final = re.compile(rb"[0-9a-f]{64}")
_NUMBER: Final = re.compile(rb"0|[1-9][0-9]{0,15}")


class Leaf(msgspec.Struct, frozen=True):
    """An entry as it is stored: its hash, and its bytes. Whether they agree is to be checked."""

    hashed: bytes
    line: bytes


class Opened(msgspec.Struct, frozen=True):
    """The disclosed private part of one entry."""

    place: int
    salt: bytes
    private: bytes

    def __repr__(self) -> str:
        return f"<Opened part of entry {self.place}>"


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """One fiscal year's log: all leaf hashes, and the entries of a period."""

    origin: str
    before: tuple[bytes, ...] = ()
    """Leaf hashes of the entries before the period."""
    leaves: tuple[Leaf, ...]
    after: tuple[bytes, ...] = ()
    """Leaf hashes of the entries after the period."""
    opened: tuple[Opened, ...] = ()
    """By ascending place."""
    witnessed: tuple[str, ...] = ()
    """Signed checkpoints of this year with cosignatures of witnesses."""
    note: str
    """The signed checkpoint of the whole year, also beyond the period."""


def stored(lines: Iterable[bytes]) -> tuple[Leaf, ...]:
    """Leaves whose hashes are computed here, for whoever stores none."""
    return tuple(Leaf(leaf_hash(line), line) for line in lines)


def encode(sections: Sequence[Section]) -> bytes:
    """The bundle's bytes; equal sections give equal bytes."""
    return b"".join(lines(sections))


def lines(sections: Iterable[Section]) -> Iterator[bytes]:
    """The bundle line by line, each with its line feed, to be written as they come."""
    summed = sha256()
    for line in _body(sections):
        summed.update(line)
        yield line
    yield f"end {summed.hexdigest()}\n".encode()


def is_as_exported(data: bytes) -> bool:
    """Whether the sum in the last line is that of the lines above it."""
    body, separator, last = data.rpartition(b"\nend ")
    return last == sha256(body + separator[:1]).hexdigest().encode() + b"\n"


def _body(sections: Iterable[Section]) -> Iterator[bytes]:
    yield FIRST_LINE + b"\n"
    for section in sections:
        yield f"shard {section.origin}\n".encode()
        yield from map(_hash_line, section.before)
        for leaf in section.leaves:
            yield f"leaf {to_base64(leaf.hashed)} ".encode() + leaf.line + b"\n"
        yield from map(_hash_line, section.after)
        for part in section.opened:
            parts = f"{to_base64(part.salt)} {to_base64(part.private)}"
            yield f"open {part.place} {parts}\n".encode()
        for seen in section.witnessed:
            yield b"witnessed %d\n" % seen.count("\n") + seen.encode()
        note = section.note.encode()
        yield b"checkpoint %d\n" % note.count(b"\n") + note


def version_of(data: bytes) -> int | None:
    """The version of the format that a file says it is of; None if it is no bundle at all."""
    first, _, rest = data.partition(b"\n")
    found = _ANY_VERSION.fullmatch(first)
    if found is not None:
        return int(found[1])
    # A bundle whose first line was damaged is a damaged bundle, not another kind of file.
    damaged = b"\nleaf " in rest or b"\ncheckpoint " in rest or (first and first in FIRST_LINE)
    return VERSION if damaged else None


def decode(data: bytes) -> tuple[Section, ...]:
    """The sections that `encode` wrote as `data`.

    The sum in the last line is for `is_as_exported`, so that a changed file can still be looked
    into.

    Raises:
        LogBroken: at the first line that is not as it must be; `where` is its number, from 1.
    """
    reader = _Reader(data)
    if reader.take(FIRST_LINE, "first line"):
        raise reader.spoilt("the first line")
    sections = [_section(reader)]
    while (summed := reader.take_if(b"end ")) is None:
        sections.append(_section(reader))
    if _SUM.fullmatch(summed) is None or not reader.ended():
        raise reader.spoilt("the end")
    return tuple(sections)


class _Reader:
    """The lines of a bundle, one after the other."""

    def __init__(self, data: bytes) -> None:
        *self._lines, self._tail = data.split(b"\n")
        self._at = 0

    def ended(self) -> bool:
        return self._at == len(self._lines) and not self._tail

    def take(self, prefix: bytes, what: str) -> bytes:
        """The rest of the next line, which must begin with `prefix`."""
        found = self.take_if(prefix)
        if found is None:
            raise self.broken(f"no {what}")
        return found

    def take_if(self, prefix: bytes) -> bytes | None:
        """The rest of the next line if it begins with `prefix`; else the line stays."""
        if self._at == len(self._lines) or not self._lines[self._at].startswith(prefix):
            return None
        self._at += 1
        return self._lines[self._at - 1][len(prefix) :]

    def take_lines(self, count: int) -> bytes:
        if count > len(self._lines) - self._at:
            raise self.broken("the end of the file")
        self._at += count
        return b"".join(line + b"\n" for line in self._lines[self._at - count : self._at])

    def broken(self, what: str) -> LogBroken:
        return LogBroken(f"{what} where another line must stand", where=str(self._at + 1))

    def spoilt(self, what: str) -> LogBroken:
        return LogBroken(f"{what} is not as it was written", where=str(self._at))


def _section(reader: _Reader) -> Section:
    origin = _text(reader, reader.take(b"shard ", "year"))
    before = _hashes(reader)
    leaves = []
    while (line := reader.take_if(b"leaf ")) is not None:
        hashed, _, entry = line.partition(b" ")
        leaves.append(Leaf(_hash(reader, hashed), entry))
    # Without a period between them, all hashes stand before it: one form for each content.
    after = _hashes(reader)
    opened: list[Opened] = []
    while (line := reader.take_if(b"open ")) is not None:
        opened.append(_opened(reader, line))
        if len(opened) > 1 and opened[-2].place >= opened[-1].place:
            raise reader.spoilt("the order of disclosed parts")
    witnessed: list[str] = []
    while (line := reader.take_if(b"witnessed ")) is not None:
        witnessed.append(_text(reader, reader.take_lines(_number(reader, line))))
    count = _number(reader, reader.take(b"checkpoint ", "checkpoint"))
    return Section(
        origin=origin,
        before=before,
        leaves=tuple(leaves),
        after=after,
        opened=tuple(opened),
        witnessed=tuple(witnessed),
        note=_text(reader, reader.take_lines(count)),
    )


def _hashes(reader: _Reader) -> tuple[bytes, ...]:
    hashes = []
    while (line := reader.take_if(b"hash ")) is not None:
        hashes.append(_hash(reader, line))
    return tuple(hashes)


def _hash(reader: _Reader, text: bytes) -> bytes:
    found = from_base64(text)
    if found is None or len(found) != HASH_BYTES:
        raise reader.spoilt("a hash")
    return found


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


def _hash_line(hashed: bytes) -> bytes:
    return f"hash {to_base64(hashed)}\n".encode()
