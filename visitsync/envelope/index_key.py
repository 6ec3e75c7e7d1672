"""Blind indexes: keyed hashes by which sealed values are found again without being stored.

The key is not in the database, so a stolen database cannot be searched by guessing names.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from visitsync.envelope.context import framed

_SHA256: Final = SHA256()
_BYTES: Final = 32
_MAX_BITS: Final = 64
_ID_BYTES: Final = 8
_ID_LABEL: Final = b"visitsync/index-key-id/1"

DEFAULT_TOKEN_BITS: Final = 12
"""Buckets of about a dozen among 50,000 households."""


class IndexKey:
    """Tokens for search and linking, of one epoch.

    Args:
        secret: 32 random bytes from the key file.
        token_bits: how many bits of a token are kept, 1 to 64. A town of n households gets buckets
            of about n / 2**token_bits; choose it for the population, it stays as long as the epoch.
    """

    __slots__ = ("_token", "id", "token_bits")

    def __init__(self, secret: bytes, *, token_bits: int = DEFAULT_TOKEN_BITS) -> None:
        if not is_token_length(token_bits):
            raise ValueError(f"a token keeps 1 to {_MAX_BITS} bits")
        self.token_bits = token_bits
        if len(secret) != _BYTES:
            raise ValueError(f"an index secret has {_BYTES} bytes")
        self.id: Final = HKDFExpand(_SHA256, _ID_BYTES, _ID_LABEL).derive(secret).hex()
        # The object is kept with the key already taken in: a copy costs half of keying it anew.
        derived = HKDFExpand(_SHA256, _BYTES, b"visitsync/index/token/1").derive(secret)
        self._token = HMAC(derived, _SHA256)

    def token(self, kind: str, value: str) -> bytes:
        """The bucket of a compound value; others share it, so open and compare what it finds.

        Only for compound values (kana with birth date, a phone number, an identifier with its
        kind), already normalised: never a surname, a sex or a postal code alone, whose buckets
        would show how often each occurs.

        Returns:
            As many bytes as `token_bits` fill, the spare low bits zero.
        """
        mac = self._token.copy()
        mac.update(framed(kind) + framed(value))
        length = (self.token_bits + 7) // 8
        spare = length * 8 - self.token_bits
        kept = int.from_bytes(mac.finalize()[:length], "big") >> spare << spare
        return kept.to_bytes(length, "big")

    def __repr__(self) -> str:
        return "<IndexKey>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


class IdKey:
    """Keyed identifiers: for uniqueness, and for what rows stand under.

    It stays: the identifiers that it makes stand in links, facts, evidence and the access log.

    Args:
        key: 32 bytes from the key file.
    """

    __slots__ = ("_exact",)

    def __init__(self, key: bytes) -> None:
        if len(key) != _BYTES:
            raise ValueError(f"a key of identifiers has {_BYTES} bytes")
        self._exact = HMAC(key, _SHA256)

    def exact(self, kind: str, *parts: str) -> bytes:
        """32 bytes that only the same kind and parts have, for uniqueness keys.

        It shows which rows are equal and nothing else, so it is for identifiers that are unique
        anyway (an office with its record id), not for what describes a person.
        """
        mac = self._exact.copy()
        mac.update(b"".join(map(framed, (kind, *parts))))
        return mac.finalize()

    def __repr__(self) -> str:
        return "<IdKey>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


def _derived(secret: bytes, label: bytes) -> bytes:
    if len(secret) != _BYTES:
        raise ValueError(f"an index secret has {_BYTES} bytes")
    return HKDFExpand(_SHA256, _BYTES, label).derive(secret)


def is_token_length(bits: int) -> bool:
    """Whether a token may keep so many bits."""
    return 1 <= bits <= _MAX_BITS
