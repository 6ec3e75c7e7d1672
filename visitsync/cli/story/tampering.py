"""What somebody with the database in their hands might do to an exported log."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Final

_ACTOR: Final = re.compile(rb'"actor":"[^"]*"')


def edited(bundle: bytes) -> bytes:
    """One look under somebody else's name."""
    lines = bundle.split(b"\n")
    at = _look(lines)
    lines[at] = _ACTOR.sub(b'"actor":"somebody-else"', lines[at], count=1)
    return _summed(lines)


def removed(bundle: bytes) -> bytes:
    """One look less."""
    lines = bundle.split(b"\n")
    del lines[_look(lines)]
    return _summed(lines)


def swapped(bundle: bytes) -> bytes:
    """Two entries in each other's place."""
    lines = bundle.split(b"\n")
    at = _look(lines)
    lines[at - 1], lines[at] = lines[at], lines[at - 1]
    return _summed(lines)


def cut(bundle: bytes) -> bytes:
    """The last entry missing."""
    lines = bundle.split(b"\n")
    del lines[max(at for at, line in enumerate(lines) if line.startswith(b"leaf "))]
    return _summed(lines)


WAYS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "tamper_edited": edited,
    "tamper_removed": removed,
    "tamper_swapped": swapped,
    "tamper_cut": cut,
}
"""By what the story calls them."""


def _summed(lines: Sequence[bytes]) -> bytes:
    """The file again, with the sum in its last line made good: whoever forges, forges that too."""
    body = b"\n".join(lines[:-2]) + b"\n"
    return body + b"end %s\n" % sha256(body).hexdigest().encode()


def _look(lines: Sequence[bytes]) -> int:
    """The line of the last look at a timeline."""
    return max(at for at, line in enumerate(lines) if b'"kind":"timeline_read"' in line)
