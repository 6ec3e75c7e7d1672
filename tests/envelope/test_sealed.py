"""A key file under a passphrase: strict, bounded, and a wrong passphrase told from damage."""

from __future__ import annotations

import base64
import hashlib
import re
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from visitsync.envelope import MasterKeys, keyfile
from visitsync.envelope.sealed import Cost, Sealed
from visitsync.errors import KeyFileError

CHEAP = Cost(19_456, 1, 1)
GOOD = b"correct horse battery staple"
WRONG = "the passphrase is not the one"
CONTENTS = keyfile.Contents.of_one_secret({1: b"1" * 32}, b"i" * 32, b"s" * 32)


def form(passphrase: bytes = GOOD, asked: list[bytes] | None = None) -> Sealed:
    def ask() -> bytes:
        if asked is not None:
            asked.append(passphrase)
        return passphrase

    return Sealed(ask, cost=CHEAP)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return form().encode(CONTENTS)


def with_checksum(lines: list[str]) -> bytes:
    body = "".join(f"{line}\n" for line in lines[:3]).encode()
    return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()


def changed(sealed: bytes, line: int, to: Callable[[str], str]) -> bytes:
    """As somebody would who knows the form: the checksum fits again."""
    lines = sealed.decode().split("\n")
    lines[line] = to(lines[line])
    return with_checksum(lines)


def test_what_is_sealed_opens_under_its_passphrase_alone(sealed: bytes) -> None:
    assert form().decode(sealed, where="k") == CONTENTS
    for wrong in (b"correct horse battery stapl", GOOD + b" ", b"x"):
        with pytest.raises(KeyFileError, match=WRONG):
            form(wrong).decode(sealed, where="k")


def test_no_key_stands_in_it_in_clear(sealed: bytes) -> None:
    text = sealed.decode()
    assert "visitsync-keys v1" not in text
    for key in (b"1" * 32, b"i" * 32, b"s" * 32):
        assert base64.b64encode(key).decode()[:20] not in text
        assert key not in base64.b64decode(text.split("\n")[2])


def test_the_form_stays_as_it_is_for_ever(sealed: bytes) -> None:
    assert re.fullmatch(
        r"visitsync-sealed-keys v1\n"
        r"argon2id m=19456 t=1 p=1 salt=[A-Za-z0-9+/]{22}==\n"
        r"[A-Za-z0-9+/]+=*\nsha256 [0-9a-f]{64}\n",
        sealed.decode(),
    )


def test_any_flipped_bit_is_called_damage_and_costs_no_work(sealed: bytes) -> None:
    asked: list[bytes] = []
    one = form(asked=asked)
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyFileError, match=r"damaged|version|not sealed"):
            one.decode(bytes(flipped), where="k")
    assert asked == []


def test_every_truncation_and_any_trailing_byte_is_called_damage(sealed: bytes) -> None:
    for other in (*(sealed[:end] for end in range(len(sealed))), sealed + b"\n", sealed + b"x"):
        with pytest.raises(KeyFileError, match="damaged"):
            form().decode(other, where="k")


@pytest.mark.parametrize(
    ("was", "to"),
    [
        ("m=19456", "m=19455"),
        ("m=19456", "m=1048577"),
        ("m=19456", "m=9999999"),
        ("t=1", "t=17"),
        ("t=1", "t=99"),
        ("p=1", "p=9"),
    ],
)
def test_parameters_out_of_bounds_are_refused_before_any_work(
    sealed: bytes, was: str, to: str
) -> None:
    asked: list[bytes] = []
    with pytest.raises(KeyFileError, match="more or less work"):
        form(asked=asked).decode(changed(sealed, 1, lambda line: line.replace(was, to)), where="k")
    assert asked == []


@pytest.mark.parametrize(
    ("was", "to"),
    [("m=19456", "m=019456"), ("t=1", "t=0"), ("p=1", "p=+1"), ("argon2id", "argon2i"),
     ("t=1", "t=1 "), ("==", "=")],
)  # fmt: skip
def test_a_header_of_another_spelling_is_damage(sealed: bytes, was: str, to: str) -> None:
    with pytest.raises(KeyFileError, match="damaged"):
        form().decode(changed(sealed, 1, lambda line: line.replace(was, to)), where="k")


def test_the_parameters_are_bound_to_what_is_sealed(sealed: bytes) -> None:
    other = changed(sealed, 1, lambda line: line.replace("t=1", "t=2"))
    with pytest.raises(KeyFileError, match=WRONG):
        form().decode(other, where="k")


