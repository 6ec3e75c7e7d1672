"""Who may see what, slowly: the consent rules sentence by sentence, straight from the raw JSON.

The twin of ``visitsync.consent``, of which it imports nothing. Nothing is indexed or
converted: every question about a fact is asked of the fact as it stands in the scenario, mostly as
often as it comes up. Where the contract can be read in two ways, both twins take the reading that
shows less; such places are marked "Reading:".
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from reference.consent_rules import Rules
from reference.consent_shapes import (
    CATEGORIES,
    PROGRAMS,
    SHAPES,
    Raw,
    any_names,
    has_head,
    is_id,
    moment,
    names,
    part,
    readable_id,
)
from reference.consent_versions import FACTS, facts

Line: TypeAlias = dict[str, Any]
HIDDEN: Final[Line] = {"outcome": "hidden", "visible": [], "withheld_fields": [], "reasons": []}
MALFORMED: Final[Line] = HIDDEN | {
    "reasons": [{"category": "*", "effect": "withhold", "rule": "C10", "ref": ""}]
}


class Reference(Rules):
    """All that one scenario answers."""

    # ── C7 to C9 ──────────────────────────────────────────────────────────────────────────────────
    def in_force(self, fact: Raw) -> bool:
        """From its start until a person closed it; passing `until` lifts nothing."""
        start, closed = moment(fact["from"]), moment(fact.get("closed_at"))
        assert start is not None
        return start <= self.now and not (closed is not None and closed <= self.now)

    def shields_over(self, record: Raw) -> list[Raw]:
        """The shields that limit this viewer here; None stands for an unreadable one."""
        if any(self.c1(record)):
            return []
        return [
            shield
            for shield in self.readable("shields")
            if self.in_force(shield) and not any_names(shield["allowed"], self.viewer)
        ] + [None for _ in self.unreadable("shields")]

    def is_opened(self, shield: Raw, record: Raw) -> bool:
        return shield is not None and any(
            show.category == "contact" and show.opens == shield["id"]
            for show in self.permits(record)
        )

    def law_or_emergency_gives(self, record: Raw, category: str) -> bool:
        return any(
            show.category == category and show.rule in ("C5", "C6") for show in self.permits(record)
        )

    def c7(self, record: Raw, category: str) -> list[str]:
        return [
            "unreadable" if shield is None else shield["id"]
            for shield in self.shields_over(record)
            if (category == "contact" and not self.is_opened(shield, record))
            or (
                category == "notes"
                and (shield is None or shield["withhold_notes"])
                and not self.law_or_emergency_gives(record, "notes")
            )
        ]

    def blocks_naming(self, items: str) -> list[str]:
        """The refs of blocks in force that name the viewer by an item of one of these kinds."""
        return ["unreadable" for _ in self.unreadable("blocks") if "viewer" in items] + [
            block["id"]
            for block in self.readable("blocks")
            if self.in_force(block)
            and any(
                item.partition(":")[0] in items.split() and names(item, self.viewer)
                for item in block["who"]
            )
        ]

    def c8(self, record: Raw) -> list[str]:
        refs = self.blocks_naming("viewer")
        if not any(self.c1(record)):
            refs += self.blocks_naming("office agency")
        return refs

    def c9(self) -> list[str]:
        return [f"purpose:{self.purpose}"] if self.purpose in ("audit", "statistics") else []

    # ── the answer ────────────────────────────────────────────────────────────────────────────────
    def allowed(self, record: Raw, category: str) -> bool:
        """Permitted and not limited, before the prerequisite on attendance."""
        return (
            any(show.category == category for show in self.permits(record))
            and not self.c7(record, category)
            and not self.c8(record)
            and not self.c9()
        )

    def visible(self, record: Raw) -> list[str]:
        if not self.allowed(record, "attendance"):
            return []
        return sorted(category for category in CATEGORIES if self.allowed(record, category))

    def withheld_fields(self, record: Raw, visible: list[str]) -> list[str]:
        shields = self.shields_over(record)
        if not shields or not visible:
            return []
        fields = ["place", "source.office", "visitors"]
        if "identity" in visible:
            fields += ["case_no", "source.record_id"]
        if any(shield is None or shield["withhold_notes"] for shield in shields):
            fields += [
                f"text:{category}"
                for category in ("child_protection", "health")
                if category in visible and not self.law_or_emergency_gives(record, category)
            ]
        return sorted(fields)

    def reasons(self, record: Raw, visible: list[str]) -> list[Line]:
        found: set[tuple[str, str, str, str]] = set()
        for category in CATEGORIES:
            if category in visible:
                shields = [s["id"] for s in self.shields_over(record) if s is not None]
                for show in self.permits(record):
                    if show.category == category and (
                        category != "contact" or not shields or show.opens in shields
                    ):
                        found.add((category, show.rule, show.ref, "show"))
                continue
            given = [s for s in self.permits(record, before_c4=True) if s.category == category]
            if not given:
                continue
            limits = [
                *(
                    ("C4", r)
                    for r in self.c4(record, category)
                    if any(s.rule == "C3" for s in given)
                ),
                *(("C7", ref) for ref in self.c7(record, category)),
                *(("C8", ref) for ref in self.c8(record)),
                *(("C9", ref) for ref in self.c9()),
            ]
            for rule, ref in limits or [("attendance", "")]:
                found.add((category, rule, ref, "withhold"))
        return [
            {"category": category, "effect": effect, "rule": rule, "ref": ref}
            for category, rule, ref, effect in sorted(found)
        ]

    def is_masked(self, record: Raw) -> bool:
        others = [
            other
            for other in map(self.readable_record, self.record_ids())
            if other is not None and other is not record
        ]
        shields = [
            shield
            for shield in self.readable("shields")
            if self.in_force(shield) and not any_names(shield["allowed"], self.viewer)
        ]
        return (
            self.policy(record)["withheld"] == "mask"
            and self.purpose in ("care_coordination", "protection")
            and any(
                show.category == "attendance" and show.rule in ("C3", "C5", "C6")
                for other in others
                for show in self.permits(other)
            )
            and not self.c4(record, "attendance")
            and not shields
            and not self.unreadable("shields")
            and not self.blocks_naming("viewer office agency")
        )

    def line(self, record_id: str | None) -> Line:
        if self.is_elsewhere(record_id):
            return HIDDEN
        if not (self.top_level_is_readable() and self.question_is_readable()):
            return MALFORMED
        if self.viewer is None:
            return MALFORMED
        if not self.purpose_is_theirs():
            return HIDDEN
        record = self.readable_record(record_id)
        if record is None:
            return MALFORMED
        visible = self.visible(record)
        withheld = "masked" if not visible and self.is_masked(record) else "hidden"
        return {
            "outcome": "shown" if visible else withheld,
            "visible": visible,
            "withheld_fields": self.withheld_fields(record, visible),
            "reasons": self.reasons(record, visible),
        }

    # ── what the operator is told ─────────────────────────────────────────────────────────────────
    def viewer_is_unknown(self) -> bool:
        return all(
            readable_id(one) not in (None, self.question["viewer"])
            for one in self.counting["viewers"]
        )

    def reported_words(self) -> list[tuple[str, str | None]]:
        """Policies and catalogue entries that cannot be read."""
        found: list[tuple[str, str | None]] = []
        if "policies" in self.scenario:
            policies = part(self.scenario, "policies")
            if type(policies) is not dict:
                found.append(("policies", None))
            else:
                found += [
                    ("policies", program)
                    for program in PROGRAMS & policies.keys()
                    if self.policy({"program": program}) is None
                ]
        if "catalogue" in self.scenario:
            found += [
                ("catalogue", code if is_id(code := part(entry, "code")) else None)
                for entry in facts(self.scenario, "catalogue")
                if all(entry is not good for good in self.catalogue)
            ]
        return found

    def reported(self) -> list[tuple[str, str | None]]:
        """What the operator is told of: kind and id, one for each, sorted."""
        found = self.reported_words()
        if not self.top_level_is_readable():
            found.append(("scenario", None))
        if not self.question_is_readable() or (
            self.top_level_is_readable() and self.viewer_is_unknown()
        ):
            found.append(("question", None))
        for kind in FACTS:
            known = self.known[kind]
            for fact in known.listed:
                good = has_head(fact) and SHAPES[kind](fact)
                counts = any(one is fact for one in known.all)
                if not good or (counts and not known.readable(fact)) or covers_nothing(kind, fact):
                    found.append((kind, readable_id(fact)))
        return sorted(found, key=repr)

    def lines(self) -> list[Line]:
        return [{"record": one, **self.line(one)} for one in self.record_ids()]


def answers(scenario: Raw) -> list[Line]:
    """One line for each record id, at its first place."""
    return Reference(scenario).lines()


def covers_nothing(kind: str, fact: Raw) -> bool:
    return (
        kind == "directives"
        and fact["effect"] == "permit"
        and "attendance" not in fact["categories"]
    )
