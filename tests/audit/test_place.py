"""Proofs of one entry's place: the published bad ones, a thousand spoilt ones, and honest ones."""

from __future__ import annotations

import random

import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, entry, log, signed
from audit.test_mutations import MUTATIONS
from hypothesis import given
from hypothesis import strategies as st
from reference import bundle_reference as reference
from vectors import load, needs_vectors

from visitsync.audit import (
    GrowingPath,
    PlaceProof,
    Verdict,
    decode_place,
    encode_place,
    inclusion_proof,
    leaf,
    leaf_hash,
    verify_inclusion,
    verify_place,
)
from visitsync.audit.place import FIRST_LINE
from visitsync.errors import BadNote, LogBroken

TIMES = 1_000
LEAVES = log(20)
HASHES = [leaf_hash(line) for line in LEAVES]


def proof(leaves: list[bytes], index: int, note: str | None = None) -> bytes:
    path = inclusion_proof([leaf_hash(line) for line in leaves], index)
    made = PlaceProof(
        line=leaves[index], index=index, path=path, note=signed(leaves) if note is None else note
    )
    return encode_place(made)


def meaning(data: bytes) -> tuple[bytes, frozenset[bytes]]:
    """What a file says: a signature line that stands there twice says no more (signed-note)."""
    said, _, signatures = data.rpartition(b"\n\n")
    return said, frozenset(signatures.split(b"\n"))


def verify(data: bytes, key: str | None = SIGNER.vkey, since: str | None = None) -> Verdict:
    """The verdict, after asking the second verifier too."""
    verdict = verify_place(data, key, since)
    if since is None:
        assert reference.verify_proof(data, key) == verdict.exit_code, verdict.codes()
    return verdict


def test_every_entry_of_every_size_is_proved() -> None:
    for size in range(1, 21):
        for index in range(size):
            data = proof(LEAVES[:size], index)
            assert verify(data).codes() == ("included",)
            assert encode_place(decode_place(data)) == data


@given(size=st.integers(1, 300), data=st.data())
def test_a_growing_path_is_the_one_of_the_whole_tree(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(b"%d" % one) for one in range(size)]
    index = data.draw(st.integers(0, size - 1))
    growing = GrowingPath(size, index)
    for one in hashes:
        growing.append(one)
    assert growing.path() == inclusion_proof(hashes, index)


def test_a_growing_path_wants_all_leaves_and_no_more() -> None:
    growing = GrowingPath(3, 1)
    growing.append(HASHES[0])
    with pytest.raises(LogBroken):
        growing.path()
    growing.append(HASHES[1])
    growing.append(HASHES[2])
    with pytest.raises(LogBroken):
        growing.append(HASHES[3])
    for index in (-1, 3):
        with pytest.raises(IndexError):
            GrowingPath(3, index)


@needs_vectors
def test_published_bad_proofs_are_refused() -> None:
    bad = load("tlog/formats-checkpoints.json")["tlog_proof_bad"]
    for text in bad:
        first, _, rest = text.partition("\n")
        ours = text if "extra" in text else f"{first}\nextra e30=\n{rest}"
        for one in (text, ours):
            with pytest.raises(LogBroken):
                decode_place(one.encode())
            assert verify(one.encode()).exit_code != 0
    assert len(bad) == 7


@needs_vectors
def test_a_published_inclusion_proof_holds_as_a_file() -> None:
    """Its entries are no entries of ours; the path, the head and the signature are judged."""
    made = load("tlog/derived-misbehaviour.json")
    entries = [one.encode() for one in made["entries"]]
    path = inclusion_proof([leaf_hash(one) for one in entries], 5)
    note = made["accept"]["checkpoint_15"]

    def codes(line: bytes, index: int, note: str) -> set[str]:
        data = encode_place(PlaceProof(line=line, index=index, path=path, note=note))
        return set(verify(data, made["log_vkey"]).codes())

    assert codes(entries[5], 5, note) == {"not_canonical"}
    assert codes(entries[5], 5, made["accept"]["with_cosignature"]) == {"not_canonical"}
    assert "not_included" in codes(entries[4], 5, note)
    assert "not_included" in codes(entries[5], 4, note)
    assert "not_included" in codes(
        entries[5], 5, made["reject_or_alarm"]["split_view_same_size"][1]
    )


