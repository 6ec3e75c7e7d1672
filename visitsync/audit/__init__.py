"""The access log's arithmetic: entries, the tree, proofs, checkpoints, and a verifier.

Nothing here reads a database or a clock; whoever has a bundle and the public key can run it.

    LogEntry → leaf → leaf_hash → Frontier.append → Checkpoint → signed note
"""

from visitsync.audit.checkpoint import Checkpoint, check_extends, open_signed
from visitsync.audit.checkpoint import peek as peek_checkpoint
from visitsync.audit.checkpoint import sign as sign_checkpoint
from visitsync.audit.entry import KINDS, LogEntry, commitment, leaf
from visitsync.audit.entry import read as read_leaf
from visitsync.audit.note import NoteSigner, NoteVerifier, OpenedNote, open_note
from visitsync.audit.proofs import (
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from visitsync.audit.shards import fiscal_year, instant, key_name, opening, origin
from visitsync.audit.tree import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of

__all__ = [
    "EMPTY_ROOT",
    "KINDS",
    "Checkpoint",
    "Frontier",
    "LogEntry",
    "NoteSigner",
    "NoteVerifier",
    "OpenedNote",
    "check_extends",
    "commitment",
    "consistency_proof",
    "fiscal_year",
    "inclusion_proof",
    "instant",
    "key_name",
    "leaf",
    "leaf_hash",
    "node_hash",
    "open_note",
    "open_signed",
    "opening",
    "origin",
    "peek_checkpoint",
    "read_leaf",
    "root_of",
    "sign_checkpoint",
    "verify_consistency",
    "verify_inclusion",
]
