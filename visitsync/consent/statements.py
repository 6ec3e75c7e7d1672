"""Reading one fact as it was written, and what can be read of one that cannot be read whole."""

from __future__ import annotations

import json
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec

from visitsync.consent.facts import Caseload, CaseloadEntry, Fact, Id
from visitsync.consent.times import Instant, read_instant
from visitsync.schema.silent import Struct, silent
from visitsync.schema.strict_json import RepeatedNames

F = TypeVar("F", bound=Fact)
T = TypeVar("T")

Kind: TypeAlias = Literal[
    "viewer",
    "record",
    "directive",
    "council case",
    "invocation",
    "break-glass grant",
    "shield",
    "block",
    "policy",
    "catalogue entry",
    "question",
    "scenario",
]
Trouble: TypeAlias = Literal["unreadable", "covers_nothing"]

_SENTENCES: Final[dict[Trouble, str]] = {
    "unreadable": "cannot be read, so less is shown; correct how it is stored",
    "covers_nothing": "does not name attendance, so it covers nothing; ask the family again",
}


class Unreadable(Struct, frozen=True, kw_only=True):
    """Something the operator must look at. Holds nothing of what it says but its id."""

    kind: Kind
    id: str | None
    """None where not even the id can be read."""
    trouble: Trouble = "unreadable"

    def __str__(self) -> str:
        # JSON keeps an id with a line feed in it on one line.
        name = "" if self.id is None else f" {json.dumps(self.id)}"
        return f"The {self.kind}{name} {_SENTENCES[self.trouble]}."


@silent
class Statement(msgspec.Struct, Generic[F], kw_only=True):
    """One version of a fact as it stands in the scenario, readable or not."""

    raw: object
    fact: F | None
    """None where it cannot be read."""
    id: str | None
    version: int | None
    """None where it cannot be read: then it is the highest of its id."""
    recorded_at: Instant | None
    """None where it cannot be read: then it was recorded before everything."""
    household: str | None
    """None where it cannot be read, and for viewers."""

    def recorded_by(self, at: Instant | None) -> bool:
        """Whether it counts at `at`; where that cannot be read, all count."""
        return at is None or self.recorded_at is None or self.recorded_at <= at


def read(kind: type[T], raw: object) -> T | None:
    """`raw` as the type `kind`; None where it is malformed."""
    if isinstance(raw, dict) and RepeatedNames in (type(raw), *map(type, raw.values())):
        return None
    try:
        return msgspec.convert(raw, kind, dec_hook=_read_custom)
    except msgspec.ValidationError:
        return None


def _read_custom(kind: type, raw: object) -> Any:  # noqa: ANN401 -- msgspec's signature
    if kind is Instant and isinstance(raw, str):
        return read_instant(raw)
    if kind is Caseload and isinstance(raw, list):
        entries = (read(CaseloadEntry, entry) for entry in raw)
        return Caseload(entry for entry in entries if entry is not None)
    raise ValueError("is of no form that can be read")


def member(raw: object, name: str) -> object:
    """One member of an object, where that one can be read; else None."""
    if not isinstance(raw, dict) or (isinstance(raw, RepeatedNames) and name in raw.repeated):
        return None
    return raw.get(name)


def state(kind: type[F], raw: object) -> Statement[F]:
    """The statement `raw`; of an unreadable one, the members that can be read."""
    fact = read(kind, raw)
    if fact is not None:
        return Statement(
            raw=raw,
            fact=fact,
            id=fact.id,
            version=fact.version,
            recorded_at=fact.recorded_at,
            household=getattr(fact, "household", None),
        )
    version = member(raw, "version")
    return Statement(
        raw=raw,
        fact=None,
        id=read(Id, member(raw, "id")),
        version=version if type(version) is int and version >= 1 else None,
        recorded_at=read(Instant, member(raw, "recorded_at")),
        household=read(Id, member(raw, "household")),
    )


def same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; unlike in Python, 1, 1.0 and true are not."""
    if type(one) is not type(other):
        return False
    if isinstance(one, RepeatedNames) and isinstance(other, RepeatedNames):
        return same([list(pair) for pair in one.pairs], [list(pair) for pair in other.pairs])
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
