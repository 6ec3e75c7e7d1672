"""An entry of the access log before its place in the log is known."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from visitsync.audit import PRIVATE_LABEL, LogEntry, commitment, instant, leaf
from visitsync.envelope import new_salt, open_sealed, seal
from visitsync.schema.silent import silent
from visitsync.service.caller import Caller
from visitsync.service.keyring import DataKey, Keyring
from visitsync.store import clock
from visitsync.store.access_log import Row

RULES: Final = "consent-1"
"""The version of the decision rules; changes with any of C1 to C10."""

_MOST_BASIS: Final = 240


@silent
class Draft(NamedTuple):
    """All of an entry but where and when it stands."""

    fields: dict[str, Any]
    """Of `LogEntry`, without ``seq``, ``shard`` and ``time``."""
    household: str | None
    """Whose log key sealed `private`; None for the general one."""
    private: bytes | None
    key_version: int


def actor_of(caller: Caller) -> str:
    """How a caller stands in the log."""
    who = f"{caller.kind}:{caller.id}"
    return who if caller.by is None else f"{who} by {caller.by}"


def draft(  # noqa: PLR0913 -- who, what, about whom, under which key
    keyring: Keyring,
    caller: Caller,
    kind: str,
    key: DataKey,
    *,
    household: str | None,
    private: dict[str, Any],
    public: dict[str, Any],
) -> Draft:
    """An entry about what `caller` does.

    Args:
        keyring: of the installation.
        caller: who.
        kind: one of `audit.KINDS`.
        key: the log key of `household`, or the general one.
        household: whose look it is; None where it concerns none or an unknown one.
        private: what only the key opens: household, records, terms, reasons.
        public: further fields of the leaf; None is left out.

    Raises:
        LogBroken: a field cannot stand in the log.
    """
    salt = new_salt()
    told = {name: value for name, value in private.items() if value is not None}
    if caller.address is not None:
        told["address"] = caller.address
    plain = msgspec.json.encode(told, order="sorted")
    pc = commitment(PRIVATE_LABEL, salt, plain)
    fields = {name: value for name, value in public.items() if value is not None}
    fields |= {"actor": actor_of(caller), "kind": kind, "pc": pc}
    if caller.request:
        fields["request"] = caller.request
    place = keyring.log_place(household, pc, key.version)
    made = Draft(fields, household, seal(key.newest, place, salt + plain), key.version)
    placed(made, "visitsync/check/2026", 0, 0)  # refused here, it harms nobody else's entry
    return made


def for_rows() -> Draft:
    """An entry that says no more than that rows were changed with the ones before it."""
    return Draft({"actor": "visitsync", "kind": "rows_changed"}, None, None, 1)


def placed(one: Draft, shard: str, seq: int, at: int) -> Row:
    """The entry in its place."""
    entry = LogEntry(seq=seq, shard=shard, time=instant(clock.instant(at)), **one.fields)
    return Row(shard, seq, at, leaf(entry).decode(), one.household, one.private, one.key_version)


def open_private(keyring: Keyring, key: DataKey, row: Row) -> dict[str, Any]:
    """The private part of a stored entry.

    Raises:
        Tampered: it was altered or is of another entry.
    """
    pc = str(msgspec.json.decode(row.leaf)["pc"])
    place = keyring.log_place(row.household, pc, row.key_version)
    plain = open_sealed(key.of(row.key_version), place, row.private or b"")
    found: dict[str, Any] = msgspec.json.decode(plain[16:])
    return found


def joined(refs: list[str]) -> str | None:
    """Consents and laws as one text for the leaf; what does not fit stands in the private part."""
    if not refs:
        return None
    text = " ".join(refs)
    if len(text) <= _MOST_BASIS:
        return text
    kept = text[:_MOST_BASIS].rpartition(" ")[0]
    return f"{kept} +{len(refs) - len(kept.split())}"
