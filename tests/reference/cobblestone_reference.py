"""A slow, obvious reading of c2sp.org/chunked-encryption, with HKDF from the standard library."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def derive(key: bytes, salt: bytes, context: bytes) -> tuple[bytes, bytes, bytes]:
    """Message key, base nonce and commitment (RFC 5869, section 2.3, by hand)."""
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\x00" + salt + context
    first = hmac.digest(key, info + b"\x01", hashlib.sha512)
    second = hmac.digest(key, first + info + b"\x02", hashlib.sha512)
    output = first + second
    return output[:32], output[32:44], output[44:76]


def opened(key: bytes, context: bytes, sealed: bytes) -> bytes | None:
    """The message, or None if it does not open."""
    salt, commitment, rest = sealed[:24], sealed[24:56], sealed[56:]
    message_key, base, expected = derive(key, salt, context)
    if len(key) != 32 or commitment != expected:
        return None
    message, number = b"", 0
    while True:
        chunk, rest = rest[:16400], rest[16400:]
        nonce = bytearray(base)
        for at, byte in enumerate(number.to_bytes(12, "big")):
            nonce[at] ^= byte
        try:
            message += AESGCM(message_key).decrypt(bytes(nonce), chunk, None)
        except InvalidTag:
            return None
        if len(chunk) < 16400:
            return None if rest else message
        number += 1
