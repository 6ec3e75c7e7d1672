"""A question that can be read, with the facts that count for its household."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from visitsync.consent.decision import Limit, Permit
from visitsync.consent.facts import Policy, Record, Viewer
from visitsync.consent.scenario import Scenario
from visitsync.consent.times import Instant
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY


class Inquiry(Struct, frozen=True, kw_only=True):
    """Who asks, what for, and when; the rest stands in the scenario."""

    scenario: Scenario
    viewer: Viewer
    names: frozenset[str]
    """Every item by which a list can name the viewer."""
    purpose: str
    household: str
    now: Instant

    def named_by(self, items: Iterable[str]) -> bool:
        """Whether a list of items, or ``*`` of a refusal, names the viewer."""
        return items == "*" or not self.names.isdisjoint(items)

    def policy_of(self, record: Record) -> Policy | None:
        """What the record's program says; None where that cannot be read."""
        return self.scenario.policies.get(record.program)

    def may_state_purpose(self) -> bool:
        """Whether a role of the viewer, or their seat in the council, has the purpose."""
        if self.viewer.council_member and self.purpose in COORDINATING:
            return True
        return any(self.purpose in VOCABULARY.purposes_of_role[role] for role in self.viewer.roles)


def inquiry_of(scenario: Scenario) -> Inquiry | None:
    """The scenario's question; None where it or its viewer cannot be read."""
    question = scenario.question
    viewer = None if question is None else scenario.viewers.get(question.viewer)
    if question is None or viewer is None:
        return None
    return Inquiry(
        scenario=scenario,
        viewer=viewer,
        names=viewer.names(),
        purpose=question.purpose,
        household=question.household,
        now=question.now,
    )


COORDINATING = frozenset({"care_coordination", "protection"})
"""The purposes for which council and law open something, and offices are named."""

Permitting: TypeAlias = Callable[[Inquiry], Callable[[Record], Iterable[Permit]]]
"""A rule that permits: made once for a question, then asked for each record."""
Refusing: TypeAlias = Callable[[Inquiry], Callable[[Record], Iterable[Limit]]]
"""The rule that cancels consents, and only consents."""
Limiting: TypeAlias = Callable[[Inquiry], Callable[[Record, Sequence[Permit]], Iterable[Limit]]]
"""A rule that limits what the others permit."""


def is_own(permits: Iterable[Permit]) -> bool:
    """Whether the record is a C1 record: one that C1 permits in this question."""
    return any(permit.rule == "C1" for permit in permits)
