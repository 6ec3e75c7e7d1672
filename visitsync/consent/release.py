"""Letting out what was decided: the one door from visits to anything that leaves the service.

Fields are taken by the list of their category (`[field]` in ``vocabulary.toml``). What is not
listed there, or not visible, is left out and not set to null: null says that the office gave none.
Under an address shield free text that may tell where the family is gives way to a fixed sentence;
where it lives by its own reports is looked for too, though that itself is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from visitsync.consent.decision import Decision, Reason
from visitsync.consent.form import taken
from visitsync.consent.own_places import OwnPlaces
from visitsync.consent.withholding import without_locators
from visitsync.errors import NotAllowed
from visitsync.schema.silent import Struct


class _Source(Struct, frozen=True):
    office: str | None = None


class _Reporter(Struct, frozen=True):
    source: _Source = _Source()


_FIELDS: Final = msgspec.json.Decoder(dict[str, object])
_OFFICE: Final = msgspec.json.Decoder(_Reporter)


class ReleasedVisit(Struct, frozen=True, kw_only=True):
    """What one viewer is shown of one visit. Made by `release` only."""

    record: str
    line: bytes
    """JSON, nested like the canonical line, with the fields that may be shown and no others."""
    why: tuple[Reason, ...]
    """The reasons of effect ``show``; no other is for a viewer."""

    @property
    def fields(self) -> dict[str, object]:
        """The members of `line`."""
        return _FIELDS.decode(self.line)

    @property
    def office(self) -> str | None:
        """Who reports, as far as that is shown."""
        return _OFFICE.decode(self.line).source.office


class Released(Struct, frozen=True, kw_only=True):
    """All that leaves the service for one question. Made by `release` only."""

    shown: tuple[ReleasedVisit, ...]
    """In the order of the decisions."""
    masked: tuple[str, ...]
    """Offices to ask, each once, sorted: neither which records, nor when, nor how many."""


def release(decisions: Iterable[Decision], lines: Mapping[str, bytes]) -> Released:
    """Let out of reports what the decisions show.

    Args:
        decisions: of one question.
        lines: the canonical line of each report by record id, as it was checked when it came in;
            of those of no shown record at most where the family lives is looked at, since what is
            an address in one report may be named in another's note.

    Raises:
        NotAllowed: for a simulation, which gives outcomes and reasons but never fields.
        KeyError: where the report of a shown record is missing.
        RecordError: where a line is of another version of the form.
    """
    shown: list[ReleasedVisit] = []
    offices: set[str] = set()
    own = OwnPlaces(lines.values())
    for decision in decisions:
        if decision.simulation:
            raise NotAllowed("A simulation gives reasons, never fields; ask without known_at.")
        if decision.outcome == "masked" and decision.office is not None:
            offices.add(decision.office)
        if decision.outcome == "shown" and decision.record is not None:
            line = taken(lines[decision.record], decision.visible, decision.withheld_fields)
            shown.append(
                ReleasedVisit(
                    record=decision.record,
                    line=without_locators(line, own) if decision.shielded else line,
                    why=_shown_reasons(decision.reasons),
                )
            )
    return Released(shown=tuple(shown), masked=tuple(sorted(offices)))


@lru_cache(maxsize=4096)
def _shown_reasons(reasons: tuple[Reason, ...]) -> tuple[Reason, ...]:
    return tuple(why for why in reasons if why.effect == "show")
