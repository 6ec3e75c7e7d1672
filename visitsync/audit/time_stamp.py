r"""A time stamp over a signed head (RFC 3161): an authority says that the head existed then.

    visitsync timestamp v1
    <base64 of the authority's answer, a TimeStampResp>

    …                                     the signed checkpoint, as it is

What is stamped is the checkpoint's bytes; other tools check the answer against them. Needs the
extra ``tsa``.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from typing import Final

from cryptography.x509 import Certificate
from rfc3161_client import (
    PKIStatus,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.audit.checkpoint import Checkpoint, open_signed, peek
from visitsync.audit.note import MAX_NOTE_BYTES, NoteVerifier
from visitsync.audit.verdict import Finding, Verdict
from visitsync.errors import BadNote, BadParameter, BadStamp, LogBroken
from visitsync.schema.silent import Struct

FIRST_LINE: Final = b"visitsync timestamp v1"
MAX_ANSWER_BYTES: Final = 64 * 1024
_ANY_VERSION: Final = re.compile(rb"visitsync timestamp v([0-9]{1,9})")
_SHA256: Final = "2.16.840.1.101.3.4.2.1"
_UNREAD: Final = (
    "this is no time stamp that can be read here; if it came from an authority, ask it to put its "
    "certificates in order, or to leave them out"
)
_WORST: Final = 2 * MAX_NOTE_BYTES


class TimeStamp(Struct, frozen=True):
    """A signed head and what an authority answered."""

    answer: bytes
    note: str


def encode(stamp: TimeStamp) -> bytes:
    """The file's bytes."""
    return b"\n".join([FIRST_LINE, to_base64(stamp.answer).encode(), b"", stamp.note.encode()])


def decode(data: bytes) -> TimeStamp:
    """The stamp that `encode` wrote as `data`.

    Raises:
        BadStamp: it wrote no such thing.
    """
    head, _, note = data.partition(b"\n\n")
    first, _, answer = head.partition(b"\n")
    read = from_base64(answer)
    if first != FIRST_LINE or not read or len(data) > _WORST:
        raise BadStamp("the stamp is not as it was written", reason="malformed")
    try:
        return TimeStamp(read, note.decode())
    except UnicodeDecodeError:
        raise BadStamp("the stamp is not as it was written", reason="malformed") from None


def check(
    answer: bytes, note: str, roots: Sequence[Certificate] | None, *, nonce: int | None = None
) -> dt.datetime:
    """When an authority saw a signed head.

    Args:
        answer: of the authority.
        note: the signed head.
        roots: whom to trust; None only where nobody is yet named, and then no signature is checked.
        nonce: the number that was sent, where it is known.

    Raises:
        BadStamp: it is none, refused, of another text or another request, or by somebody else.
    """
    response = _decoded(answer)
    if response.status != PKIStatus.GRANTED:
        raise BadStamp("the authority did not grant a stamp", reason="refused")
    told = _told(response)
    if told.imprint[0] != _SHA256:
        raise BadStamp("the stamp is not by SHA-256, which alone counts", reason="algorithm")
    if told.imprint[1] != hashlib.sha256(note.encode()).digest():
        raise BadStamp("the stamp is of another text", reason="imprint")
    if nonce is not None and told.nonce != nonce:
        raise BadStamp("the answer is to another request (its nonce is another)", reason="nonce")
    if roots is not None:
        _trusted(response, note, roots)
    return told.time


def verify_time_stamp(data: bytes, key: str | None, roots: Sequence[Certificate]) -> Verdict:
    """What can be said about a stamp's file. Never raises on content.

    Args:
        data: the file's bytes.
        key: the log's public key (vkey), from a source that is trusted.
        roots: certificates of authorities that are trusted.
    """
    version = _ANY_VERSION.fullmatch(data.partition(b"\n")[0])
    if version is None:
        return Verdict(findings=(Finding("not_a_stamp"),))
    if version[1] != b"1":
        return Verdict(findings=(Finding("unknown_stamp_version"),))
    try:
        stamp = decode(data)
        head = peek(stamp.note)
    except LogBroken:
        return Verdict(findings=(Finding("stamp_damaged"),))
    findings = [*_signature(stamp.note, key, head), _stamped(stamp, head, roots)]
    return Verdict(findings=tuple(findings), notes=(stamp.note,))


def _signature(note: str, key: str | None, head: Checkpoint) -> tuple[Finding, ...]:
    if key is None:
        return (Finding("no_key"),)
    try:
        open_signed(note, [NoteVerifier(key.strip())])
    except BadParameter:
        return (Finding("bad_key"),)
    except BadNote as error:
        code = "wrong_signature" if error.reason == "wrong_signature" else "not_signed"
        return (Finding(code, {"shard": head.origin}),)
    return ()


def _stamped(stamp: TimeStamp, head: Checkpoint, roots: Sequence[Certificate]) -> Finding:
    try:
        time = check(stamp.answer, stamp.note, roots)
    except BadStamp as error:
        codes = {
            "algorithm": "stamp_algorithm",
            "imprint": "stamp_of_another",
            "untrusted": "stamp_untrusted",
        }
        return Finding(codes.get(error.reason, "stamp_unreadable"))
    said = time.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Finding("stamped", {"shard": head.origin, "size": head.size, "time": said})


class _Told(Struct, frozen=True):
    time: dt.datetime
    nonce: int | None
    imprint: tuple[str, bytes]


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(answer)
    except ValueError:
        raise BadStamp(_UNREAD, reason="malformed") from None


def _told(response: TimeStampResponse) -> _Told:
    try:
        info = response.tst_info
        imprint = info.message_imprint
        told = (imprint.hash_algorithm.dotted_string, bytes(imprint.message))
        return _Told(info.gen_time, info.nonce, told)
    except ValueError:
        raise BadStamp(_UNREAD, reason="malformed") from None


def _trusted(response: TimeStampResponse, note: str, roots: Sequence[Certificate]) -> None:
    try:
        VerifierBuilder(roots=list(roots)).build().verify_message(response, note.encode())
    except (VerificationError, ValueError):
        raise BadStamp(
            "no authority under the certificates that were given made this stamp",
            reason="untrusted",
        ) from None
