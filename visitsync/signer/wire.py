"""What is said between a service and a signer that is a process of its own.

One question and one answer over a Unix socket: four bytes of length (big endian), then JSON.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from visitsync.audit import Certificate, Receipt
from visitsync.errors import SignerError
from visitsync.schema.silent import Struct
from visitsync.signer.extension import Extension, Signed

LENGTH_BYTES: Final = 4
MAX_BYTES: Final = 64 * 1024 * 1024
"""More than the hashes of a minute in which the signer was away."""


class AskKey(Struct, frozen=True, tag="key", forbid_unknown_fields=True):
    """Which key signs?"""


class AskSigned(Struct, frozen=True, tag="signed", forbid_unknown_fields=True):
    """What was signed last?"""


class AskExtension(Struct, frozen=True, tag="extend", forbid_unknown_fields=True):
    """Sign the head after these entries."""

    extension: Extension


class AskReceipt(Struct, frozen=True, tag="receipt", forbid_unknown_fields=True):
    """Sign this receipt."""

    receipt: Receipt


class AskCertificate(Struct, frozen=True, tag="certificate", forbid_unknown_fields=True):
    """Sign this certificate of erasure."""

    certificate: Certificate


class AskManifest(Struct, frozen=True, tag="manifest", forbid_unknown_fields=True):
    """Sign what a backup says of itself."""

    manifest: str


Question: TypeAlias = AskKey | AskSigned | AskExtension | AskReceipt | AskCertificate | AskManifest


class Answered(Struct, frozen=True, tag="answered", forbid_unknown_fields=True):
    """What the signer says; of these the one that was asked for."""

    vkey: str = ""
    signed: Signed | None = None
    receipt: str = ""
    """Or a certificate, or a manifest."""


class Refused(Struct, frozen=True, tag="refused", forbid_unknown_fields=True):
    """Why the signer does not: it never signs this, or cannot now."""

    never: bool
    message: str
    where: str


Answer: TypeAlias = Answered | Refused

_QUESTION: Final[msgspec.json.Decoder[Question]] = msgspec.json.Decoder(Question)
_ANSWER: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def framed(said: Question | Answer) -> bytes:
    """A message with its length before it.

    Raises:
        SignerError: it is too long.
    """
    body = msgspec.json.encode(said)
    if len(body) > MAX_BYTES:
        raise SignerError("Too many entries wait for the signer at once", where="signer")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def question(body: bytes) -> Question:
    """What was asked.

    Raises:
        SignerError: it is no question of this release.
    """
    try:
        return _QUESTION.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SignerError("The signer was asked what it does not know", where="signer") from None


def answer(body: bytes) -> Answer:
    """What was answered.

    Raises:
        SignerError: it is no answer of this release.
    """
    try:
        return _ANSWER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SignerError(
            "The signer's answer cannot be read; is it of another release?", where="signer"
        ) from None