def test_what_is_altered_with_its_checksum_does_not_open(sealed: bytes) -> None:
    def flipped(line: str) -> str:
        data = bytearray(base64.b64decode(line))
        data[-1] ^= 1
        return base64.b64encode(bytes(data)).decode()

    with pytest.raises(KeyFileError, match="somebody altered the file"):
        form().decode(changed(sealed, 2, flipped), where="k")


def test_base64_of_another_spelling_is_damage(sealed: bytes) -> None:
    for spelt in (lambda line: line + "=", lambda line: line[:-1], lambda line: line + "\x85"):
        with pytest.raises(KeyFileError, match="damaged"):
            form().decode(changed(sealed, 2, spelt), where="k")


def test_base64_with_spare_bits_set_is_damage(sealed: bytes) -> None:
    """Two spellings that decode to the same: only the one that is written is read."""
    line = sealed.decode().split("\n")[2]
    end = len(line.rstrip("="))
    others = [
        spelt
        for one in string.ascii_letters + string.digits + "+/"
        if (spelt := line[: end - 1] + one + line[end:]) != line
        and base64.b64decode(spelt) == base64.b64decode(line)
    ]
    assert others
    for spelt in others:
        with pytest.raises(KeyFileError, match="damaged"):
            form().decode(changed(sealed, 2, {line: spelt}.__getitem__), where="k")


def test_a_damaged_file_does_not_make_a_running_service_ask_again(tmp_path: Path) -> None:
    asked: list[bytes] = []
    one, path = form(asked=asked), tmp_path / "keys"
    MasterKeys.create(path, one)
    good = path.read_bytes()
    path.write_bytes(changed(good, 2, lambda line: line[:-8] + "AAAAAAA="))
    with pytest.raises(KeyFileError):
        MasterKeys.load(path, one)
    path.write_bytes(good)
    assert MasterKeys.load(path, one).epoch == 1
    assert len(asked) == 1


def test_an_unknown_version_and_a_file_in_clear_are_named(sealed: bytes) -> None:
    with pytest.raises(KeyFileError, match="newer"):
        form().decode(sealed.replace(b"keys v1", b"keys v2"), where="k")
    with pytest.raises(KeyFileError, match="not sealed"):
        form().decode(keyfile.encode(CONTENTS), where="k")
    with pytest.raises(KeyFileError):
        keyfile.decode(sealed, where="k")


def test_a_short_passphrase_makes_no_file() -> None:
    with pytest.raises(KeyFileError, match="fewer than 12"):
        form(b"eleven char").encode(CONTENTS)
    assert form("十二文字の合言葉ですよね。".encode()[:36]).encode(CONTENTS)


def test_a_file_is_rotated_and_read_again_with_one_question(tmp_path: Path) -> None:
    asked: list[bytes] = []
    one, path = form(asked=asked), tmp_path / "keys"
    made = MasterKeys.create(path, one)
    header = path.read_text().split("\n")[1]
    rotated = MasterKeys.rotate(path, one)
    MasterKeys.retire(path, 1, one)
    again = MasterKeys.load(path, one)

    assert len(asked) == 1
    assert path.read_text().split("\n")[1] == header
    assert (rotated.epochs, again.epochs) == ((1, 2), (2,))
    assert again.signing_seed == made.signing_seed
    fresh: list[bytes] = []
    assert MasterKeys.load(path, form(asked=fresh)).key_id(2) == rotated.key_id(2)
    assert len(fresh) == 1


def test_a_wrong_passphrase_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    MasterKeys.create(path, form())
    given = [b"something else entirely", GOOD]
    one = Sealed(lambda: given.pop(0), cost=CHEAP)
    with pytest.raises(KeyFileError, match=WRONG):
        MasterKeys.load(path, one)
    assert MasterKeys.load(path, one).epoch == 1


def test_keys_in_clear_are_copied_under_a_passphrase(tmp_path: Path) -> None:
    plain = MasterKeys.create(tmp_path / "plain")
    plain.copy(tmp_path / "sealed", form())
    copied = MasterKeys.load(tmp_path / "sealed", form())
    assert (copied.key_id(1), copied.signing_seed) == (plain.key_id(1), plain.signing_seed)
    assert (tmp_path / "sealed").stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFileError, match="never overwritten"):
        plain.copy(tmp_path / "sealed", form())


def test_neither_passphrase_nor_keys_are_printed(sealed: bytes) -> None:
    one = form()
    one.decode(sealed, where="k")
    assert repr(one) == "<Sealed>"
    with pytest.raises(KeyFileError) as caught:
        form(b"planted-secret-passphrase").decode(sealed, where="k")
    assert "planted" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.where}"
