"""The record envelope opens in its own place only, and shows how long a record is in steps."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.envelope import Context, construction, new_data_key, new_salt, open_sealed, seal
from visitsync.envelope.record import PADDING_STEP
from visitsync.errors import Tampered

KEY = bytes(range(32))
HERE = Context(
    tenant="shiomi",
    program="multiples",
    household="h-1",
    record="r-1",
    revision=2,
    schema="visit/1",
    kind="visit",
)


@given(plaintext=st.one_of(st.binary(max_size=1100), st.text(max_size=400).map(str.encode)))
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    assert open_sealed(KEY, HERE, seal(KEY, HERE, plaintext)) == plaintext


@pytest.mark.parametrize("plaintext", [b"\x80", b"\0", b"\x80\0\0", bytes(255), bytes(256)])
def test_padding_is_told_apart_from_what_looks_like_it(plaintext: bytes) -> None:
    assert open_sealed(KEY, HERE, seal(KEY, HERE, plaintext)) == plaintext


@pytest.mark.parametrize(
    ("length", "sealed_length"), [(0, 330), (255, 330), (256, 586), (511, 586), (1000, 1098)]
)
def test_the_length_shows_steps_only(length: int, sealed_length: int) -> None:
    assert len(seal(KEY, HERE, bytes(length))) == sealed_length


def test_a_large_record_of_several_chunks_opens() -> None:
    plaintext = bytes(index % 251 for index in range(100_000))
    assert open_sealed(KEY, HERE, seal(KEY, HERE, plaintext)) == plaintext


def test_sealing_twice_gives_other_bytes() -> None:
    assert seal(KEY, HERE, b"same") != seal(KEY, HERE, b"same")


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "oki"},
        {"program": "single_parent"},
        {"household": "h-2"},
        {"record": "r-2"},
        {"revision": 1},
        {"schema": "visit/2"},
        {"kind": "locator"},
    ],
)
def test_an_envelope_moved_elsewhere_does_not_open(change: dict[str, str | int]) -> None:
    sealed = seal(KEY, HERE, b"where one family lives")
    assert open_sealed(KEY, HERE, sealed)
    elsewhere = Context(**{**msgspec.structs.asdict(HERE), **change})
    with pytest.raises(Tampered):
        open_sealed(KEY, elsewhere, sealed)
    with pytest.raises(Tampered):
        open_sealed(new_data_key(), HERE, sealed)


def test_any_flipped_bit_is_noticed() -> None:
    sealed = seal(KEY, HERE, b"text")
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(Tampered):
            open_sealed(KEY, HERE, bytes(flipped))


def test_every_truncation_and_any_trailing_byte_is_refused() -> None:
    sealed = seal(KEY, HERE, b"text")
    for end in range(len(sealed)):
        with pytest.raises(Tampered):
            open_sealed(KEY, HERE, sealed[:end])
    with pytest.raises(Tampered):
        open_sealed(KEY, HERE, sealed + b"\0")


@given(data=st.binary(max_size=400))
def test_any_bytes_open_or_are_refused(data: bytes) -> None:
    with pytest.raises(Tampered):
        open_sealed(KEY, HERE, data)


@pytest.mark.parametrize("prefix", [b"\x00\x01", b"\x02\x01", b"\x01\x00", b"\x01\x02", b""])
def test_an_unknown_version_or_suite_is_refused(prefix: bytes) -> None:
    sealed = seal(KEY, HERE, b"text")
    assert sealed[:2] == b"\x01\x01"
    with pytest.raises(Tampered, match="version"):
        open_sealed(KEY, HERE, prefix + sealed[2:])


@pytest.mark.parametrize(
    "padded",
    [
        b"",
        bytes(PADDING_STEP),
        b"text\x80" + bytes(250),
        b"text\x80" + bytes(252),
        b"text\x80" + bytes(507),
        b"x" * PADDING_STEP,
        b"x" * PADDING_STEP + b"\x81" + bytes(255),
    ],
    ids=["nothing", "zeros", "short", "long", "a step too many", "none", "another mark"],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    good = b"text\x80" + bytes(251)
    assert open_sealed(KEY, HERE, b"\1\1" + construction.encrypt(KEY, HERE.encode(), good))
    with pytest.raises(Tampered, match="padded"):
        open_sealed(KEY, HERE, b"\1\1" + construction.encrypt(KEY, HERE.encode(), padded))


def test_a_refusal_says_nothing_of_the_record() -> None:
    sealed = seal(KEY, HERE, b"where one family lives")
    with pytest.raises(Tampered) as caught:
        open_sealed(bytes(32), HERE, sealed)
    said = f"{caught.value!r}{caught.value.where}"
    assert all(word not in said for word in ("family", "h-1", "r-1"))


def test_keys_and_salts_are_new_each_time() -> None:
    assert len({new_data_key() for _ in range(100)}) == 100
    assert {len(new_data_key()), len(new_salt())} == {32, 16}
    assert new_salt() != new_salt()
