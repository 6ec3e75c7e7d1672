"""The access log's arithmetic: entries, the tree, proofs, checkpoints, and a verifier.

Nothing here reads a database or a clock; whoever has a bundle and the public key can run it.

    LogEntry → leaf → leaf_hash → Frontier.append → Checkpoint → signed note
"""

from visitsync.audit.backup_note import open_signed as open_backup_note
from visitsync.audit.backup_note import sign as sign_backup_note
from visitsync.audit.blocks import BLOCK, Blocks
from visitsync.audit.bundle import BundleMaker, Leaf, Opened, Section
from visitsync.audit.bundle import encode as encode_bundle
from visitsync.audit.bundle import lines as bundle_lines
from visitsync.audit.bundle import stored as stored_leaves
from visitsync.audit.certificate import Certificate
from visitsync.audit.certificate import open_signed as open_certificate
from visitsync.audit.certificate import sign as sign_certificate
from visitsync.audit.checkpoint import Checkpoint, check_extends, open_signed
from visitsync.audit.checkpoint import peek as peek_checkpoint
from visitsync.audit.checkpoint import sign as sign_checkpoint
from visitsync.audit.cosignature import Cosigner
from visitsync.audit.entry import INCIDENT, KINDS, PRIVATE_LABEL, LogEntry, commitment, leaf
from visitsync.audit.entry import read as read_leaf
from visitsync.audit.growing_path import GrowingPath
from visitsync.audit.head_extension import HeadExtension
from visitsync.audit.head_extension import parse as parse_head_extension
from visitsync.audit.note import NoteSigner, NoteVerifier, OpenedNote, open_note
from visitsync.audit.period import Period
from visitsync.audit.place import MAX_PROOF_BYTES, PlaceProof, is_place_proof, verify_place
from visitsync.audit.place import decode as decode_place
from visitsync.audit.place import encode as encode_place
from visitsync.audit.printed import WordList, read_typed, words_of
from visitsync.audit.printed import text_of as printed_text
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
from visitsync.audit.tiles import Tile, TileMaker
from visitsync.audit.tree import EMPTY_ROOT, Frontier, leaf_hash, node_hash, root_of
from visitsync.audit.verdict import Finding, Verdict
from visitsync.audit.verify import verify_bundle

__all__ = [
    "BLOCK",
    "EMPTY_ROOT",
    "INCIDENT",
    "KINDS",
    "MAX_PROOF_BYTES",
    "PRIVATE_LABEL",
    "Blocks",
    "BundleMaker",
    "Certificate",
    "Checkpoint",
    "Cosigner",
    "Finding",
    "Frontier",
    "GrowingPath",
    "HeadExtension",
    "Leaf",
    "LogEntry",
    "NoteSigner",
    "NoteVerifier",
    "Opened",
    "OpenedNote",
    "Period",
    "PlaceProof",
    "Receipt",
    "Section",
    "Tile",
    "TileMaker",
    "Verdict",
    "WordList",
    "bundle_lines",
    "check_extends",
    "commitment",
    "consistency_proof",
    "decode_place",
    "encode_bundle",
    "encode_place",
    "fiscal_year",
    "inclusion_proof",
    "instant",
    "is_place_proof",
    "key_name",
    "leaf",
    "leaf_hash",
    "next_part_of",
    "node_hash",
    "open_backup_note",
    "open_certificate",
    "open_note",
    "open_receipt",
    "open_signed",
    "opening",
    "order_of",
    "origin",
    "parse_head_extension",
    "peek_checkpoint",
    "present_shard",
    "printed_text",
    "read_leaf",
    "read_typed",
    "root_of",
    "sign_backup_note",
    "sign_certificate",
    "sign_checkpoint",
    "sign_receipt",
    "split_origin",
    "stored_leaves",
    "verify_bundle",
    "verify_consistency",
    "verify_inclusion",
    "verify_place",
    "words_of",
]
