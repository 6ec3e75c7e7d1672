"""Master keys wrap data keys by epoch; a wrong or lost key file is told from tampering."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest

from visitsync.envelope import KeyContext, MasterKeys, Wrapped, new_data_key
from visitsync.errors import KeyFileError, Tampered

OURS = KeyContext(tenant="shiomi", household="h-1", program="multiples", kind="records").encode()
THEIRS = KeyContext(tenant="shiomi", household="h-2", program="multiples", kind="records").encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def keys(path: Path) -> MasterKeys:
    return MasterKeys.create(path)


def test_a_wrapped_key_unwraps_for_its_owner_alone(keys: MasterKeys) -> None:
    key = new_data_key()
    wrapped = keys.wrap(key, OURS)
    assert keys.unwrap(wrapped, OURS) == key
    assert (wrapped.epoch, len(wrapped.sealed)) == (1, 114)
    with pytest.raises(Tampered):
        keys.unwrap(wrapped, THEIRS)


def test_loading_gives_the_same_keys(path: Path, keys: MasterKeys) -> None:
    again = MasterKeys.load(path)
    wrapped = keys.wrap(bytes(32), OURS)
    assert again.unwrap(wrapped, OURS) == bytes(32)
    assert again.signing_seed == keys.signing_seed
    assert again.id_key.exact("k", "v") == keys.id_key.exact("k", "v")
    assert again.key_id(1) == keys.key_id(1)


def test_the_keys_in_a_file_are_unrelated(keys: MasterKeys, tmp_path: Path) -> None:
    other = MasterKeys.create(tmp_path / "other")
    assert len({keys.signing_seed, other.signing_seed}) == 2
    assert keys.key_id(1) != other.key_id(1)
    assert keys.id_key.exact("k") != other.id_key.exact("k")


def test_rotation_wraps_anew_and_still_unwraps_the_old(path: Path, keys: MasterKeys) -> None:
    old = keys.wrap(bytes(32), OURS)
    rotated = MasterKeys.rotate(path)
    new = rotated.wrap(bytes(32), OURS)

    assert (rotated.epoch, rotated.epochs, new.epoch) == (2, (1, 2), 2)
    for held in (rotated, MasterKeys.load(path)):
        assert held.unwrap(old, OURS) == held.unwrap(new, OURS) == bytes(32)
    assert rotated.signing_seed == keys.signing_seed
    assert rotated.id_key.exact("k") == keys.id_key.exact("k")
    with pytest.raises(KeyFileError, match=r"no master key of epoch 2.*put the key file back"):
        keys.unwrap(new, OURS)


def test_an_epoch_is_part_of_what_is_sealed(path: Path, keys: MasterKeys) -> None:
    old = keys.wrap(bytes(32), OURS)
    rotated = MasterKeys.rotate(path)
    with pytest.raises(KeyFileError):
        rotated.unwrap(msgspec.structs.replace(old, epoch=2), OURS)


def test_the_wrong_key_file_is_named_as_such(keys: MasterKeys, tmp_path: Path) -> None:
    wrapped = MasterKeys.create(tmp_path / "other").wrap(bytes(32), OURS)
    with pytest.raises(KeyFileError, match="not the one that wrapped"):
        keys.unwrap(wrapped, OURS)


def test_any_flipped_bit_is_noticed(keys: MasterKeys) -> None:
    wrapped = keys.wrap(bytes(32), OURS)
    for bit in range(len(wrapped.sealed) * 8):
        flipped = bytearray(wrapped.sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Tampered, KeyFileError)):
            keys.unwrap(Wrapped(1, bytes(flipped)), OURS)


def test_every_truncation_and_any_trailing_byte_is_refused(keys: MasterKeys) -> None:
    sealed = keys.wrap(bytes(32), OURS).sealed
    for changed in (*(sealed[:end] for end in range(len(sealed))), sealed + b"\0"):
        with pytest.raises(Tampered, match="version"):
            keys.unwrap(Wrapped(1, changed), OURS)


def test_only_whole_keys_are_wrapped(keys: MasterKeys) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        keys.wrap(b"short", OURS)


def test_an_unknown_epoch_has_no_id(keys: MasterKeys) -> None:
    with pytest.raises(KeyFileError):
        keys.key_id(9)


def test_keys_are_not_printed_or_pickled(keys: MasterKeys) -> None:
    assert repr(keys) == "<MasterKeys, newest epoch 1>"
    assert repr(keys.wrap(bytes(32), OURS)) == "<Wrapped epoch 1>"
    with pytest.raises(TypeError):
        pickle.dumps(keys)
