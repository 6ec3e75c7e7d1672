"""Cobblestone-256: chunked encryption with AES-256-GCM (c2sp.org/chunked-encryption).

From the input key, a random salt of 192 bits and the context, HKDF-Expand with SHA-512 derives a
key and a nonce for this one message, and a commitment. So a nonce is never chosen by anybody and
cannot repeat by mistake, and a ciphertext opens under one key and one context alone. The message is
cut into chunks of 16 KiB; only the last is shorter, which is how a truncation is noticed.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from visitsync.errors import Tampered

KEY_BYTES: Final = 32
SALT_BYTES: Final = 24
COMMITMENT_BYTES: Final = 32
HEADER_BYTES: Final = SALT_BYTES + COMMITMENT_BYTES
TAG_BYTES: Final = 16
CHUNK_BYTES: Final = 16 * 1024
OVERHEAD_BYTES: Final = HEADER_BYTES + TAG_BYTES
"""What a message of less than one chunk grows by."""

_NONCE_BYTES: Final = 12
_SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
_INFO: Final = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_SHA512: Final = SHA512()


def encrypt(key: bytes, context: bytes, message: bytes) -> bytes:
    """Salt, commitment and the encrypted chunks of `message`.

    Args:
        key: 32 uniformly random bytes; may serve for any number of messages.
        context: what the same bytes must be given for to open it again.
        message: held in memory, so far below the construction's limit of 4 PiB.
    """
    salt = secrets.token_bytes(SALT_BYTES)
    aead, base_nonce, commitment = _derive(key, salt, context)
    if len(message) < CHUNK_BYTES:
        return salt + commitment + aead.encrypt(base_nonce, message, None)
    # A message of whole chunks ends with an empty one.
    chunks = [
        aead.encrypt(_nonce(base_nonce, number), message[at : at + CHUNK_BYTES], None)
        for number, at in enumerate(range(0, len(message) + 1, CHUNK_BYTES))
    ]
    return b"".join((salt, commitment, *chunks))


def decrypt(key: bytes, context: bytes, sealed: bytes) -> bytes:
    """The message that `encrypt` sealed under this key and context.

    Raises:
        Tampered: with any other key, context or ciphertext. Nothing is returned in parts.
    """
    if len(sealed) < OVERHEAD_BYTES:
        raise Tampered("cut short")
    aead, base_nonce, commitment = _derive(key, sealed[:SALT_BYTES], context)
    if not compare_digest(commitment, sealed[SALT_BYTES:HEADER_BYTES]):
        raise Tampered("sealed under another key or for another place")
    last = (len(sealed) - HEADER_BYTES) // _SEALED_CHUNK_BYTES
    try:
        if last == 0:
            return aead.decrypt(base_nonce, sealed[HEADER_BYTES:], None)
        return b"".join(
            aead.decrypt(_nonce(base_nonce, number), _chunk(sealed, number), None)
            for number in range(last + 1)
        )
    except InvalidTag:
        raise Tampered("altered after it was sealed") from None


def _derive(key: bytes, salt: bytes, context: bytes) -> tuple[AESGCM, bytes, bytes]:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    length = KEY_BYTES + _NONCE_BYTES + COMMITMENT_BYTES
    derived = HKDFExpand(_SHA512, length, _INFO + salt + context).derive(key)
    return (
        AESGCM(derived[:KEY_BYTES]),
        derived[KEY_BYTES : KEY_BYTES + _NONCE_BYTES],
        derived[KEY_BYTES + _NONCE_BYTES :],
    )


def _nonce(base_nonce: bytes, number: int) -> bytes:
    return (int.from_bytes(base_nonce, "big") ^ number).to_bytes(_NONCE_BYTES, "big")


def _chunk(sealed: bytes, number: int) -> bytes:
    start = HEADER_BYTES + number * _SEALED_CHUNK_BYTES
    # The last is shorter by how `number` is counted; one without a whole tag fails to decrypt.
    return sealed[start : start + _SEALED_CHUNK_BYTES]
