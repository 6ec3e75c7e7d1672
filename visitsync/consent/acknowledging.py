"""One more withholding after the decision: who does not heed a protection gets no locator.

Rules know people, not programs. An address has been printed because another system was never told
of the measure (Tokushima); so where an address shield is in force, a client that does not say that
it heeds the flag gets what a shield leaves that allows nobody, whoever asks through it. That only
ever takes away; what a decision says, and by which rule, stays as it is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from visitsync.consent.decision import Decision
from visitsync.consent.facts import ATTENDANCE
from visitsync.consent.limiting import ALL_FIELDS
from visitsync.consent.weighing import CATEGORY_OF_FIELD

_TOLD_TO_NOBODY: Final = frozenset({"contact", "notes", "health", "child_protection"})
"""All that can hold free text too: the scan for places finds most of them, not all."""


def without_acknowledgement(decision: Decision) -> Decision:
    """What is left of a decision about a protected household; an office to ask is a locator too."""
    if decision.outcome == "masked":
        return msgspec.structs.replace(decision, outcome="hidden", office=None)
    if decision.outcome != "shown":
        return decision
    visible = tuple(one for one in decision.visible if one not in _TOLD_TO_NOBODY)
    withheld = {one for one in ALL_FIELDS if CATEGORY_OF_FIELD.get(one, ATTENDANCE) in visible}
    return msgspec.structs.replace(
        decision,
        visible=visible,
        withheld_fields=tuple(sorted(withheld.union(decision.withheld_fields))),
        reasons=tuple(
            why
            for why in decision.reasons
            if why.effect != "show" or why.category not in _TOLD_TO_NOBODY
        ),
        shielded=True,
    )
