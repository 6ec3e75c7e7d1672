"""The tree against the RFC's definitions and published values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import merkle_reference as reference
from vectors import load, needs_vectors

from visitsync.audit import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of
from visitsync.errors import LogBroken

LEAVES = [f"entry {number}".encode() for number in range(300)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


@needs_vectors
def test_published_hashes_and_roots() -> None:
    published = load("rfc6962/hashes-and-roots.json")
    hasher = published["hasher"]
    assert EMPTY_ROOT.hex() == hasher["empty_root"]
    assert leaf_hash(b"").hex() == hasher["leaf_empty"]
    assert leaf_hash(b"L123456").hex() == hasher["leaf_L123456"]
    assert node_hash(b"N123", b"N456").hex() == hasher["node_N123_N456"]

    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT
    hashes = [leaf_hash(bytes.fromhex(leaf)) for leaf in published["reference_leaves_hex"]]
    for size, root in enumerate(published["reference_roots_hex_size_1_to_8"], start=1):
        frontier.append(hashes[size - 1])
        assert frontier.root().hex() == root_of(hashes[:size]).hex() == root


def test_every_size_has_the_root_of_the_definition() -> None:
    frontier = Frontier()
    for size in range(len(LEAVES)):
        assert frontier.size == size
        assert frontier.root() == root_of(HASHES[:size]) == reference.mth(LEAVES[:size])
        frontier.append(HASHES[size])


@given(leaves=st.lists(st.binary(max_size=3), max_size=70))
def test_any_leaves_have_the_root_of_the_definition(leaves: list[bytes]) -> None:
    hashes = [leaf_hash(leaf) for leaf in leaves]
    assert root_of(hashes) == Frontier(hashes).root() == reference.mth(leaves)


def test_a_leaf_never_passes_for_a_node() -> None:
    left, right = HASHES[:2]
    assert leaf_hash(left + right) != node_hash(left, right)
    assert root_of([leaf_hash(left + right)]) != root_of([left, right])


def test_a_repeated_last_leaf_is_another_tree() -> None:
    """Where trees are filled up by repeating the last leaf, two lists have one root; not here."""
    assert root_of(HASHES[:3]) != root_of([*HASHES[:3], HASHES[2]])


def test_a_frontier_holds_one_hash_per_bit() -> None:
    assert len(Frontier(HASHES[:255]).to_bytes()) == 8 + 8 * 32
    assert len(Frontier(HASHES[:256]).to_bytes()) == 8 + 32


def test_a_stored_frontier_goes_on_where_it_was() -> None:
    for size in range(66):
        again = Frontier.from_bytes(Frontier(HASHES[:size]).to_bytes())
        again.append(HASHES[size])
        assert (again.size, again.root()) == (size + 1, root_of(HASHES[: size + 1]))


def test_every_truncation_of_a_frontier_and_any_trailing_byte_is_refused() -> None:
    stored = Frontier(HASHES[:7]).to_bytes()
    for changed in (*(stored[:end] for end in range(len(stored))), stored + b"\0", stored + stored):
        with pytest.raises(LogBroken):
            Frontier.from_bytes(changed)


def test_a_batch_is_tried_on_a_copy() -> None:
    frontier = Frontier(HASHES[:5])
    trial = frontier.copy()
    trial.append(HASHES[5])
    assert (frontier.size, frontier.root()) == (5, root_of(HASHES[:5]))
    assert trial.root() == root_of(HASHES[:6])
    assert repr(trial) == "<Frontier of 6 leaves>"


def test_only_hashes_are_appended() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().append(b"an entry, not its hash")
