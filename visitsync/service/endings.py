"""What has an end, and when somebody must look at it: 30 and 7 days before, and once it is past."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

Ending: TypeAlias = Literal["past_its_date", "ends_within_7_days", "ends_within_30_days"]

DAY: Final = 86_400_000_000
"""In stored time."""
_NOTICE: Final[tuple[tuple[int, Ending], ...]] = (
    (0, "past_its_date"),
    (7, "ends_within_7_days"),
    (30, "ends_within_30_days"),
)


def ending(until: int | None, now: int) -> Ending | None:
    """How near the end is, of two stored times; None: far away, or there is none.

    >>> ending(8 * DAY, DAY), ending(9 * DAY, DAY), ending(DAY, DAY)
    ('ends_within_7_days', 'ends_within_30_days', 'past_its_date')
    """
    if until is None:
        return None
    return next((code for days, code in _NOTICE if until - now <= days * DAY), None)
