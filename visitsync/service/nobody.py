"""Facts of nobody: read where a household has few, so that reading takes as long for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from visitsync.store.facts import VIEWER, Fact

HOUSEHOLD: Final = "nobody"
_MOST: Final = 8
"""As many facts as most households have, viewers aside."""
_LASTING: Final = {"from": "2026-04-01T00:00:00+09:00", "until": None}
_SAID: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    (
        "directive",
        {
            "grantor": "guardian",
            "effect": "permit",
            "sources": ["program:multiples"],
            "recipients": ["role:case_worker@agency:nowhere"],
            "purposes": ["care_coordination"],
            "categories": ["attendance", "services", "notes"],
            "valid": _LASTING,
            "data": {"from": "2000-01-01", "until": None},
            "registrations": "household",
            "withdrawn_at": None,
            "notice_version": "2026-04",
        },
    ),
    (
        "shield",
        {
            **_LASTING,
            "closed_at": None,
            "allowed": ["role:child_protection_worker@agency:nowhere"],
            "withhold_notes": True,
        },
    ),
    ("block", {**_LASTING, "closed_at": None, "who": ["viewer:nobody"]}),
)
_VIEWER: Final = {
    "agency": "nowhere",
    "offices": [],
    "roles": ["case_worker"],
    "sections": [],
    "council_member": False,
}
_RECORDED_AT: Final = 1_775_000_000_000_000


def _fact(kind: str, number: int, household: str | None, said: dict[str, Any]) -> Fact:
    body = msgspec.json.encode(said).decode()
    return Fact(kind, f"nobodys-{number}", 1, _RECORDED_AT, household, body)


_FACTS: Final = tuple(
    _fact(kind, number, HOUSEHOLD, said)
    for number, (kind, said) in enumerate((_SAID * _MOST)[:_MOST])
)
_ANSWERS_FOR_IT: Final = _fact(VIEWER, 0, None, _VIEWER)


def facts_beside(found: Sequence[Fact]) -> Sequence[Fact]:
    """Those to be read beside what was found: facts of the household, who asks, who answers for it.

    >>> len(facts_beside(()))
    9
    """
    viewers = sum(one.kind == VIEWER for one in found)
    others = _FACTS[min(len(found) - viewers, _MOST) :]
    return others if viewers > 1 else (*others, _ANSWERS_FOR_IT)
