"""A proof made of kept block roots is the one that is made of all hashes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from visitsync.audit import BLOCK, Blocks, consistency_proof, leaf_hash, root_of, verify_consistency
from visitsync.audit.blocks import Blocks as Same

HASHES = [leaf_hash(str(one).encode()) for one in range(2_100)]


def grown(size: int, *steps: int) -> Blocks:
    made, last = Same(), 0
    for step in (*sorted(steps), size):
        made.grow(HASHES[last:step])
        last = step
    return made


def proof(older: int, size: int, made: Blocks) -> tuple[bytes, ...]:
    ends = {older // BLOCK, (size - 1) // BLOCK, size // BLOCK}
    blocks = {one: HASHES[one * BLOCK : min(size, (one + 1) * BLOCK)] for one in ends}
    return made.proof(older, size, blocks)


@given(st.integers(1, 2_100), st.data())
def test_it_is_the_proof_of_the_whole_tree(size: int, data: st.DataObject) -> None:
    older = data.draw(st.integers(0, size))
    step = data.draw(st.integers(0, size))
    more = data.draw(st.integers(size, 2_100))
    made = proof(older, size, grown(more, step))
    assert made == consistency_proof(HASHES[:size], older)
    if older:
        verify_consistency(older, root_of(HASHES[:older]), size, root_of(HASHES[:size]), made)


def test_every_size_around_the_blocks() -> None:
    edges = [one + by for one in (256, 512, 768, 1024, 1280) for by in (-1, 0, 1)]
    made = grown(1_300)
    for size in edges:
        for older in [1, 2, 255, *edges]:
            if older <= size:
                assert proof(older, size, made) == consistency_proof(HASHES[:size], older)


def test_it_knows_how_far_it_read() -> None:
    assert [grown(one).read for one in (0, 1, 255, 256, 257)] == [0, 1, 255, 256, 257]
