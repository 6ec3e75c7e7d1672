"""Letting out what was decided: the one door from visits to anything that leaves the service.

Fields are taken by the list of their category (`[field]` in ``vocabulary.toml``). What is not
listed there, or not visible, is left out and not set to null: null says that the office gave none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import msgspec

from visitsync.consent.decision import Decision, Reason
from visitsync.errors import NotAllowed
from visitsync.schema.visit import Visit, encode
from visitsync.schema.vocabulary import VOCABULARY

_EVERY_FIELD: Final = frozenset(
    field for fields in VOCABULARY.fields_of_category.values() for field in fields
)
_WITHHELD: Final[Mapping[str, frozenset[str]]] = {
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


class ReleasedVisit(msgspec.Struct, frozen=True, kw_only=True):
    """What one viewer is shown of one visit. Made by `release` only."""

    record: str
    fields: dict[str, object]
    """Nested like the visit's JSON, with the fields that may be shown and no others."""
    why: tuple[Reason, ...]
    """The reasons of effect ``show``; no other is for a viewer."""

    def __repr__(self) -> str:
        return "<ReleasedVisit>"


class Released(msgspec.Struct, frozen=True, kw_only=True):
    """All that leaves the service for one question. Made by `release` only."""

    shown: tuple[ReleasedVisit, ...]
    """In the order of the decisions."""
    masked: tuple[str, ...]
    """Offices to ask, each once, sorted: neither which records, nor when, nor how many."""


def release(decisions: Iterable[Decision], visits: Mapping[str, Visit]) -> Released:
    """Let out of `visits` what the decisions show.

    Args:
        decisions: of one question.
        visits: by record id; only those of shown records are looked at.

    Raises:
        NotAllowed: for a simulation, which gives outcomes and reasons but never fields.
        KeyError: where the visit of a shown record is missing.
    """
    shown: list[ReleasedVisit] = []
    offices: set[str] = set()
    for decision in decisions:
        if decision.simulation:
            raise NotAllowed("A simulation gives reasons, never fields; ask without known_at.")
        if decision.outcome == "masked" and decision.office is not None:
            offices.add(decision.office)
        if decision.outcome == "shown" and decision.record is not None:
            shown.append(
                ReleasedVisit(
                    record=decision.record,
                    fields=_fields(decision, visits[decision.record]),
                    why=tuple(why for why in decision.reasons if why.effect == "show"),
                )
            )
    return Released(shown=tuple(shown), masked=tuple(sorted(offices)))


def _fields(decision: Decision, visit: Visit) -> dict[str, object]:
    plan = _plan(
        decision.visible,
        decision.withheld_fields,
        supporters_home=visit.place == _SUPPORTERS_HOME,
    )
    return _only(msgspec.json.decode(encode(visit)), plan)


@lru_cache(maxsize=1024)
def _plan(
    visible: tuple[str, ...], withheld: tuple[str, ...], *, supporters_home: bool
) -> Mapping[str, Collection[str] | None]:
    """What may be taken of a report: each member whole (None), or only parts of it."""
    allowed = {field for category in visible for field in VOCABULARY.fields_of_category[category]}
    for name in withheld:
        allowed -= _WITHHELD[name]
    if supporters_home:
        # C7: another private person's address, which could stand only here, is for nobody.
        allowed.discard(_DESTINATIONS)
    plan: dict[str, set[str] | None] = {}
    for field in allowed:
        name, _, part = field.partition(".")
        name = name.removesuffix("[]")
        parts = plan.setdefault(name, set() if part else None)
        if parts is not None:
            parts.add(part)
    return MappingProxyType(plan)


def _only(
    report: Mapping[str, object], plan: Mapping[str, Collection[str] | None]
) -> dict[str, object]:
    """The members of `report` that are allowed, whole or in parts."""
    taken: dict[str, object] = {}
    for name, value in report.items():
        if name not in plan:
            continue
        parts = plan[name]
        if parts is None:
            taken[name] = value
        elif isinstance(value, dict):
            taken[name] = _members(value, parts)
        elif isinstance(value, list):
            taken[name] = _entries(value, parts)
    return taken


def _members(value: Mapping[str, object], parts: Collection[str]) -> dict[str, object]:
    return {key: member for key, member in value.items() if key in parts}


def _entries(
    values: Iterable[Mapping[str, object]], parts: Collection[str]
) -> list[dict[str, object]]:
    """The allowed members of each entry; one of which none says anything is not counted either."""
    entries = ((value, _members(value, parts)) for value in values)
    return [
        taken
        for value, taken in entries
        if taken == value or any(member is not None for member in taken.values())
    ]
