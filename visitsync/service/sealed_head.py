"""The seal of the log's head: who can write to the database alone cannot move it.

It holds from one commit to the next, until the signer has seen the head; the signature is what
convinces others.
"""

from __future__ import annotations

import hmac

from visitsync.audit import Checkpoint, Frontier, NoteVerifier, open_signed
from visitsync.errors import LogBroken
from visitsync.store.access_log import Head


class HeadSeal:
    """Seals heads, and checks them.

    Args:
        key: 32 bytes, of the key file.
        verifier: of the log's signer.
    """

    __slots__ = ("_key", "_opened", "_verifier")

    def __init__(self, key: bytes, verifier: NoteVerifier) -> None:
        self._key = key
        self._verifier = verifier
        self._opened: tuple[str, Checkpoint] | None = None

    def of(self, head: Head) -> bytes:
        """The seal of where a log stands: 32 bytes."""
        said = f"{head.shard}\n{head.size}\n".encode() + head.frontier
        return hmac.digest(self._key, said, "sha256")

    def check(self, head: Head) -> None:
        """Check that a head is as it was written, and its checkpoint as it was signed.

        Raises:
            LogBroken: otherwise.
        """
        frontier = Frontier.from_bytes(head.frontier)
        if frontier.size != head.size:
            raise LogBroken("The access log's head contradicts itself", where=head.shard)
        if head.seal is not None and not hmac.compare_digest(head.seal, self.of(head)):
            raise LogBroken("The access log's head is not what was written", where=head.shard)
        whole = head.seal is None  # written by a release that signed each head as it was written
        if head.signed == 0 and not whole:
            return
        if self._opened is None or self._opened[0] != head.note:
            self._opened = (head.note, open_signed(head.note, [self._verifier]))
        signed = self._opened[1]
        covered = Checkpoint(head.shard, head.size, frontier.root()) if whole else None
        if (signed.origin, signed.size) != (head.shard, head.signed) or (
            covered is not None and signed != covered
        ):
            raise LogBroken("The access log's head is not what was signed", where=head.shard)
