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
`bundle_reading` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, Protocol, TypeVar

from visitsync.audit.canonical import to_base64
from visitsync.audit.tree import leaf_hash
from visitsync.schema.silent import Struct

VERSION: Final = 1
FIRST_LINE: Final = b"visitsync/access-log-bundle/v%d" % VERSION

_One_co = TypeVar("_One_co", covariant=True)


class Counted(Protocol[_One_co]):
    """Some of a year's lines, which need not all be in memory: counted, gone through again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[_One_co]: ...


class Leaf(Struct, frozen=True):
    """An entry as it is stored: its hash, and its bytes. Whether they agree is to be checked."""

    hashed: bytes
    line: bytes


class Opened(Struct, frozen=True):
    """The disclosed private part of one entry."""

    place: int
    salt: bytes
    private: bytes

    def __repr__(self) -> str:
        return f"<Opened part of entry {self.place}>"


class Section(Struct, frozen=True, kw_only=True):
    """One fiscal year's log: all leaf hashes, and the entries of a period."""

    origin: str
    before: Counted[bytes] = ()
    """Leaf hashes of the entries before the period."""
    leaves: Counted[Leaf]
    after: Counted[bytes] = ()
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
    made = BundleMaker()
    yield made.begin()
    for section in sections:
        yield made.year(section.origin)
        yield from map(made.hashed, section.before)
        yield from map(made.leaf, section.leaves)
        yield from map(made.hashed, section.after)
        yield made.close(section.note, section.opened, section.witnessed)
    yield made.end()


class BundleMaker:
    """A bundle in the order of its lines, for whoever never has all of it at hand.

    Without `end` it is torn, and every verifier says so.
    """

    def __init__(self) -> None:
        self._sum = sha256()

    def begin(self) -> bytes:
        """The first line of all."""
        return self._summed(FIRST_LINE + b"\n")

    def year(self, origin: str) -> bytes:
        """What a year begins with."""
        return self._summed(f"shard {origin}\n".encode())

    def hashed(self, hashed: bytes) -> bytes:
        """An entry outside the period."""
        return self._summed(f"hash {to_base64(hashed)}\n".encode())

    def leaf(self, leaf: Leaf) -> bytes:
        """An entry of the period; those of a year stand together."""
        return self._summed(f"leaf {to_base64(leaf.hashed)} ".encode() + leaf.line + b"\n")

    def close(
        self, note: str, opened: Iterable[Opened] = (), witnessed: Iterable[str] = ()
    ) -> bytes:
        """What stands below a year's entries, as in `Section`."""
        parts = [
            f"open {part.place} {to_base64(part.salt)} {to_base64(part.private)}\n"
            for part in opened
        ]
        parts += [f"witnessed {seen.count(chr(10))}\n{seen}" for seen in witnessed]
        parts.append(f"checkpoint {note.count(chr(10))}\n{note}")
        return self._summed("".join(parts).encode())

    def end(self) -> bytes:
        """The last line, with the sum of all that was made."""
        return f"end {self._sum.hexdigest()}\n".encode()

    def _summed(self, made: bytes) -> bytes:
        self._sum.update(made)
        return made
