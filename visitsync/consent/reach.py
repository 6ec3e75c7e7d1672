"""How far somebody's rights reach in a household, said before any of its records is looked at.

What is read of a household, and how long that takes, must not depend on records that stay hidden
anyway: else the time of an answer would tell whether there are some.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from visitsync.consent import directives, limiting, permitting
from visitsync.consent.inquiry import Inquiry, inquiry_of
from visitsync.consent.scenario import Scenario
from visitsync.schema.silent import silent


@silent
class Reach(NamedTuple):
    """Which records of the household can be more than hidden, whatever else they say."""

    everything: bool
    """C3, C5 or C6 may permit some record, and so name the others (masked)."""
    offices: frozenset[str]
    """C1: the records of these offices."""
    programs: frozenset[str]
    """C2: the records of these programs that `agency` commissions."""
    agency: str


EVERYTHING: Final = Reach(everything=True, offices=frozenset(), programs=frozenset(), agency="")
NOWHERE: Final = Reach(everything=False, offices=frozenset(), programs=frozenset(), agency="")


def reach(scenario: Scenario) -> Reach:
    """How far the rights of the scenario's viewer reach for its purpose.

    Never less than what `decide` shows or masks, so where it cannot be said it is everything: that
    costs time and shows nothing, since `decide` judges each record all the same, and gives nothing
    by a rule that raises (C10). The scenario's records are not looked at.
    """
    inquiry = inquiry_of(scenario)
    if inquiry is None or not inquiry.may_state_purpose():
        return NOWHERE
    try:
        return _reach(inquiry)
    except Exception:  # noqa: BLE001 -- what it means that a rule raises is for `decide` to say
        return EVERYTHING


def _reach(inquiry: Inquiry) -> Reach:
    as_person, as_staff = limiting.blocks_naming(inquiry)
    if as_person or inquiry.purpose in limiting.NOT_SHOWN:
        return NOWHERE
    offices = permitting.own_offices(inquiry)
    if as_staff:
        return NOWHERE._replace(offices=offices)
    return Reach(
        directives.may_permit(inquiry)
        or bool(permitting.by_law(inquiry))
        or bool(permitting.by_grant(inquiry)),
        offices,
        permitting.commissioned_programs(inquiry),
        inquiry.viewer.agency,
    )
