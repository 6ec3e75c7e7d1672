"""C7, C8 and C9: what limits everything that the other rules permit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from visitsync.consent.decision import UNREADABLE, Limit, Permit
from visitsync.consent.facts import Record, Shield
from visitsync.consent.inquiry import Inquiry, is_own

ALWAYS_WITHHELD: Final = frozenset(
    {"case_no", "place", "source.office", "source.record_id", "visitors"}
)
"""What tells where a family lives, even without its address."""
NOTES_IN: Final = ("child_protection", "health")
"""Categories, apart from `notes` itself, that hold free text."""
ALL_FIELDS: Final = ALWAYS_WITHHELD | {f"text:{category}" for category in NOTES_IN}

NOT_SHOWN: Final = frozenset({"audit", "statistics"})
"""Purposes that show no record."""
_CONTACT: Final = frozenset({"contact"})
_NOTES: Final = frozenset({"notes"})

_Rule = Callable[[Record, Sequence[Permit]], Iterable[Limit]]


def shields_against(inquiry: Inquiry) -> list[Shield]:
    """The shields in force that do not allow this viewer."""
    return [
        shield
        for shield in inquiry.scenario.shields.facts()
        if shield.in_force(inquiry.now) and not inquiry.named_by(shield.allowed)
    ]


def address_shield(inquiry: Inquiry) -> _Rule:
    """C7: where the family is stays hidden, until a person closes the shield."""
    shields: list[Shield | None] = [
        *shields_against(inquiry),
        *(None for _ in inquiry.scenario.shields.unreadable),
    ]

    def limits(_: Record, permits: Sequence[Permit]) -> Iterable[Limit]:
        if not shields or is_own(permits):
            return ()
        strong = [permit for permit in permits if permit.rule in ("C5", "C6")]
        return [_shielded(shield, strong) for shield in shields]

    return limits


def _shielded(shield: Shield | None, strong: Sequence[Permit]) -> Limit:
    """What one shield takes away beside the permits of law and emergency.

    A shield that cannot be read (None) is opened by nothing and withholds notes.
    """
    given = frozenset[str]().union(*(permit.categories for permit in strong))
    keys = (
        ()
        if shield is None
        else tuple(
            permit
            for permit in strong
            if permit.opens == shield.id and "contact" in permit.categories
        )
    )
    categories = frozenset[str]() if keys else _CONTACT
    fields = ALWAYS_WITHHELD
    if shield is None or shield.withhold_notes:
        categories |= _NOTES - given
        fields |= {f"text:{category}" for category in NOTES_IN if category not in given}
    ref = UNREADABLE if shield is None else shield.id
    return Limit("C7", ref, categories, fields, keys)


def blocks_naming(inquiry: Inquiry) -> tuple[list[str], list[str]]:
    """The refs of blocks in force that name the viewer as a person, and as staff.

    A block that cannot be read names everybody as a person.
    """
    person = [UNREADABLE for _ in inquiry.scenario.blocks.unreadable]
    staff = []
    own = f"viewer:{inquiry.viewer.id}"
    for block in inquiry.scenario.blocks.facts():
        if not block.in_force(inquiry.now) or not inquiry.named_by(block.who):
            continue
        if own in block.who:
            person.append(block.id)
        else:
            staff.append(block.id)
    return person, staff


def block(inquiry: Inquiry) -> _Rule:
    """C8: who must not see the family sees nothing; their colleagues only their own records."""
    person, staff = blocks_naming(inquiry)
    for_own = [Limit("C8", ref) for ref in person]
    for_others = [*for_own, *(Limit("C8", ref) for ref in staff)]
    return lambda _, permits: for_own if is_own(permits) else for_others


def purpose_without_records(inquiry: Inquiry) -> _Rule:
    """C9: auditing reads the access log, and statistics are made elsewhere."""
    limits = [Limit("C9", f"purpose:{inquiry.purpose}")] if inquiry.purpose in NOT_SHOWN else []
    return lambda _, __: limits
