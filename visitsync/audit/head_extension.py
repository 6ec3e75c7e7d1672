r"""A head with the proof that it extends an older one, as a witness is sent it.

The form of c2sp.org/tlog-witness (add-checkpoint):

    old <size>
    <base64 of a hash>          one line each, see `consistency_proof`

    <the signed checkpoint>
"""

from __future__ import annotations

import re
from typing import Final

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.audit.tree import HASH_BYTES
from visitsync.errors import BadNote
from visitsync.schema.silent import Struct

MOST_HASHES: Final = 63
_OLD: Final = re.compile("old (0|[1-9][0-9]{0,15})")


class HeadExtension(Struct, frozen=True, kw_only=True):
    """What is sent; nothing of it is checked yet."""

    older: int
    """The size that the proof begins at."""
    proof: tuple[bytes, ...]
    note: str

    def text(self) -> str:
        """The lines."""
        lines = [f"old {self.older}", *map(to_base64, self.proof), ""]
        return "\n".join(lines) + "\n" + self.note


def parse(text: str) -> HeadExtension:
    """What `HeadExtension.text` would write as `text`.

    Raises:
        BadNote: it is none.
    """
    head, separator, note = text.partition("\n\n")
    first, *lines = head.split("\n")
    found = _OLD.fullmatch(first)
    proof = tuple(from_base64(line) or b"" for line in lines)
    if (
        found is None
        or not separator
        or len(proof) > MOST_HASHES
        or any(len(one) != HASH_BYTES for one in proof)
    ):
        raise BadNote("this is no head with its proof", reason="malformed")
    return HeadExtension(older=int(found[1]), proof=proof, note=note)
