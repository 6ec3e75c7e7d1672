"""Facts of nobody: read where a household has few, so that reading takes as long for none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from visitsync.store.facts import Fact

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
_RECORDED_AT: Final = 1_775_000_000_000_000
_FACTS: Final = tuple(
    Fact(kind, f"nobodys-{number}", 1, _RECORDED_AT, HOUSEHOLD, msgspec.json.encode(said).decode())
    for number, (kind, said) in enumerate((_SAID * _MOST)[:_MOST])
)


def facts_beside(count: int) -> Sequence[Fact]:
    """Those to be read beside `count` others.

    >>> len(facts_beside(3)), len(facts_beside(100))
    (5, 0)
    """
    return _FACTS[min(count, _MOST) :]
