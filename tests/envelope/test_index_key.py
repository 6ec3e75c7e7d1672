"""Blind indexes: the same value the same token, cut to a bucket, and nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import pickle
from collections import Counter

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from hypothesis import given
from hypothesis import strategies as st
from vectors import needs_vectors, wycheproof

from visitsync.envelope import IdKey, IndexKey
from visitsync.envelope.form import Contents

SECRET = bytes(range(32))
KEY = IndexKey(SECRET)
IDS = IdKey(SECRET)


@needs_vectors
def test_published_hmac_vectors() -> None:
    for group, test in wycheproof("hmac_sha256"):
        mac = HMAC(bytes.fromhex(test["key"]), SHA256())
        mac.update(bytes.fromhex(test["msg"]))
        made = mac.finalize()[: group["tagSize"] // 8].hex()
        assert (made == test["tag"]) == (test["result"] == "valid"), test["tcId"]


def by_hand(label: bytes, *parts: str) -> bytes:
    derived = hmac.digest(SECRET, label + b"\x01", "sha256")
    framed = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
    return hmac.digest(derived, framed, hashlib.sha256)


@given(kind=st.text(max_size=10), value=st.text(max_size=30), bits=st.integers(1, 64))
def test_a_token_is_the_first_bits_of_a_keyed_hash(kind: str, value: str, bits: int) -> None:
    token = IndexKey(SECRET, token_bits=bits).token(kind, value)
    whole = by_hand(b"visitsync/index/token/1", kind, value)
    kept = f"{int.from_bytes(whole, 'big'):0256b}"[:bits]
    assert token == int(kept.ljust(-(-bits // 8) * 8, "0"), 2).to_bytes(-(-bits // 8), "big")


@given(kind=st.text(max_size=10), parts=st.lists(st.text(max_size=10), max_size=4))
def test_an_exact_key_is_a_keyed_hash_of_all_parts(kind: str, parts: list[str]) -> None:
    """Its key is what releases with one secret derived from it."""
    contents = Contents.of_one_secret({}, SECRET, b"")
    assert IdKey(contents.ids).exact(kind, *parts) == by_hand(
        b"visitsync/index/exact/1", kind, *parts
    )


def test_parts_do_not_flow_into_each_other() -> None:
    spread = {IDS.exact("k", "ab", "c"), IDS.exact("k", "a", "bc"), IDS.exact("k", "abc")}
    assert len(spread | {IDS.exact("ka", "bc"), IDS.exact("k", "abc", "")}) == 5


def test_a_town_of_50_000_gets_buckets_of_about_a_dozen() -> None:
    """So a token leads to some households and never names one (trust: frequency hiding)."""
    buckets = Counter(KEY.token("phone", f"000-{n:08}") for n in range(50_000))
    assert len(KEY.token("phone", "x")) == 2
    assert len(buckets) == 4096
    assert 12 < 50_000 / len(buckets) < 13
    assert min(buckets.values()) > 0
    assert max(buckets.values()) < 40


def test_another_key_gives_other_tokens() -> None:
    other = IndexKey(bytes(32), token_bits=64)
    assert IndexKey(SECRET, token_bits=64).token("k", "v") != other.token("k", "v")
    assert IDS.exact("k", "v") != IdKey(bytes(32)).exact("k", "v")


@pytest.mark.parametrize("bits", [0, 65, -1])
def test_a_token_of_no_bits_or_too_many_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="bits"):
        IndexKey(SECRET, token_bits=bits)


def test_a_secret_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        IndexKey(SECRET[:31])
    with pytest.raises(ValueError, match="32 bytes"):
        IdKey(SECRET[:31])


def test_the_key_is_not_printed_or_pickled() -> None:
    for key in (KEY, IDS):
        assert repr(key) == f"<{type(key).__name__}>"
        with pytest.raises(TypeError):
            pickle.dumps(key)
