"""Master keys in a token: against a real SoftHSM, where there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from softhsm import LABEL, LIBRARY, NONE_HERE, PIN, UTIL, set_up

from visitsync.envelope import KeyContext, MasterKeys, Wrapped, keyfile
from visitsync.envelope.form import Contents
from visitsync.errors import KeyFileError, Tampered

pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 (the extra hsm) is not installed")
hsm = pytest.importorskip("visitsync.envelope.hsm")

pytestmark = pytest.mark.skipif(LIBRARY is None or UTIL is None, reason=NONE_HERE)

OURS = KeyContext(tenant="shiomi", household="h-1", program="multiples", kind="records").encode()
THEIRS = KeyContext(tenant="shiomi", household="h-2", program="multiples", kind="records").encode()
_NUMBERS = count()


@pytest.fixture(scope="module", autouse=True)
def softhsm() -> None:
    set_up()


@pytest.fixture(scope="module")
def token() -> Iterator[Any]:
    one = hsm.Token(LIBRARY, LABEL, PIN.encode)
    yield one
    one._session.close()  # noqa: SLF001 -- a process is let in once, and others want in


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"keys-{next(_NUMBERS)}"


def test_a_token_wraps_for_its_place_alone(path: Path, token: Any) -> None:
    keys = MasterKeys.create(path, token)
    wrapped = keys.wrap(b"k" * 32, OURS)

    assert (len(wrapped.sealed), wrapped.epoch) == (70, 1)
    assert keys.unwrap(wrapped, OURS) == b"k" * 32
    assert MasterKeys.load(path, token).unwrap(wrapped, OURS) == b"k" * 32
    with pytest.raises(Tampered):
        keys.unwrap(wrapped, THEIRS)


def test_the_master_key_never_leaves_the_token(path: Path, token: Any) -> None:
    MasterKeys.create(path, token)
    text = path.read_text()
    key_id = bytes.fromhex(text.split("\n")[1].split()[2])
    with token.used() as session:
        (key,) = session.get_objects({pkcs11.Attribute.ID: key_id})
        assert key[pkcs11.Attribute.EXTRACTABLE] is False
        assert key[pkcs11.Attribute.SENSITIVE] is True
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            assert key[pkcs11.Attribute.VALUE]


def test_a_key_that_the_token_would_give_out_is_refused(path: Path, token: Any) -> None:
    with token.used() as session:
        session.generate_key(
            pkcs11.KeyType.AES, 256, id=b"loosekey", store=True, label="loose",
            template={pkcs11.Attribute.EXTRACTABLE: True, pkcs11.Attribute.SENSITIVE: False},
        )  # fmt: skip
    with pytest.raises(KeyFileError, match="give this master key out"):
        token.master(b"loosekey")
    assert not path.exists()


def test_rotation_and_retirement_in_the_token(path: Path, token: Any) -> None:
    keys = MasterKeys.create(path, token)
    old = keys.wrap(b"k" * 32, OURS)
    rotated = MasterKeys.rotate(path, token)
    new = rotated.wrap(b"k" * 32, OURS)
    assert (rotated.epochs, new.epoch) == ((1, 2), 2)
    assert rotated.unwrap(old, OURS) == rotated.unwrap(new, OURS) == b"k" * 32
    assert rotated.signing_seed == keys.signing_seed
    kept = path.read_bytes()

    retired = MasterKeys.retire(path, 1, token)

    assert retired.epochs == (2,)
    assert retired.unwrap(new, OURS) == b"k" * 32
    # Also with the older file the token has it no more.
    path.write_bytes(kept)
    with pytest.raises(KeyFileError, match="does not hold the master key"):
        MasterKeys.load(path, token)


def test_any_flipped_bit_of_a_wrapped_key_is_noticed(path: Path, token: Any) -> None:
    keys = MasterKeys.create(path, token)
    sealed = keys.wrap(bytes(32), OURS).sealed
    for bit in range(0, len(sealed) * 8, 3):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Tampered, KeyFileError)):
            keys.unwrap(Wrapped(1, bytes(flipped)), OURS)
    for changed in (*(sealed[:end] for end in range(len(sealed))), sealed + b"\0"):
        with pytest.raises(Tampered, match="version"):
            keys.unwrap(Wrapped(1, changed), OURS)


def test_what_a_token_and_what_software_wrapped_is_told_apart(
    path: Path, tmp_path: Path, token: Any
) -> None:
    inside = MasterKeys.create(path, token)
    outside = MasterKeys.create(tmp_path / "plain")
    with pytest.raises(Tampered, match="version"):
        inside.unwrap(outside.wrap(bytes(32), OURS), OURS)
    with pytest.raises(Tampered, match="version"):
        outside.unwrap(inside.wrap(bytes(32), OURS), OURS)


def test_any_flipped_bit_of_the_file_is_noticed(path: Path, token: Any) -> None:
    MasterKeys.create(path, token)
    data = path.read_bytes()
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyFileError, match=r"damaged|version"):
            token.decode(bytes(flipped), where="k")
    for changed in (*(data[:end] for end in range(len(data))), data + b"\n"):
        with pytest.raises(KeyFileError, match="damaged"):
            token.decode(changed, where="k")


def test_the_list_of_keys_is_bound_to_what_is_sealed(path: Path, token: Any) -> None:
    """Somebody takes a key out of the list, and mends the checksum."""
    MasterKeys.create(path, token)
    MasterKeys.rotate(path, token)
    lines = path.read_text().split("\n")
    body = "".join(f"{line}\n" for line in (lines[0], *lines[2:-2])).encode()
    forged = body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()
    with pytest.raises(KeyFileError, match="somebody altered it"):
        token.decode(forged, where="k")


def test_a_wrong_pin_label_or_library_is_named_without_the_pin(path: Path, tmp_path: Path) -> None:
    for wrong in (
        hsm.Token(LIBRARY, LABEL, b"planted-pin".strip),
        hsm.Token(LIBRARY, "no such token", PIN.encode),
        hsm.Token(tmp_path / "none.so", LABEL, PIN.encode),
    ):
        with pytest.raises(KeyFileError) as caught:
            MasterKeys.create(path, wrong)
        assert "planted" not in f"{caught.value!r} {caught.value.where}"
        assert not path.exists()


def test_the_index_key_is_rotated_beside_a_token(path: Path, token: Any) -> None:
    """Also where the file was written by a release with one secret for three keys."""
    made = MasterKeys.create(path, token)
    first = Contents.of_one_secret(made._contents.masters, b"i" * 32, b"s" * 32)  # noqa: SLF001
    path.unlink()
    keyfile.write_new(path, first, token.encode)
    before = MasterKeys.load(path, token)
    assert before._contents == first  # noqa: SLF001
    MasterKeys.rotate_index(path, token)
    both = MasterKeys.load(path, token)
    assert both.index_epochs == (1, 2)
    MasterKeys.rotate(path, token)
    after = MasterKeys.retire_index(path, 2, token)

    assert MasterKeys.load(path, token)._contents == after._contents  # noqa: SLF001
    assert (after.epochs, after.index_epochs) == ((1, 2), (2,))
    assert after.index_id(2) == both.index_id(2) != both.index_id(1)
    assert after.id_key.exact("k") == before.id_key.exact("k")
    assert (after.head_key, after.signing_seed) == (before.head_key, before.signing_seed)
