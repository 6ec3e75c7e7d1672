"""What of a report may be shown, as a type: what the type does not have cannot come out.

For each set of visible categories and withheld fields one type is made from the vocabulary, with
the members that may be shown and no others. A report is read as that type and written again, so
what may not be shown is passed over without being decoded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from visitsync.errors import RecordError
from visitsync.schema.silent import Struct
from visitsync.schema.visit import NOTE_CATEGORIES, Person, Source, Visit, Visitor
from visitsync.schema.vocabulary import VOCABULARY

_EVERY_FIELD: Final = frozenset(
    field for fields in VOCABULARY.fields_of_category.values() for field in fields
)
WITHHELD: Final[Mapping[str, frozenset[str]]] = {
    "case_no": frozenset({"case_no"}),
    "place": frozenset({"place"}),
    "source.office": frozenset({"source.office"}),
    "source.record_id": frozenset({"source.record_id"}),
    "text:child_protection": frozenset({"notes.child_protection"}),
    "text:health": frozenset({"notes.health"}),
    "visitors": frozenset(field for field in _EVERY_FIELD if field.startswith("visitors[].")),
}
"""The canonical fields behind each name that a decision can withhold."""

_SUPPORTERS_HOME: Final = "supporter_home"
_DESTINATIONS: Final = "notes.contact"

_LISTS: Final[Mapping[str, Collection[str]]] = {
    "persons": Person.__struct_fields__,
    "visitors": Visitor.__struct_fields__,
}
_NEVER_NULL: Final = frozenset({"role", "identifiers"})
"""Parts of persons that every entry has."""
_MAPS: Final[Mapping[str, Collection[str]]] = {"notes": NOTE_CATEGORIES}
_PARTS: Final[Mapping[str, Mapping[str, str]]] = {
    "source": {part: f"source.{part}" for part in Source.__struct_fields__},
    **{name: {part: f"{name}[].{part}" for part in parts} for name, parts in _LISTS.items()},
    **{name: {part: f"{name}.{part}" for part in parts} for name, parts in _MAPS.items()},
}
"""Members of a report of which parts belong to different categories: each part with its field."""


class _Place(Struct, frozen=True):
    place: str


_PLACE: Final = msgspec.json.Decoder(_Place)
_ENCODER: Final = msgspec.json.Encoder()


def taken(line: bytes, visible: tuple[str, ...], withheld: tuple[str, ...]) -> bytes:
    """What may be shown of the canonical `line` of a report, as JSON of the same nesting.

    Args:
        line: as ``visit.encode`` wrote it.
        visible: categories, sorted.
        withheld: names of fields that stay withheld although their category is visible, sorted.

    Raises:
        RecordError: where the line is of another version of the form.
    """
    try:
        supporters_home = _PLACE.decode(line).place == _SUPPORTERS_HOME
        return _form(visible, withheld, supporters_home=supporters_home).taken(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError("is of another version of the form", where=type(error).__name__) from None


@lru_cache(maxsize=1024)
def _form(visible: tuple[str, ...], withheld: tuple[str, ...], *, supporters_home: bool) -> _Form:
    allowed = {field for category in visible for field in VOCABULARY.fields_of_category[category]}
    for name in withheld:
        allowed -= WITHHELD[name]
    if supporters_home:
        # C7: another private person's address, which could stand only here, is for nobody.
        allowed.discard(_DESTINATIONS)
    plan: dict[str, Collection[str] | None] = {}
    for name in Visit.__struct_fields__:
        parts = _PARTS.get(name)
        if parts is None:
            if name in allowed:
                plan[name] = None
        elif some := [part for part, field in parts.items() if field in allowed]:
            plan[name] = None if len(some) == len(parts) else some
    return _Form(plan)


class _Form:
    """One such type.

    Args:
        plan: the members that may be shown, each whole (None), or only parts of it. What is shown
            whole stays as it was written.
    """

    __slots__ = ("_decoder", "_lists")

    def __init__(self, plan: Mapping[str, Collection[str] | None]) -> None:
        members = [(name, _kind(name, parts)) for name, parts in plan.items()]
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Shown", members))
        self._lists = [
            name
            for name, parts in plan.items()
            if parts and name in _LISTS and _NEVER_NULL.isdisjoint(parts)
        ]

    def taken(self, line: bytes) -> bytes:
        """The members of `line` that the type has.

        Of a list, an entry of which the shown members say nothing is not counted either.
        """
        found = self._decoder.decode(line)
        for name in self._lists:
            entries = getattr(found, name)
            kept = [one for one in entries if _says_something(one)]
            if len(kept) < len(entries):
                setattr(found, name, kept)
        return _ENCODER.encode(found)


def _kind(name: str, parts: Collection[str] | None) -> Any:  # noqa: ANN401 -- a type for msgspec
    if parts is None:
        return msgspec.Raw
    if name in _LISTS:
        return list[msgspec.defstruct(name, [(part, Any) for part in parts])]  # type: ignore[misc]  # made at run time
    if name in _MAPS:
        # What the report does not say there is left out.
        optional = [(part, str | msgspec.UnsetType, msgspec.UNSET) for part in parts]
        return msgspec.defstruct(name, optional)
    return msgspec.defstruct(name, [(part, msgspec.Raw) for part in parts])


def _says_something(entry: msgspec.Struct) -> bool:
    return any(getattr(entry, name) is not None for name in entry.__struct_fields__)
