"""Cobblestone-256 against its published vectors and against a slow reading of its text."""

from __future__ import annotations

import hashlib
import hmac
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import cobblestone_reference as reference
from vectors import needs_vectors, wycheproof

from visitsync.envelope.construction import CHUNK_BYTES, HEADER_BYTES, TAG_BYTES, decrypt, encrypt
from visitsync.errors import Tampered

KEY = bytes(range(32))
CONTEXT = b"a place"
SEALED_CHUNK = CHUNK_BYTES + TAG_BYTES
AROUND_CHUNKS = [0, 1, 255, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 40_000]


@needs_vectors
def test_published_chunked_encryption_vectors() -> None:
    seen = {"valid": 0, "invalid": 0}
    for _, test in wycheproof("c2sp_chunked_encryption_aes_256_gcm"):
        key, context = bytes.fromhex(test["key"]), bytes.fromhex(test["ctx"])
        sealed = zlib.decompress(bytes.fromhex(test["ct"]))
        try:
            message = decrypt(key, context, sealed)
        except (Tampered, ValueError):
            outcome = "invalid"
        else:
            outcome = "valid"
            assert hashlib.sha512(message).hexdigest() == test["msgSha512"], test["comment"]
        assert outcome == test["result"], test["comment"]
        seen[outcome] += 1
    assert seen == {"valid": 10, "invalid": 25}


@needs_vectors
def test_published_vectors_of_the_primitives_it_is_made_of() -> None:
    for group, test in wycheproof("aes_gcm"):
        if (group["keySize"], group["ivSize"], group["tagSize"]) != (256, 96, 128):
            continue  # the construction uses no other
        aead, nonce = AESGCM(bytes.fromhex(test["key"])), bytes.fromhex(test["iv"])
        aad, sealed = bytes.fromhex(test["aad"]), bytes.fromhex(test["ct"] + test["tag"])
        if test["result"] == "valid":
            assert aead.decrypt(nonce, sealed, aad).hex() == test["msg"]
            assert aead.encrypt(nonce, bytes.fromhex(test["msg"]), aad) == sealed
        else:
            with pytest.raises(Exception, match=r"^$"):
                aead.decrypt(nonce, sealed, aad)
    for _, test in wycheproof("hkdf_sha256"):
        salt = bytes.fromhex(test["salt"]) or bytes(32)
        pseudorandom = hmac.digest(salt, bytes.fromhex(test["ikm"]), "sha256")
        if test["result"] == "valid":
            made = HKDFExpand(SHA256(), test["size"], bytes.fromhex(test["info"]))
            assert made.derive(pseudorandom).hex() == test["okm"], test["tcId"]
        else:
            with pytest.raises(ValueError, match="derive"):
                HKDFExpand(SHA256(), test["size"], b"")


@pytest.mark.parametrize("length", AROUND_CHUNKS)
def test_the_slow_reading_opens_what_is_sealed(length: int) -> None:
    message = bytes(index % 251 for index in range(length))
    sealed = encrypt(KEY, CONTEXT, message)

    assert len(sealed) == HEADER_BYTES + length + TAG_BYTES * (length // CHUNK_BYTES + 1)
    assert reference.opened(KEY, CONTEXT, sealed) == message
    assert decrypt(KEY, CONTEXT, sealed) == message


@given(message=st.binary(max_size=300), key=st.binary(min_size=32, max_size=32), ctx=st.binary())
def test_what_is_sealed_opens(message: bytes, key: bytes, ctx: bytes) -> None:
    assert decrypt(key, ctx, encrypt(key, ctx, message)) == message


def test_any_flipped_bit_is_noticed() -> None:
    sealed = encrypt(KEY, CONTEXT, b"message")
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            decrypt(KEY, CONTEXT, bytes(flipped))


def test_every_truncation_is_refused() -> None:
    sealed = encrypt(KEY, CONTEXT, b"message")
    for end in range(len(sealed)):
        with pytest.raises(Tampered):
            decrypt(KEY, CONTEXT, sealed[:end])


@pytest.mark.parametrize("length", AROUND_CHUNKS)
def test_every_truncation_near_a_chunk_is_refused(length: int) -> None:
    sealed = encrypt(KEY, CONTEXT, bytes(length))
    whole_chunks = range(HEADER_BYTES, len(sealed), SEALED_CHUNK)
    ends = {edge + step for edge in (0, *whole_chunks, len(sealed)) for step in range(-18, 19)}
    for end in ends & set(range(len(sealed))):
        with pytest.raises(Tampered):
            decrypt(KEY, CONTEXT, sealed[:end])


@given(tail=st.binary(min_size=1, max_size=40))
@settings(max_examples=30)
def test_trailing_bytes_are_refused(tail: bytes) -> None:
    for length in (7, CHUNK_BYTES, CHUNK_BYTES + 1):
        with pytest.raises(Tampered):
            decrypt(KEY, CONTEXT, encrypt(KEY, CONTEXT, bytes(length)) + tail)


def test_chunks_cannot_be_moved_or_repeated() -> None:
    sealed = encrypt(KEY, CONTEXT, bytes(2 * CHUNK_BYTES) + b"end")
    header, body = sealed[:HEADER_BYTES], sealed[HEADER_BYTES:]
    one, two, end = body[:SEALED_CHUNK], body[SEALED_CHUNK : 2 * SEALED_CHUNK], body[-19:]
    assert decrypt(KEY, CONTEXT, header + one + two + end)  # control: in order it opens
    for order in ((two, one, end), (one, one, end), (one, end), (one, two, end, end), (end,)):
        with pytest.raises(Tampered):
            decrypt(KEY, CONTEXT, header + b"".join(order))


def test_it_opens_with_its_own_key_and_context_only() -> None:
    sealed = encrypt(KEY, CONTEXT, b"message")
    for key, context in ((bytes(32), CONTEXT), (KEY, b""), (KEY, CONTEXT + b"\0")):
        with pytest.raises(Tampered, match="another key or for another place"):
            decrypt(key, context, sealed)


def test_a_ciphertext_is_committed_to_its_key() -> None:
    """AES-GCM alone lets one ciphertext be made that opens under two keys; the commitment not."""
    sealed = encrypt(KEY, CONTEXT, b"message")
    other = bytes(32)
    message_key, nonce, _ = reference.derive(other, sealed[:24], CONTEXT)
    forged = AESGCM(message_key).encrypt(nonce, b"another", None)
    assert AESGCM(message_key).decrypt(nonce, forged, None) == b"another"  # without it: opens
    with pytest.raises(Tampered):
        decrypt(other, CONTEXT, sealed[:HEADER_BYTES] + forged)


def test_salts_do_not_repeat() -> None:
    salts = {encrypt(KEY, CONTEXT, b"")[:24] for _ in range(2_000)}
    assert len(salts) == 2_000


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encrypt(bytes(length), CONTEXT, b"")
    with pytest.raises(ValueError, match="32 bytes"):
        decrypt(bytes(length), CONTEXT, bytes(100))
