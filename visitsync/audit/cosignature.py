"""Cosignatures of witnesses (c2sp.org/tlog-cosignature, ``cosignature/v1``).

A witness says: at this time I saw this head, and it extends every head of this log that I saw
before. It says nothing about what the entries mean.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from visitsync.audit.canonical import to_base64
from visitsync.audit.checkpoint import peek
from visitsync.audit.note import COSIGNATURE, TIME_BYTES, NoteVerifier, split_note, vkey_of


class Cosigner:
    """Cosigns checkpoints with one Ed25519 key.

    Args:
        name: of the witness, without spaces or ``+``.
        seed: 32 secret bytes.
    """

    __slots__ = ("_key", "name", "vkey")

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = name
        self.vkey = vkey_of(name, COSIGNATURE, self._key.public_key().public_bytes_raw())
        """The public key, as auditors are given it."""
        NoteVerifier(self.vkey)

    def cosign(self, note: str, seconds: int) -> str:
        """The checkpoint with a further signature line.

        Args:
            note: a signed checkpoint that was checked, and found to extend the last one.
            seconds: since 1970, when it was seen.

        Raises:
            BadNote: it is no checkpoint.
        """
        peek(note)
        text, _ = split_note(note)
        said = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        made = NoteVerifier(self.vkey).key_id + seconds.to_bytes(TIME_BYTES, "big")
        return f"{note}— {self.name} {to_base64(made + self._key.sign(said))}\n"

    def __repr__(self) -> str:
        return f"<Cosigner {self.name}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")
