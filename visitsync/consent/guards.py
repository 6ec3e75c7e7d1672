"""What guards a household whoever asks: shields and blocks in force, for answers about looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from visitsync.consent.scenario import Scenario
from visitsync.schema.silent import silent

_PERSON = "viewer:"


@silent
class Guards(NamedTuple):
    """The protections of one household at one instant. What cannot be read guards as well."""

    shielded: bool
    blocked: bool
    """Whether any block is in force."""
    hidden_from: frozenset[str]
    """Items that a block in force names."""
    unreadable: bool

    @property
    def any(self) -> bool:
        """Whether anything guards it."""
        return self.shielded or self.blocked or self.unreadable

    def may_concern(self, items: Iterable[str]) -> bool:
        """Whether a block is against one of `items`, or against a person, who may work anywhere."""
        named = not self.hidden_from.isdisjoint(items)
        person = any(one.startswith(_PERSON) for one in self.hidden_from)
        return self.unreadable or named or person


def guards(scenario: Scenario) -> Guards:
    """What guards the household of the scenario's question at its instant."""
    question = scenario.question
    if question is None:
        return Guards(shielded=True, blocked=True, hidden_from=frozenset(), unreadable=True)
    blocks = [one for one in scenario.blocks.facts() if one.in_force(question.now)]
    return Guards(
        shielded=bool(scenario.shields.unreadable)
        or any(one.in_force(question.now) for one in scenario.shields.facts()),
        blocked=bool(blocks),
        hidden_from=frozenset(item for one in blocks for item in one.who),
        unreadable=bool(scenario.blocks.unreadable),
    )
