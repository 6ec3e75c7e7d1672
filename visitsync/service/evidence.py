"""What a family signed, or said electronically: kept sealed under the household's own key."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from visitsync.service.keyring import EVIDENCE, held
from visitsync.service.writing import Change
from visitsync.store import data_keys, evidence
from visitsync.store.facts import Fact

MOST_BYTES: Final = 2 * 1024 * 1024
"""Of one piece; a scanned form of some pages."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A scan of the signed paper, or the electronic statement."""

    kind: Literal["paper", "electronic"]
    media_type: Literal[
        "application/pdf",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "application/json",
        "text/plain",
    ]
    content: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MOST_BYTES)]
    """In JSON as base64."""

    def __repr__(self) -> str:
        return f"<Evidence {self.kind}>"


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
    row = evidence.Evidence(directive.id, household, made.at, given.kind, sealed)
    await evidence.add(made.connection, row)
    return hashlib.sha256(sealed).hexdigest()


async def _key(made: Change, household: str) -> bytes:
    place = (household, "", EVIDENCE)
    rows = await data_keys.of_households(made.connection, [household])
    present = [one for one in rows if (one.household, one.program, one.kind) == place]
    if present:
        # A destroyed key is never made anew.
        return held(made.context.keyring.opened(present), place)
    key, row = made.context.keyring.made(place)
    await data_keys.add(made.connection, [row])
    return key
