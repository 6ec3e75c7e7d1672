"""What a decision says: an outcome, the visible categories, the withheld fields, the reasons."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

from visitsync.consent.facts import CATEGORIES
from visitsync.schema.silent import Struct, silent

Outcome: TypeAlias = Literal["shown", "masked", "hidden"]
Effect: TypeAlias = Literal["show", "withhold"]

ALL_CATEGORIES: Final = "*"
UNREADABLE: Final = "unreadable"
"""The ref of a directive, shield or block that cannot be read."""


@silent
class Reason(NamedTuple):
    """Why a category of one record is shown or withheld; sorted by category, rule and ref."""

    category: str
    """Or ``*`` where the record as a whole is withheld."""
    rule: str
    """``C1`` to ``C10``, or ``attendance`` where only that prerequisite was missing."""
    ref: str
    """The fact, by id; without personal data."""
    effect: Effect


class Decision(Struct, frozen=True, kw_only=True):
    """What one viewer may see of one visit record, and why."""

    record: str | None
    """None stands for every record without a readable id."""
    outcome: Outcome = "hidden"
    visible: tuple[str, ...] = ()
    """Categories, sorted; none unless `outcome` is ``shown``."""
    withheld_fields: tuple[str, ...] = ()
    """Fields that stay withheld although their category is visible, sorted."""
    reasons: tuple[Reason, ...] = ()
    office: str | None = None
    """Whom to ask; only where `outcome` is ``masked``."""
    simulation: bool = False
    """Asked with ``known_at``: gives outcomes and reasons, never fields."""
    failed: tuple[str, ...] = ()
    """Rules that raised; the operator must be told."""
    shielded: bool = False
    """Shown under an address shield that this viewer has not opened (C7, and no C1 record).

    Free text is then looked through before it is released. Not part of the printed line.
    """

    def as_json(self) -> dict[str, object]:
        """The line that ``visitsync decide`` prints."""
        return {
            "record": self.record,
            "outcome": self.outcome,
            "visible": list(self.visible),
            "withheld_fields": list(self.withheld_fields),
            "reasons": [
                {"category": why.category, "effect": why.effect, "rule": why.rule, "ref": why.ref}
                for why in self.reasons
            ],
        }


MALFORMED: Final = (Reason(ALL_CATEGORIES, "C10", "", "withhold"),)
"""The only reason where the record, its policy, the question or the viewer cannot be read."""


@silent
class Permit(NamedTuple):
    """A fact that gives categories of a record."""

    rule: str
    ref: str
    categories: frozenset[str]
    opens: str | None = None
    """The shield that this fact names and has a confirmation for."""


@silent
class Limit(NamedTuple):
    """A fact that takes categories and fields of a record away again."""

    rule: str
    ref: str
    categories: frozenset[str] = CATEGORIES
    fields: frozenset[str] = frozenset()
    contact_through: tuple[Permit, ...] | None = None
    """Of a shield: what opens it; only that shows `contact`. None for other limits."""
