"""The access log's arithmetic: entries, the tree, proofs, checkpoints, and a verifier.

Nothing here reads a database or a clock; whoever has a bundle and the public key can run it.

    LogEntry → leaf → leaf_hash → Frontier.append → Checkpoint → signed note
"""

from visitsync.audit.bundle import Leaf, Opened, Section
from visitsync.audit.bundle import encode as encode_bundle
from visitsync.audit.bundle import lines as bundle_lines
from visitsync.audit.bundle import stored as stored_leaves
from visitsync.audit.checkpoint import Checkpoint, check_extends, open_signed
from visitsync.audit.checkpoint import peek as peek_checkpoint
from visitsync.audit.checkpoint import sign as sign_checkpoint
from visitsync.audit.entry import INCIDENT, KINDS, PRIVATE_LABEL, LogEntry, commitment, leaf
from visitsync.audit.entry import read as read_leaf
from visitsync.audit.note import NoteSigner, NoteVerifier, OpenedNote, open_note
from visitsync.audit.proofs import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from visitsync.audit.receipt import Receipt
from visitsync.audit.receipt import open_signed as open_receipt
from visitsync.audit.receipt import sign as sign_receipt
from visitsync.audit.shards import fiscal_year, instant, key_name, opening, origin
from visitsync.audit.shards import next_part as next_part_of
from visitsync.audit.shards import order as order_of
from visitsync.audit.shards import present as present_shard
from visitsync.audit.shards import split as split_origin
from visitsync.audit.tree import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of
from visitsync.audit.verdict import Finding, Verdict
from visitsync.audit.verify import verify_bundle

__all__ = [
    "EMPTY_ROOT",
    "INCIDENT",
    "KINDS",
    "PRIVATE_LABEL",
    "Checkpoint",
    "Finding",
    "Frontier",
    "Leaf",
    "LogEntry",
    "NoteSigner",
    "NoteVerifier",
    "Opened",
    "OpenedNote",
    "Receipt",
    "Section",
    "Verdict",
    "bundle_lines",
    "check_extends",
    "commitment",
    "consistency_proof",
    "encode_bundle",
    "fiscal_year",
    "inclusion_proof",
    "instant",
    "key_name",
    "leaf",
    "leaf_hash",
    "next_part_of",
    "node_hash",
    "open_note",
    "open_receipt",
    "open_signed",
    "opening",
    "order_of",
    "origin",
    "peek_checkpoint",
    "present_shard",
    "read_leaf",
    "root_of",
    "sign_checkpoint",
    "sign_receipt",
    "split_origin",
    "stored_leaves",
    "verify_bundle",
    "verify_consistency",
    "verify_inclusion",
]
