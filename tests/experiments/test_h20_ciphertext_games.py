"""H20: what somebody who can write sealed bytes anywhere may try, 1,000 times: nothing opens."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from reference import cobblestone_reference as reference

from visitsync.envelope import Context, open_sealed, seal
from visitsync.envelope.construction import (
    CHUNK_BYTES,
    HEADER_BYTES,
    KEY_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    decrypt,
)
from visitsync.errors import Tampered

GAMES: Final = 1_000
PREFIX: Final = 2
SEALED_CHUNK: Final = CHUNK_BYTES + TAG_BYTES
BLOCK: Final = 16


class Row(NamedTuple):
    """One sealed row, its place and its key."""

    key: bytes
    place: Context
    sealed: bytes


def a_row(chance: random.Random, *, chunks: int = 0) -> Row:
    place = Context(
        tenant=chance.choice(["shiomi", "oki"]),
        program=chance.choice(["multiples", "single_parent"]),
        household=f"h-{chance.randrange(50)}",
        record=f"r-{chance.randrange(50)}",
        revision=chance.randrange(1, 9),
        schema=chance.choice(["visit/1", "persons/1"]),
        kind=chance.choice(["visit", "persons", "evidence"]),
        key_version=chance.randrange(1, 4),
    )
    key = chance.randbytes(KEY_BYTES)
    plain = chance.randbytes(chance.randrange(1, 600) + chunks * CHUNK_BYTES)
    return Row(key, place, seal(key, place, plain))


def moved(**change: Callable[[random.Random, Context], object]) -> Callable[..., Row]:
    """The same bytes and key in another place."""

    def game(chance: random.Random, row: Row) -> Row:
        changed = {name: make(chance, row.place) for name, make in change.items()}
        return row._replace(place=msgspec.structs.replace(row.place, **changed))

    return game


def other_key(chance: random.Random, row: Row) -> Row:
    """Under another version of the key, which the row is said to stand under."""
    return row._replace(key=chance.randbytes(KEY_BYTES))


def truncated(chance: random.Random, row: Row) -> Row:
    return row._replace(sealed=row.sealed[: chance.randrange(len(row.sealed))])


def longer(chance: random.Random, row: Row) -> Row:
    return row._replace(sealed=row.sealed + chance.randbytes(chance.randrange(1, 40)))


def flipped(chance: random.Random, row: Row) -> Row:
    changed = bytearray(row.sealed)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return row._replace(sealed=bytes(changed))


def parts(sealed: bytes) -> tuple[bytes, list[bytes]]:
    start = PREFIX + HEADER_BYTES
    return sealed[:start], [
        sealed[at : at + SEALED_CHUNK] for at in range(start, len(sealed), SEALED_CHUNK)
    ]


def reordered(chance: random.Random, _: Row) -> Row:
    row = a_row(chance, chunks=3)
    head, chunks = parts(row.sealed)
    one, other = chance.sample(range(3), 2)
    chunks[one], chunks[other] = chunks[other], chunks[one]
    return row._replace(sealed=head + b"".join(chunks))


def without_a_chunk(chance: random.Random, _: Row) -> Row:
    row = a_row(chance, chunks=3)
    head, chunks = parts(row.sealed)
    del chunks[chance.randrange(len(chunks))]
    return row._replace(sealed=head + b"".join(chunks))


def with_a_chunk_twice(chance: random.Random, _: Row) -> Row:
    row = a_row(chance, chunks=2)
    head, chunks = parts(row.sealed)
    chunks.insert(1, chunks[chance.randrange(2)])
    return row._replace(sealed=head + b"".join(chunks))


def spliced(chance: random.Random, row: Row) -> Row:
    """The head of one envelope before the body of another, under one key in one place."""
    other = seal(row.key, row.place, chance.randbytes(300))
    start = PREFIX + chance.choice([SALT_BYTES, HEADER_BYTES])
    return row._replace(sealed=other[:start] + row.sealed[start:])


def two_keyed(chance: random.Random, row: Row) -> Row:
    """Made by who knows two keys, so that the cipher beneath opens it under both."""
    made = opens_under_both(chance, row.place)
    return row._replace(key=made.keys[1], sealed=made.sealed)


PLAYED: Final[tuple[Callable[[random.Random, Row], Row], ...]] = (
    moved(record=lambda chance, _: f"q-{chance.randrange(50)}"),
    moved(kind=lambda _, place: f"{place.kind}s"),
    moved(schema=lambda _, place: place.schema.replace("/1", "/2")),
    moved(tenant=lambda _, place: "ama" + place.tenant),
    moved(household=lambda chance, _: f"g-{chance.randrange(50)}"),
    moved(program=lambda _, place: place.program[1:]),
    moved(revision=lambda _, place: place.revision - 1),
    moved(key_version=lambda _, place: place.key_version + 1),
    moved(
        household=lambda _, place: place.household + place.record[:1],
        record=lambda _, place: place.record[1:],
    ),
    other_key,
    truncated,
    longer,
    flipped,
    reordered,
    without_a_chunk,
    with_a_chunk_twice,
    spliced,
    two_keyed,
)


def opens(row: Row) -> bool:
    try:
        open_sealed(row.key, row.place, row.sealed)
    except Tampered:
        return False
    return True


def test_h20_of_1_000_ciphertext_games_none_opens() -> None:
    chance = random.Random(20)  # noqa: S311 -- the same games every time
    played: Counter[str] = Counter()
    for number in range(GAMES):
        row = a_row(chance)
        assert opens(row), "control: where it stands it opens"
        game = PLAYED[number % len(PLAYED)]
        assert not opens(game(chance, row)), (number, game)
        played[str(game)] += 1
    assert len(played) == len(PLAYED)
    assert min(played.values()) >= GAMES // len(PLAYED)


# ── one ciphertext, two keys ──────────────────────────────────────────────────────────────────────
class Both(NamedTuple):
    """What opens under two keys in the cipher beneath, in the envelope of the first."""

    keys: tuple[bytes, bytes]
    sealed: bytes


def opens_under_both(chance: random.Random, place: Context) -> Both:
    keys = (chance.randbytes(KEY_BYTES), chance.randbytes(KEY_BYTES))
    salt = chance.randbytes(SALT_BYTES)
    derived = [reference.derive(key, salt, place.encode()) for key in keys]
    blocks = [chance.randbytes(BLOCK) for _ in range(16)]
    free = 7
    blocks[free] = bytes(BLOCK)
    apart = _tag(derived[0], blocks) ^ _tag(derived[1], blocks)
    power = len(blocks) + 1 - free
    factor = 0
    for key, _, _ in derived:
        factor ^= _power(_aes(key, bytes(BLOCK)), power)
    blocks[free] = _times(apart, _power(factor, (1 << 128) - 2)).to_bytes(BLOCK, "big")
    body = b"".join(blocks) + _tag(derived[0], blocks).to_bytes(BLOCK, "big")
    return Both(keys, b"\1\1" + salt + derived[0][2] + body)


def test_h20_control_the_cipher_beneath_opens_one_ciphertext_under_two_keys() -> None:
    chance = random.Random(2)  # noqa: S311 -- the same every time
    place = a_row(chance).place
    made = opens_under_both(chance, place)
    salt, body = made.sealed[PREFIX : PREFIX + SALT_BYTES], made.sealed[PREFIX + HEADER_BYTES :]
    for key in made.keys:
        message_key, nonce, _ = reference.derive(key, salt, place.encode())
        assert AESGCM(message_key).decrypt(nonce, body, None)
    # The envelope commits to the first key, and opens under that alone.
    assert decrypt(made.keys[0], place.encode(), made.sealed[PREFIX:])
    with pytest.raises(Tampered, match="another key"):
        decrypt(made.keys[1], place.encode(), made.sealed[PREFIX:])


def _tag(derived: tuple[bytes, bytes, bytes], blocks: list[bytes]) -> int:
    """The tag of GCM over these blocks of ciphertext."""
    key, nonce, _ = derived
    h = _aes(key, bytes(BLOCK))
    hashed = 0
    for block in (*blocks, (len(blocks) * BLOCK * 8).to_bytes(BLOCK, "big")):
        hashed = _times(hashed ^ int.from_bytes(block, "big"), h)
    return hashed ^ _aes(key, nonce + b"\0\0\0\1")


def _aes(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 -- one block of GCM
    return int.from_bytes(encryptor.update(block), "big")


def _times(one: int, other: int) -> int:
    """The product in the field of GCM, whose bits are written the other way round."""
    made = 0
    for bit in range(127, -1, -1):
        if other >> bit & 1:
            made ^= one
        one = one >> 1 ^ (0xE1 << 120 if one & 1 else 0)
    return made


def _power(base: int, exponent: int) -> int:
    made = 1 << 127
    while exponent:
        if exponent & 1:
            made = _times(made, base)
        base = _times(base, base)
        exponent >>= 1
    return made
