"""When a viewer is told that an office holds records they may not see, and nothing more.

A record that is not shown is masked only if every condition here holds; otherwise it is hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from visitsync.consent.facts import ATTENDANCE, Record
from visitsync.consent.inquiry import COORDINATING, Inquiry
from visitsync.consent.limiting import blocks_naming, shields_against
from visitsync.schema.silent import Struct


class NotShown(Struct, frozen=True, kw_only=True):
    """A record that is not shown, and what the conditions need to know of it."""

    inquiry: Inquiry
    record: Record
    refused: frozenset[str]
    """Categories that a refusal covers here."""
    another_is_permitted: bool
    """C3, C5 or C6 permits `attendance` of another record in this question."""


Condition = Callable[[NotShown], bool]


def program_masks(case: NotShown) -> bool:
    """The program's policy is ``mask``."""
    policy = case.inquiry.policy_of(case.record)
    return policy is not None and policy.withheld == "mask"


def purpose_coordinates(case: NotShown) -> bool:
    """The purpose is one for which asking another office makes sense."""
    return case.inquiry.purpose in COORDINATING


def viewer_works_with_household(case: NotShown) -> bool:
    """Something is open to the viewer by consent, law or emergency."""
    return case.another_is_permitted


def family_does_not_refuse(case: NotShown) -> bool:
    """No refusal that names attendance covers the record for this viewer."""
    return ATTENDANCE not in case.refused


def no_shield_against_viewer(case: NotShown) -> bool:
    """No shield is in force, or every one allows the viewer."""
    return not case.inquiry.scenario.shields.unreadable and not shields_against(case.inquiry)


def no_block_names_viewer(case: NotShown) -> bool:
    """No block in force names the viewer in any way."""
    return blocks_naming(case.inquiry) == ([], [])


CONDITIONS: Final[tuple[Condition, ...]] = (
    program_masks,
    purpose_coordinates,
    viewer_works_with_household,
    family_does_not_refuse,
    no_shield_against_viewer,
    no_block_names_viewer,
)
