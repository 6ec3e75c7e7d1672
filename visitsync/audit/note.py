"""Signed notes (c2sp.org/signed-note): a text, an empty line, and signature lines.

Two kinds of keys: Ed25519 (type 1), with which the log signs, and Ed25519 cosignatures with a time
(type 4, c2sp.org/tlog-cosignature), with which a witness says what it saw. Signatures of unknown
keys are passed over, as the specification demands; one of a known key must be right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from visitsync.audit.canonical import from_base64, to_base64
from visitsync.errors import BadNote, BadParameter
from visitsync.schema.silent import Struct

MAX_SIGNATURES: Final = 100
MAX_NOTE_BYTES: Final = 256 * 1024

_ED25519: Final = 1
COSIGNATURE: Final = 4
"""The kind of a witness's key."""
_KEY_ID_BYTES: Final = 4
TIME_BYTES: Final = 8
_PUBLIC_BYTES: Final = 32
_VKEY: Final = re.compile(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")
_SIGNATURE: Final = re.compile(r"— ([^+\s]+) ([A-Za-z0-9+/]+=*)")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteSigner:
    """Signs notes with one Ed25519 key.

    Args:
        name: of the key, without spaces or ``+``; for a log ``visitsync/<tenant>``.
        seed: 32 secret bytes.
    """

    __slots__ = ("_key", "name", "vkey")

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.name = name
        self.vkey = vkey_of(name, _ED25519, self._key.public_key().public_bytes_raw())
        """The public key, as auditors are given it."""
        NoteVerifier(self.vkey)

    def sign(self, text: str) -> str:
        """`text` as a note with one signature; the same text gives the same bytes.

        Raises:
            BadNote: if the text does not end with a line feed or holds control characters.
        """
        if not text.endswith("\n") or _CONTROL.search(text) is not None:
            raise BadNote("a note's text is lines of plain text", reason="malformed")
        key_id = NoteVerifier(self.vkey).key_id
        signature = to_base64(key_id + self._key.sign(text.encode()))
        return f"{text}\n— {self.name} {signature}\n"

    def __repr__(self) -> str:
        return f"<NoteSigner {self.name}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")


class NoteVerifier:
    """Checks signatures of one public key.

    Args:
        vkey: ``<name>+<key id in hex>+<base64 of type and public key>``.

    Raises:
        BadParameter: if that is no key of type 1 or 4, or its id is not its own.
    """

    __slots__ = ("_key", "_kind", "key_id", "name", "vkey")

    def __init__(self, vkey: str) -> None:
        found = _VKEY.fullmatch(vkey)
        material = from_base64(found[3]) if found is not None else None
        if found is None or material is None or len(material) != 1 + _PUBLIC_BYTES:
            raise BadParameter("this is no verifier key; copy the whole line", where="key")
        kind, public = material[0], material[1:]
        if kind not in {_ED25519, COSIGNATURE} or vkey_of(found[1], kind, public) != vkey:
            raise BadParameter(
                "this verifier key is damaged or of an unknown kind; copy the whole line",
                where="key",
            )
        self._kind = kind
        self._key = Ed25519PublicKey.from_public_bytes(public)
        self.name = found[1]
        self.key_id = bytes.fromhex(found[2])
        self.vkey = vkey

    def verify(self, text: str, signature: bytes) -> None:
        """Check what stands behind the key id in a signature line.

        Raises:
            BadNote: if this key did not sign this text.
        """
        signed = text.encode()
        if self._kind == COSIGNATURE:
            time, signature = signature[:TIME_BYTES], signature[TIME_BYTES:]
            seconds = int.from_bytes(time, "big")
            signed = f"cosignature/v1\ntime {seconds}\n".encode() + signed
        try:
            self._key.verify(signature, signed)
        except InvalidSignature:
            raise BadNote(
                "the signature is not this key's", reason="wrong_signature", where=self.name
            ) from None

    def __repr__(self) -> str:
        return f"<NoteVerifier {self.name}>"


class OpenedNote(Struct, frozen=True):
    """A note whose signatures were checked."""

    text: str
    signed_by: tuple[str, ...]
    """The names of the keys that are known and signed it, in order."""
    others: int
    """Different signature lines of keys that are not known."""


def open_note(note: str | bytes, verifiers: Sequence[NoteVerifier]) -> OpenedNote:
    """The text of a note that at least one of `verifiers` signed.

    Raises:
        BadNote: if it is malformed, if a known key's signature is wrong, if two verifiers share a
            name and an id that occurs, or if no known key signed it.
    """
    text, lines = split_note(note)
    signed_by: list[str] = []
    others: set[str] = set()
    seen: set[tuple[str, bytes]] = set()
    for line, name, key_id, signature in lines:
        known = [one for one in verifiers if one.name == name and one.key_id == key_id]
        if len(known) > 1:
            raise BadNote("two trusted keys look alike", reason="ambiguous_key", where=name)
        if not known:
            others.add(line)
        elif (name, key_id) not in seen:
            seen.add((name, key_id))
            known[0].verify(text, signature)
            signed_by.append(name)
    if not signed_by:
        raise BadNote("no trusted key signed this note", reason="not_signed")
    return OpenedNote(text, tuple(signed_by), len(others))


def split_note(note: str | bytes) -> tuple[str, list[tuple[str, str, bytes, bytes]]]:
    """The text of a note and its signature lines (line, name, key id, signature), unchecked.

    Raises:
        BadNote: if it is malformed.
    """
    malformed = BadNote("this is no signed note", reason="malformed")
    try:
        whole = note.decode() if isinstance(note, bytes) else note
    except UnicodeDecodeError:
        raise malformed from None
    text, separator, block = whole.rpartition("\n\n")
    wrong = len(whole) > MAX_NOTE_BYTES or _CONTROL.search(whole) is not None
    if wrong or not separator or not block.endswith("\n"):
        raise malformed
    signatures = block[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise malformed
    lines = []
    for line in signatures:
        found = _SIGNATURE.fullmatch(line)
        raw = from_base64(found[2]) if found is not None else None
        if found is None or raw is None or len(raw) <= _KEY_ID_BYTES:
            raise malformed
        lines.append((line, found[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:]))
    return f"{text}\n", lines


def vkey_of(name: str, kind: int, public: bytes) -> str:
    """The verifier key of a public key of a kind."""
    material = bytes((kind,)) + public
    key_id = sha256(name.encode() + b"\n" + material).digest()[:_KEY_ID_BYTES]
    return f"{name}+{key_id.hex()}+{to_base64(material)}"