def test_a_thousand_mutations_of_a_proof_are_all_caught() -> None:
    dice = random.Random(20261126)  # noqa: S311 -- the same mutations in every run
    proofs = [proof(LEAVES, 7), proof(LEAVES[:9], 0), proof(LEAVES[:1], 0)]
    mutations = [
        one for one in MUTATIONS if "log" not in one.__name__ and "entry" not in one.__name__
    ]
    assert len(mutations) == 9
    caught = 0
    while caught < TIMES:
        data = dice.choice(proofs)
        mutation = dice.choice(mutations)
        spoilt = mutation(data, dice)
        if meaning(spoilt) in map(meaning, proofs):
            continue
        verdict = verify(spoilt)
        allowed = {1} if spoilt.startswith(FIRST_LINE + b"\n") else {1, 2}
        assert verdict.exit_code in allowed, (mutation.__name__, verdict.codes())
        assert all((*verdict.sentences("en"), *verdict.sentences("ja")))
        caught += 1


def test_any_flipped_bit_is_noticed() -> None:
    data = proof(LEAVES, 7)
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert verify(bytes(flipped)).exit_code != 0, bit


def test_no_file_is_read_that_is_larger_than_a_proof_can_be() -> None:
    good = decode_place(proof(LEAVES, 7))
    longest = PlaceProof(line=b"", index=0, path=(HASHES[0],) * 63, note=good.note)
    assert decode_place(encode_place(longest)) == longest
    for more in (
        PlaceProof(line=b"", index=0, path=(HASHES[0],) * 64, note=good.note),
        PlaceProof(line=bytes(512 * 1024), index=0, path=(), note=good.note),
    ):
        with pytest.raises(LogBroken):
            decode_place(encode_place(more))


def test_what_is_not_this_logs_or_this_places_is_found() -> None:
    edited = [*LEAVES[:7], leaf(entry(7, 2026, records=30)), *LEAVES[8:]]
    moved = [*LEAVES[:7], LEAVES[8], LEAVES[7], *LEAVES[9:]]
    foreign = [*LEAVES[:7], leaf(entry(7, 2026, shard="visitsync/oki/2026")), *LEAVES[8:]]
    for data, code in (
        (proof(edited, 7, signed(LEAVES)), "not_included"),
        (proof(LEAVES, 7, signed(LEAVES, signer=OTHER_SIGNER)), "not_signed"),
        (proof(moved, 7), "wrong_place"),
        (proof(foreign, 7), "wrong_shard"),
        (proof([b"{}"], 0), "not_canonical"),
        (proof(LEAVES, 7, "no note"), "bad_checkpoint"),
    ):
        verdict = verify(data)
        assert (verdict.exit_code, verdict.codes()) == (1, (code,))


def test_what_cannot_be_decided_is_said() -> None:
    data = proof(LEAVES, 7)
    newer = proof([LEAVES[0].replace(b'"v":1', b'"v":2')], 0)
    for verdict, code in (
        (verify(data, key=None), "no_key"),
        (verify_place(data, "x"), "bad_key"),
        (verify(b"x"), "not_a_proof"),
        (verify(data.replace(b"@v1", b"@v2")), "unknown_proof_version"),
        (verify(newer), "unknown_entry_version"),
        (verify(data, since="x"), "older_unusable"),
        (verify(data, since=signed(LEAVES[:8])), "older_not_comparable"),
    ):
        assert (verdict.exit_code, verdict.codes()) == (2, (code,))


def test_another_head_of_the_same_size_is_a_split_view() -> None:
    edited = [*LEAVES[:5], leaf(entry(5, 2026, records=30)), *LEAVES[6:]]
    data = proof(LEAVES, 7)
    assert verify(data, since=signed(LEAVES)).codes() == ("older_agrees", "included")
    verdict = verify(data, since=signed(edited))
    assert (verdict.exit_code, verdict.codes()) == (1, ("split_view",))
    assert verdict.notes == (signed(edited), signed(LEAVES))


def test_a_proof_is_read_without_what_it_says() -> None:
    assert repr(decode_place(proof(LEAVES, 7))) == "<PlaceProof of entry 7>"
    made = decode_place(proof(LEAVES, 7))
    with pytest.raises(LogBroken):
        verify_inclusion(leaf_hash(made.line), 8, 20, b"", made.path)
    assert issubclass(BadNote, LogBroken)
