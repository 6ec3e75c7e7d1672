"""One entry of the access log, and its leaf: canonical JSON in one line.

Sorted keys, strings and integers only, no null, no spaces; what does not apply is left out. The
leaf says nothing about a family: the household, the records, the terms of a search, the client's
address and free-text reasons are the private part, which is sealed elsewhere and can be erased; the
leaf holds a commitment to it, and the tree still verifies.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Final, TypeAlias

import msgspec

from visitsync.errors import LogBroken
from visitsync.schema.silent import Struct

VERSION: Final = 1
YEAR_OPENED: Final = "year_opened"
INCIDENT: Final = "incident"
"""Opens another part of a year, after entries were lost."""
SALT_BYTES: Final = 16
PRIVATE_LABEL: Final = "visitsync/access-log/private/1"
"""The label under which an entry commits to its private part."""

KINDS: Final = frozenset(
    {
        YEAR_OPENED,
        "timeline_read",
        "list_read",
        "search",
        "denied",
        "export",
        "print",
        "submission",
        "link",
        "unlink",
        "directive_recorded",
        "directive_withdrawn",
        "notice_recorded",
        "guardian_recorded",
        "court_order_recorded",
        "explained",
        "shield_recorded",
        "shield_closed",
        "block_recorded",
        "block_closed",
        "lift_requested",
        "lift_approved",
        "lift_used",
        "closing_requested",
        "council_case_recorded",
        "council_case_changed",
        "council_case_closed",
        "invocation_requested",
        "invocation_approved",
        "invocation_ended",
        "shield_opened",
        "uses_read",
        "accesses_read",
        "break_glass",
        "break_glass_reviewed",
        "signed_in",
        "directory_applied",
        "token_issued",
        "token_revoked",
        "key_rotated",
        "key_retired",
        "key_shredded",
        "erasure",
        "restore",
        "hold_placed",
        "hold_lifted",
        "log_read",
        "log_exported",
        "rows_changed",
        "backup",
        INCIDENT,
    }
)
"""What can be done. Kept on disk for ever: add, never rename."""

_PLAIN: Final = r"^[^\x00-\x1f\x7f]+\Z"
Text: TypeAlias = Annotated[str, msgspec.Meta(pattern=_PLAIN, max_length=256)]
Code: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Note: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=16 * 1024)]
Instant: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
        r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z\Z"
    ),
]


class LogEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happened once, without saying about whom; checked when it becomes a `leaf`."""

    # The order of the fields is that of the keys in the leaf: alphabetical.
    actor: Text
    """Who acted, as a pseudonym that the municipality can resolve; ``visitsync`` for itself."""
    basis: Text | None = None
    """The consent as ``id@version``, or the code of the law, by which it was allowed."""
    decision: Code | None = None
    """Such as ``shown``, ``masked`` or ``refused``."""
    epoch: Number | None = None
    """The household's consent epoch under which it was decided."""
    kind: Code
    """One of `KINDS`."""
    office: Text | None = None
    payload: Hash | None = None
    """SHA-256 in hex of the anchors of what was changed (`anchors`), or of what was handed out or
    signed."""
    pc: Hash | None = None
    """The commitment to the private part, see `commitment`."""
    previous: Note | None = None
    """In the first entry of a year, or part of one: the last signed checkpoint before."""
    program: Text | None = None
    purpose: Text | None = None
    records: Number | None = None
    """How many records it was about; 0 for a search without a result."""
    request: Text | None = None
    """The id of the request, the same in the technical log."""
    restored: Note | None = None
    """In the first entry after an incident: the last signed checkpoint of the log that was
    restored; ``previous`` is then that of the log that was lost."""
    rule: Text | None = None
    """The version of the decision rules."""
    seq: Number
    """The place in the year's tree, from 0."""
    shard: Text
    """The origin of the year's log, see `shards.origin`."""
    time: Instant
    """The database's clock, see `shards.instant`; never before the entry before it."""
    # A factory, because a plain default would be left out of the leaf.
    v: Annotated[int, msgspec.Meta(ge=VERSION, le=VERSION)] = msgspec.field(
        default_factory=lambda: VERSION
    )


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(LogEntry, strict=True)
_FIELD: Final = re.compile(r" - at `\$\.([a-z]+)`$")
_LABEL: Final = re.compile(r"[a-z0-9/_-]{1,64}")


class _Versioned(Struct, frozen=True):
    v: int


class _Timed(Struct, frozen=True):
    time: Instant


def leaf(entry: LogEntry) -> bytes:
    """The exact bytes that stand in the log and are hashed.

    Raises:
        LogBroken: if a field cannot stand there, or the kind is unknown; names the field, not what
            it holds.
    """
    line = _ENCODER.encode(entry)
    if read(line).kind not in KINDS:
        raise LogBroken("is no kind of entry", where="kind")
    return line


def read(line: bytes) -> LogEntry:
    """The entry that `leaf` wrote as `line`.

    A kind that a later release added is let through: what it means is not the verifier's matter.

    Raises:
        LogBroken: if `line` is not canonical to the byte; names the field, not what it holds.
    """
    try:
        entry = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        found = _FIELD.search(str(error))
        raise LogBroken(
            "cannot stand in the access log", where=found[1] if found else "entry"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise LogBroken("is no JSON", where="entry") from None
    if _ENCODER.encode(entry) != line:
        raise LogBroken("is not of the canonical form", where="entry")
    return entry


def version_of(line: bytes) -> int | None:
    """The version a leaf says it is of, if it says one at all."""
    try:
        return msgspec.json.decode(line, type=_Versioned).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def time_of(line: bytes) -> str | None:
    """The time a leaf says it is of, if it says one at all; text of equal width."""
    try:
        return msgspec.json.decode(line, type=_Timed).time
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def commitment(label: str, salt: bytes, private: bytes) -> str:
    """SHA-256 in hex over label, salt and private part, for `LogEntry.pc`.

    The salt hides a private part that could be guessed; keep it sealed with that part, and erase
    both together. The label ends with a line feed, which it cannot contain, and the salt has one
    length, so no two triples give the same input.

    Raises:
        ValueError: if the label is no code or the salt has not 16 bytes.
    """
    if _LABEL.fullmatch(label) is None or len(salt) != SALT_BYTES:
        raise ValueError("a commitment needs a label and a salt of 16 bytes")
    return sha256(label.encode() + b"\n" + salt + private).hexdigest()
