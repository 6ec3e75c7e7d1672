"""Checkpoints: a published log, its misbehaviours, and the strict form."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from vectors import hashes, load, needs_vectors

from visitsync.audit import (
    EMPTY_ROOT,
    Checkpoint,
    Frontier,
    NoteSigner,
    NoteVerifier,
    check_extends,
    leaf_hash,
    open_signed,
    peek_checkpoint,
    root_of,
    sign_checkpoint,
    verify_inclusion,
)
from visitsync.audit.checkpoint import parse
from visitsync.errors import BadNote, LogBroken

SIGNER = NoteSigner("visitsync/shiomi", bytes(range(32)))
VERIFIERS = [NoteVerifier(SIGNER.vkey)]
HEAD = Checkpoint("visitsync/shiomi/2026", 3, root_of([leaf_hash(b"%d" % n) for n in range(3)]))
ROOT = b64encode(HEAD.root).decode()
IDLE_BITS = ROOT[:-2] + chr(ord(ROOT[-2]) + 1) + "="
"""Decodes to the same root, but is not how anybody writes it."""


def test_what_is_signed_opens() -> None:
    note = sign_checkpoint(HEAD, SIGNER)
    assert open_signed(note, VERIFIERS) == peek_checkpoint(note) == HEAD
    assert parse(HEAD.text()) == HEAD


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"\n3\n{ROOT}\n",
        f"log\n3\n{ROOT}",
        "log\n3\n",
        f"log\n03\n{ROOT}\n",
        f"log\n-3\n{ROOT}\n",
        f"log\n+3\n{ROOT}\n",
        f"log\n3 \n{ROOT}\n",
        f"log\n٣\n{ROOT}\n",
        f"log\n{10**20}\n{ROOT}\n",
        f"log\n3\n{ROOT[:-1]}\n",
        f"log\n3\n{IDLE_BITS}\n",
        "log\n3\nYmFuYW5hcw==\n",
        f"log\n3\n{ROOT}\nan extension\n",
        f"log\n3\n{ROOT}\nno line feed",
        f"log\n3\n{ROOT}\n\n",
        f"log\n0\n{ROOT}\n",
    ],
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        parse(text)


def test_the_control_of_idle_bits_is_one() -> None:
    assert b64decode(IDLE_BITS) == HEAD.root


def test_an_empty_log_has_the_empty_root() -> None:
    assert parse(Checkpoint("log", 0, EMPTY_ROOT).text()).size == 0


@needs_vectors
def test_published_bodies() -> None:
    published = load("tlog/formats-checkpoints.json")
    for body in published["checkpoint_body_bad"]:
        with pytest.raises(BadNote):
            parse(body)
    for case in (*published["ecdsa_checkpoints"], published["rfc6962_checkpoint"]):
        assert peek_checkpoint(case["note"]).size > 0
    shape = load("tlog/c2sp-examples.json")
    for name in ("checkpoint_shape_only_no_key_published", "cosigned_checkpoint_shape"):
        assert peek_checkpoint(shape[name]).size == 20852163


@needs_vectors
def test_a_published_log_gives_its_published_checkpoints() -> None:
    published = load("tlog/tessera-log-15.json")
    _, _, name, _, material = published["skey"].split("+", 4)
    signer = NoteSigner(name, b64decode(material)[1:])
    verifiers = [NoteVerifier(published["vkey"])]
    frontier = Frontier()
    for size in range(16):
        head = Checkpoint("example.com/log/testdata", size, frontier.root())
        assert open_signed(published["checkpoints"][str(size)], verifiers) == head
        assert sign_checkpoint(head, signer) == published["checkpoints"][str(size)]
        if size < 15:
            frontier.append(leaf_hash(published["entries"][size].encode()))
    tile = b"".join(leaf_hash(entry.encode()) for entry in published["entries"])
    assert tile.hex() == published["level0_tile_hex"]


@needs_vectors
def test_published_misbehaviours_are_all_caught() -> None:
    made = load("tlog/derived-misbehaviour.json")
    good, bad = made["accept"], made["reject_or_alarm"]
    verifiers = [NoteVerifier(made["log_vkey"])]
    leaves = [leaf_hash(entry.encode()) for entry in made["entries"]]
    head = open_signed(good["checkpoint_15"], verifiers)
    older = Checkpoint(head.origin, 8, root_of(leaves[:8]))

    # Controls: the honest log passes.
    assert head.root == root_of(leaves)
    check_extends(older, head, hashes(good["consistency_8_15"]))
    verify_inclusion(leaves[5], 5, 15, head.root, hashes(good["inclusion_5_in_15"]))
    assert open_signed(good["with_cosignature"], verifiers) == head

    one, two = (open_signed(note, verifiers) for note in bad["split_view_same_size"])
    with pytest.raises(LogBroken, match="two different logs of the same size"):
        check_extends(one, two, ())

    rewrite = bad["rewrite_of_entry_5_after_checkpoint_8"]
    earlier, later = (open_signed(rewrite[key], verifiers) for key in ("earlier", "later"))
    with pytest.raises(LogBroken, match="does not extend"):
        check_extends(earlier, later, hashes(rewrite["best_proof_attacker_can_make"]))

    earlier, later = (open_signed(bad["truncation"][k], verifiers) for k in ("earlier", "later"))
    with pytest.raises(LogBroken, match="shorter"):
        check_extends(earlier, later, ())

    regrow = bad["truncate_then_regrow"]
    earlier, later = (open_signed(regrow[k], verifiers) for k in ("earlier", "later"))
    regrown = [*leaves[:12], *(leaf_hash(b"n%d" % n) for n in range(4))]
    assert later.root == root_of(regrown)
    for proof in ((), [leaf_hash(b"n3"), *hashes(good["inclusion_5_in_15"])]):
        with pytest.raises(LogBroken):
            check_extends(earlier, later, proof)

    for name in ("reorder_3_4", "deletion_of_7_with_renumbering"):
        head = open_signed(bad[name]["checkpoint"], verifiers)
        found = [leaf_hash(entry.encode()) for entry in bad[name]["entries"]]
        assert root_of(found) != head.root

    with pytest.raises(BadNote, match="empty log"):
        open_signed(bad["empty_tree_with_nonempty_root"], verifiers)
    # The two that are about a witness's time stand in test_note.
    assert len(bad) == 9


def test_checkpoints_of_two_logs_are_not_compared() -> None:
    with pytest.raises(BadNote, match="two different logs"):
        check_extends(HEAD, Checkpoint("visitsync/shiomi/2027", HEAD.size, HEAD.root), ())
