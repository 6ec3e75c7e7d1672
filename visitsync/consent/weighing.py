"""Setting what permits against what limits, for one record: visible categories and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from visitsync.consent.decision import Limit, Permit, Reason
from visitsync.consent.facts import ATTENDANCE
from visitsync.schema.silent import Struct

CATEGORY_OF_FIELD: Final = {
    "case_no": "identity",
    "source.record_id": "identity",
    "text:child_protection": "child_protection",
    "text:health": "health",
}
"""Fields that are listed as withheld only where their category is visible."""


class Weighed(Struct, frozen=True, kw_only=True):
    """What the rules make of one record."""

    visible: frozenset[str]
    withheld_fields: frozenset[str]
    reasons: frozenset[Reason]
    shielded: bool
    """Whether a shield limits what is visible and nothing opens it for this viewer."""


def weigh(
    permits: Sequence[Permit],
    refusals: Sequence[Limit],
    limits: Sequence[Limit],
    *,
    prerequisite: str | None = ATTENDANCE,
) -> Weighed:
    """``(C1 ∨ C2 ∨ (C3 ∧ ¬C4) ∨ C5 ∨ C6) ∧ ¬C7 ∧ ¬C8 ∧ ¬C9``, then the prerequisite.

    Args:
        permits: by C1, C2, C3 before C4, C5 and C6.
        refusals: by C4; they cancel permits of C3 only.
        limits: by C7, C8 and C9.
        prerequisite: the category without which none is visible.
    """
    given, cancelled = _cancel(permits, refusals)
    limited = frozenset[str]().union(*(limit.categories for limit in limits))
    visible = given.keys() - limited
    if prerequisite is not None and prerequisite not in visible:
        visible = set()
    shields = [limit for limit in limits if limit.contact_through is not None]
    if shields and "contact" in visible:
        # Under a shield only what opens it shows where the family is.
        given["contact"] = [key for shield in shields for key in shield.contact_through or ()]
    reasons = {
        Reason(category, permit.rule, permit.ref, "show")
        for category in visible
        for permit in given[category]
    }
    for category in (given.keys() | cancelled) - visible:
        reasons |= _why_not(category, refusals if category in cancelled else (), limits)
    fields = frozenset[str]().union(*(limit.fields for limit in limits)) if visible else ()
    return Weighed(
        visible=frozenset(visible),
        withheld_fields=frozenset(
            field for field in fields if CATEGORY_OF_FIELD.get(field, ATTENDANCE) in visible
        ),
        reasons=frozenset(reasons),
        shielded=bool(visible) and any(not shield.contact_through for shield in shields),
    )


def _cancel(
    permits: Sequence[Permit], refusals: Sequence[Limit]
) -> tuple[dict[str, list[Permit]], set[str]]:
    """The permits of each category, and the categories of consents that a refusal cancels."""
    refused = frozenset[str]().union(*(refusal.categories for refusal in refusals))
    given: dict[str, list[Permit]] = {}
    cancelled: set[str] = set()
    for permit in permits:
        for category in permit.categories:
            if permit.rule == "C3" and category in refused:
                cancelled.add(category)
            else:
                given.setdefault(category, []).append(permit)
    return given, cancelled


def _why_not(category: str, refusals: Sequence[Limit], limits: Sequence[Limit]) -> set[Reason]:
    found = {
        Reason(category, limit.rule, limit.ref, "withhold")
        for limit in (*refusals, *limits)
        if category in limit.categories
    }
    return found or {Reason(category, ATTENDANCE, "", "withhold")}
