"""What a family signed, or said electronically: kept sealed under the household's own key."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from visitsync.envelope import new_data_key
from visitsync.errors import NotItsMediaType
from visitsync.schema import strict_json
from visitsync.schema.silent import Struct
from visitsync.service import new_keys
from visitsync.service.keyring import EVIDENCE, DataKey, held
from visitsync.service.writing import Change
from visitsync.store import data_keys, evidence
from visitsync.store.facts import Fact

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of one piece; a scanned form of some pages."""

_MAGIC: Final = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
"""With what a file of each type begins, at its very first byte: a reader that looks for the mark
further on takes one file for two."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

MediaType: TypeAlias = Literal[
    "application/pdf",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "application/json",
    "text/plain",
]


class Evidence(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scan of the signed paper, or the electronic statement."""

    kind: Literal["paper", "electronic"]
    media_type: MediaType
    content: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MOST_BYTES)]
    """In JSON as base64."""

    def __repr__(self) -> str:
        return f"<Evidence {self.kind}>"


def refuse_mistaken(given: Evidence | None) -> None:
    """Go on only with evidence that is of its media type, as far as its marks tell.

    What further stands in it is not looked at: it is never shown, only handed out as a file.

    Raises:
        NotItsMediaType: it begins as something else, or is no text where it should be one.
    """
    if given is None:
        return
    found = (kind for kind, marks in _MAGIC.items() if given.content.startswith(marks))
    begins_as = next(found, None)
    wanted = given.media_type if given.media_type in _MAGIC else None
    if begins_as != wanted or (wanted is None and not _is_text(given)):
        raise NotItsMediaType("The evidence is not of its media type", where="evidence")


def _is_text(given: Evidence) -> bool:
    try:
        text = given.content.decode()
        if given.media_type == "application/json":
            strict_json.loads(given.content)
    except (UnicodeDecodeError, strict_json.NotStrictJson):
        return False
    return _CONTROL.search(text) is None


async def keep(made: Change, directive: Fact, given: Evidence | None) -> str | None:
    """Seal and store the evidence of a directive, in the transaction that records it.

    Returns:
        SHA-256 in hex of what is stored, for the entry in the access log; None without evidence.

    Raises:
        Tampered: the household's key for evidence was destroyed.
    """
    if given is None:
        return None
    household = str(directive.household)
    key = await _key(made, household)
    sealed = made.context.keyring.seal_evidence(
        key, household, directive.id, msgspec.msgpack.encode(given)
    )
    row = evidence.Evidence(directive.id, household, made.at, given.kind, sealed, key.version)
    await evidence.add(made.connection, row)
    return hashlib.sha256(sealed).hexdigest()


async def _key(made: Change, household: str) -> DataKey:
    place = (household, "", EVIDENCE)
    rows = await data_keys.of_households(made.connection, [household])
    present = [one for one in rows if (one.household, one.program, one.kind) == place]
    if present:
        # A destroyed key is never made anew.
        return held(made.context.keyring.opened(present), place)
    key = new_data_key()
    await new_keys.store(made.connection, made.context.keyring, {place: key})
    return DataKey.first(key)
