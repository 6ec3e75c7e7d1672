"""All tables. What they hold in clear is who visited when, never whom, where or what was said."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from visitsync.store import columns, key_tables, log_tables

METADATA: Final = columns.METADATA
_text, _number, _bytes = columns.text, columns.number, columns.blob
_flag, _one_row = columns.flag, columns.one_row

data_key: Final = key_tables.data_key
tombstone: Final = key_tables.tombstone
erased_registration: Final = key_tables.erased_registration
log_head: Final = log_tables.log_head
log_entry: Final = log_tables.log_entry
log_year: Final = log_tables.log_year
log_anchor: Final = log_tables.log_anchor
witnessed: Final = log_tables.witnessed

# ── the installation ──────────────────────────────────────────────────────────────────────────────
installation: Final = sa.Table(
    "installation",
    METADATA,
    _one_row(),
    _text("tenant"),
    _text("vkey"),  # the log's public key: another key file is noticed by it
    _number("token_bits"),
    _number("created_at"),
)
intake: Final = sa.Table(
    # One row, locked by whoever places registrations: two offices must not register one family at
    # the same instant without seeing each other.
    "intake",
    METADATA,
    _one_row(),
    _number("version"),
)

# ── the directory ─────────────────────────────────────────────────────────────────────────────────
municipality: Final = sa.Table(
    "municipality",
    METADATA,
    _one_row(),
    _text("name"),
    _text("kana"),
    _text("code"),
    _text("timezone"),
    _flag("second_person"),
)
agency: Final = sa.Table(
    "agency",
    METADATA,
    _text("id", key=True),
    _text("name"),
    _text("kind"),
    _number("ended_at", null=True),
)
office: Final = sa.Table(
    "office",
    METADATA,
    _text("id", key=True),
    _text("agency"),
    _text("name"),
    _text("number_in_files"),
    _text("program"),
    _text("local_program"),
    _number("contract_from"),
    _number("contract_to", null=True),  # the last day, inclusive
    _flag("in_council"),
    _text("commissioner", null=True),
    _number("ended_at", null=True),
)
layout: Final = sa.Table(
    "layout", METADATA, _text("office", key=True), _text("name", key=True), _text("body")
)
staff: Final = sa.Table(
    "staff",
    METADATA,
    _text("id", key=True),
    _number("version"),  # the newest of their viewer facts
    _bytes("sealed"),  # the name and the rest of the directory's entry
    _number("ended_at", null=True),
    _number("key_version"),
)
claim: Final = sa.Table(
    # Registrations of a household that somebody's caseload names before they are known here.
    "claim",
    METADATA,
    _text("staff", key=True),
    _text("label", key=True),
    _text("registration", key=True),
    sa.Index("claim_registration_idx", "registration"),
)
token: Final = sa.Table(
    "token",
    METADATA,
    _text("id", key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    _text("kind"),
    _text("subject"),
    _text("scopes"),
    _number("issued_at"),
    _number("expires_at"),
    _number("revoked_at", null=True),
)

# ── facts that decisions rest on: append-only ─────────────────────────────────────────────────────
fact: Final = sa.Table(
    "fact",
    METADATA,
    _text("kind", key=True),
    _text("id", key=True),
    _number("version", key=True),
    _number("recorded_at"),
    _text("household", null=True),
    _text("body"),
    sa.Index("fact_household_idx", "household"),
)
caseload: Final = sa.Table(
    # An entry belongs to a viewer's versions from `from_version` up to before `to_version`.
    "caseload",
    METADATA,
    _text("viewer", key=True),
    _text("household", key=True),
    _number("from_version", key=True),
    _number("to_version", null=True),
    _number("from_at"),
    _number("until_at", null=True),
    sa.Index("caseload_household_idx", "household"),
)
proposal: Final = sa.Table(
    # A consent that waits for a second person; settled once there is a fact of its id.
    "proposal",
    METADATA,
    _text("directive", key=True),
    _text("household"),
    _number("recorded_at"),
    _text("recorded_by"),
    _text("body"),
    sa.Index("proposal_household_idx", "household"),
)
invocation_request: Final = sa.Table(
    # A law that somebody asks to invoke; settled once there is a fact of its id.
    "invocation_request",
    METADATA,
    _text("id", key=True),
    _text("household"),
    _number("asked_at"),
    _text("asked_by"),
    _text("body"),
    sa.Index("invocation_request_household_idx", "household"),
)
evidence: Final = sa.Table(
    # What the family signed for a directive.
    "evidence",
    METADATA,
    _text("directive", key=True),
    _text("household"),
    _number("recorded_at"),
    _text("kind"),
    _bytes("sealed"),
    _number("key_version"),
    sa.Index("evidence_household_idx", "household"),
    sa.Index("evidence_key_version_idx", "key_version"),
)
notice: Final = sa.Table(
    # What families are told before they sign, word for word.
    "notice",
    METADATA,
    _text("version", key=True),
    _number("recorded_at"),
    _flag("retroactive"),
    _text("text_ja"),
    _text("text_en"),
    _text("clause_ja"),
    _text("clause_en"),
)
consent_epoch: Final = sa.Table(
    # Goes up with every change of a fact of its scope; a scope without a row is at 0.
    "consent_epoch",
    METADATA,
    _text("scope", key=True),
    _number("value"),
)

# ── households and what belongs to them ───────────────────────────────────────────────────────────
household: Final = sa.Table("household", METADATA, _text("id", key=True), _number("created_at"))
registration: Final = sa.Table(
    "registration",
    METADATA,
    _text("id", key=True),  # keyed hash of the office and its case number
    _text("office"),
    _text("program"),
    _text("household"),
    _number("created_at"),
    _number("edition"),  # of the profile
    _bytes("profile"),  # sealed: every form of every person that the office ever gave
    _number("key_version"),
    sa.Index("registration_household_idx", "household"),
    sa.Index("registration_key_version_idx", "key_version"),
)
link: Final = sa.Table(
    "link",
    METADATA,
    _text("id", key=True),
    _text("registration"),
    _text("household"),
    _number("from_at"),
    _number("until_at", null=True),
    _text("verdict"),
    _text("decided_by"),
    _text("rules"),
    _text("evidence"),  # codes
    sa.Index("link_registration_idx", "registration"),
)
review: Final = sa.Table(
    "review",
    METADATA,
    _text("registration", key=True),
    _number("opened_at", key=True),
    _number("closed_at", null=True),
    _text("candidates"),
    _text("evidence"),
    _text("rules"),
)
apart: Final = sa.Table(
    # "Not the same", said by a person; stands for ever.
    "apart",
    METADATA,
    _text("one", key=True),
    _text("other", key=True),
    _text("decided_by"),
    _number("decided_at"),
)
index_term: Final = sa.Table(
    "index_term",
    METADATA,
    _text("token", key=True),  # kind and truncated keyed hash of a compound value
    _text("registration", key=True),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("index_key.epoch"), nullable=False),
    sa.Index("index_term_registration_idx", "registration"),
    sa.Index("index_term_epoch_idx", "epoch", "registration"),
)
visit: Final = sa.Table(
    "visit",
    METADATA,
    _text("id", key=True),  # keyed hash of the office and its record id
    _number("revision", key=True),
    _text("household"),
    _text("registration"),
    _text("office"),
    _text("program"),
    sa.Column("day", sa.Integer, nullable=False),
    _text("state"),
    _flag("elsewhere"),  # a higher revision belongs to another registration
    _number("recorded_at"),
    _text("submission"),
    _bytes("content"),  # keyed hash, by which the same content is known again
    _bytes("sealed"),
    _number("key_version"),  # of the data key that sealed it
    sa.Index("visit_household_idx", "household"),
    sa.Index("visit_key_version_idx", "key_version"),
)
submission: Final = sa.Table(
    "submission",
    METADATA,
    _text("id", key=True),
    _text("office"),
    _number("recorded_at"),
    _bytes("key", null=True),  # keyed hash of the idempotency key
    _bytes("request", null=True),  # keyed hash of what was handed in, and how
    _bytes("report"),  # sealed
    _number("key_version"),
    sa.UniqueConstraint("office", "key"),
    sa.Index("submission_key_version_idx", "key_version"),
)

# ── protection and emergency: what waits for a second person, and who was told ───────────────────
closing: Final = sa.Table(
    # Somebody asked to end a shield or block; another person has not decided yet.
    "closing",
    METADATA,
    _text("kind", key=True),
    _text("fact", key=True),
    _text("asked_by"),
    _number("asked_at"),
)
confirmed: Final = sa.Table(
    # Shields that somebody confirmed; every other one is provisional.
    "confirmed",
    METADATA,
    _text("shield", key=True),
    _text("confirmed_by"),
    _number("confirmed_at"),
)
lift: Final = sa.Table(
    "lift",
    METADATA,
    _text("id", key=True),
    _text("shield"),
    _text("household"),
    _text("recipient"),
    _text("document"),
    _text("asked_by"),
    _number("asked_at"),
    _text("approved_by", null=True),
    _number("approved_at", null=True),
    _number("used_at", null=True),
)
emergency: Final = sa.Table(
    # One break-glass access: asked, granted, and closed by a review. The id is the grant's.
    "emergency",
    METADATA,
    _text("id", key=True),
    _text("household"),
    _text("viewer"),
    _text("agency"),
    _text("office", null=True),
    _text("reason"),
    _text("categories"),
    _number("hours"),
    _number("asked_at"),
    _text("approved_by", null=True),
    _number("granted_at", null=True),
    _number("due_at", null=True),
    _text("outcome", null=True),
    _text("reviewed_by", null=True),
    _number("reviewed_at", null=True),
    _number("escalated_at", null=True),
    sa.Index("emergency_viewer_idx", "viewer"),
)
message: Final = sa.Table(
    # Says that something happened, never to whom.
    "message",
    METADATA,
    _text("id", key=True),
    _text("reader"),  # office:ID or staff:ID
    _text("kind"),
    _number("at"),
    _text("about"),  # the id of a grant or invocation
    _number("read_at", null=True),
    sa.Index("message_reader_idx", "reader"),
)

APPEND_ONLY: Final = (
    *("fact", "log_entry", "log_year", "log_anchor"),
    *("proposal", "invocation_request", "evidence", "notice"),
    *("tombstone", "erased_registration"),
)
"""Tables whose rows are neither changed nor deleted; the database itself refuses it.

Rows of `ERASABLE` can be deleted once a tombstone of their household stands."""
ERASABLE: Final = ("fact", "proposal", "invocation_request", "evidence")
