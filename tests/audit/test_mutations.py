"""A thousand spoilt exports are all noticed, and a thousand honest ones all pass."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, entry, exported, log, section, signed
from hypothesis import given
from hypothesis import strategies as st
from reference import bundle_reference as reference

from visitsync.audit import encode_bundle, leaf, verify_bundle
from visitsync.audit.bundle import FIRST_LINE

TIMES = 1_000


def flip_a_bit(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << dice.randrange(8),)) + data[at + 1 :]


def overwrite_a_byte(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + dice.randbytes(1) + data[at + 1 :]


def drop_some_bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.randint(1, 9) :]


def insert_some_bytes(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice((dice.randbytes(3), b"\n", b" ", b"0", data[:40])) + data[at:]


def cut_the_end_off(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def drop_a_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[dice.randrange(len(lines))]
    return b"".join(lines)


def repeat_a_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return b"".join(lines)


def swap_two_lines(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    one, other = dice.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def replace_a_digit(data: bytes, dice: random.Random) -> bytes:
    at = dice.choice([at for at, byte in enumerate(data) if 48 <= byte <= 57])
    return data[:at] + b"%d" % dice.randrange(10) + data[at + 1 :]


def rewrite_an_entry_with_its_hash(data: bytes, dice: random.Random) -> bytes:
    del data
    return spoilt_log(dice, signed(log(20)))


def sign_a_rewritten_log_by_another_key(data: bytes, dice: random.Random) -> bytes:
    del data
    return spoilt_log(dice, None)


def spoilt_log(dice: random.Random, note: str | None) -> bytes:
    """Entries edited, removed, added or moved by somebody who makes all hashes anew."""
    leaves = log(20)
    at = dice.randrange(1, 19)
    match dice.randrange(4):
        case 0:
            leaves[at] = leaf(entry(at, 2026, records=99))
        case 1:
            del leaves[at]
        case 2:
            leaves.insert(at, leaf(entry(at, 2026, actor="staff-9")))
        case _:
            leaves[at], leaves[at + 1] = leaves[at + 1], leaves[at]
    return exported(leaves, note=note or signed(leaves, signer=OTHER_SIGNER))


MUTATIONS: list[Callable[[bytes, random.Random], bytes]] = [
    flip_a_bit,
    overwrite_a_byte,
    drop_some_bytes,
    insert_some_bytes,
    cut_the_end_off,
    drop_a_line,
    repeat_a_line,
    swap_two_lines,
    replace_a_digit,
    rewrite_an_entry_with_its_hash,
    sign_a_rewritten_log_by_another_key,
]


@pytest.mark.parametrize("since", [None, signed(log(8))], ids=["without", "with"])
def test_a_thousand_mutations_of_an_export_are_all_caught(since: str | None) -> None:
    dice = random.Random(20261124)  # noqa: S311 -- the same mutations in every run
    leaves = log(20)
    bundles = [exported(leaves), encode_bundle([section(leaves, 4, 15, disclosed=[4, 9])])]
    assert all(verify_bundle(one, SIGNER.vkey, since).exit_code == 0 for one in bundles)
    caught = 0
    while caught < TIMES:
        data = dice.choice(bundles)
        mutation = dice.choice(MUTATIONS)
        spoilt = mutation(data, dice)
        if spoilt in bundles:
            continue  # a byte overwritten by itself is no mutation
        verdict = verify_bundle(spoilt, SIGNER.vkey, since)
        # A file whose first line says otherwise may be of another version, or no bundle at all.
        allowed = {1} if spoilt.startswith(FIRST_LINE + b"\n") else {1, 2}
        assert verdict.exit_code in allowed, (mutation.__name__, verdict.codes())
        assert reference.verify(spoilt, SIGNER.vkey, since) == verdict.exit_code, mutation.__name__
        assert all(verdict.sentences("en"))
        assert all(verdict.sentences("ja"))
        caught += 1


def test_a_thousand_untouched_exports_pass() -> None:
    dice = random.Random(20261125)  # noqa: S311 -- the same logs in every run
    for _ in range(TIMES):
        size = dice.randint(1, 24)
        leaves = log(size, dice.choice((2025, 2026)))
        year = 2025 if b"/2025" in leaves[0] else 2026
        first = dice.randint(0, size)
        end = dice.randint(first, size)
        data = encode_bundle([section(leaves, first, end, year=year)])
        since = signed(leaves[: dice.randint(0, size)], year)
        assert verify_bundle(data, SIGNER.vkey, since).exit_code == 0
        assert reference.verify(data, SIGNER.vkey, since) == 0


PIECES = [FIRST_LINE, b"\n", b"shard ", b"visitsync/shiomi/2026", b"hash ", b"leaf ", b"open 1 "]
PIECES += [b"A" * 43 + b"=", b" ", b"{}", b"checkpoint 5", b"end " + b"0" * 64, b"\xff", b"\0"]


@given(pieces=st.lists(st.sampled_from(PIECES) | st.binary(max_size=9), max_size=25))
def test_any_bytes_give_a_verdict(pieces: list[bytes]) -> None:
    for data in (b"".join(pieces), FIRST_LINE + b"\nshard " + b"".join(pieces)):
        verdict = verify_bundle(data, SIGNER.vkey)
        assert verdict.exit_code != 0
        assert all(verdict.sentences())


def test_any_flipped_bit_is_noticed() -> None:
    data = encode_bundle([section(log(4), 1, 3, disclosed=[2])])
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert verify_bundle(bytes(flipped), SIGNER.vkey).exit_code != 0, bit


def test_every_truncation_is_refused() -> None:
    data = exported(log(6))
    for end in range(len(data)):
        assert verify_bundle(data[:end], SIGNER.vkey).exit_code != 0
