"""Scenarios made from a seed: small pools so that facts meet, and damage so that some break.

Most facts concern one household, one viewer and one moment, so that most rules have something to
say. Then some facts get further versions, and some are damaged in one of the ways in which a fact
can be malformed.
"""

from __future__ import annotations

import copy
import datetime as dt
import random
from collections.abc import Callable
from typing import Final

from consent.damage import KINDS, Json, Part, damage, odd
from consent.given import catalogue, policies

from visitsync.schema.vocabulary import VOCABULARY

NOW: Final = dt.datetime(2026, 10, 1, 9, tzinfo=dt.timezone(dt.timedelta(hours=9)))
PROGRAMS: Final = ("multiples", "single_parent", "nurturing_support")
CATEGORIES: Final = tuple(VOCABULARY.categories)
PURPOSES: Final = tuple(VOCABULARY.purposes)
RECIPIENTS: Final = (
    "agency:city",
    "agency:city",
    "agency:npo",
    "office:o1",
    "office:o2",
    "role:case_worker@agency:city",
    "role:supervisor@agency:city",
    "role:child_protection_worker@agency:city",
)


def at(hours: float, rng: random.Random | None = None) -> str:
    """The moment so many hours after `NOW`, written in one of several ways."""
    moment = NOW + dt.timedelta(hours=hours)
    way = 0 if rng is None else rng.randrange(6)
    if way == 1:
        return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if way == 2:
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + ".000+09:00"
    return moment.isoformat()


class Maker:
    """Makes one scenario after another from one source of chance."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311 -- chosen by seed, not secret

    def make(self) -> Json:
        rng = self.rng
        purpose = self._purpose()
        scenario: Json = {"vocabulary": 1}
        scenario["viewers"] = [self._viewer("w1", purpose)]
        scenario["viewers"] += [
            self._viewer(name, "eligibility") for name in self._some("w2", "w3")
        ]
        scenario["records"] = self._facts("r", self._record, (1, 2, 2, 3))
        scenario["directives"] = self._facts("d", self.directive, (0, 1, 1, 2, 3))
        scenario["council_cases"] = self._facts("k", self._council_case, (0, 0, 1, 1))
        scenario["invocations"] = self._facts("i", self._invocation, (0, 0, 1, 2))
        scenario["break_glass"] = self._facts("g", self._grant, (0, 0, 1, 2))
        scenario["shields"] = self._facts("s", self.shield, (0, 0, 0, 1, 2))
        scenario["blocks"] = self._facts("b", self.block, (0, 0, 0, 0, 1))
        scenario["question"] = self._question(purpose)
        if rng.random() < 0.3:
            scenario["policies"] = policies(PROGRAMS, rng)
        if rng.random() < 0.2:
            scenario["catalogue"] = catalogue(rng)
        if rng.random() < 0.4:
            self._let_one_program_be_seen(scenario)
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._add_version(scenario)
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            scenario = damage(scenario, rng)
        return scenario

    def _let_one_program_be_seen(self, scenario: Json) -> None:
        """A consent that fits, for one program only, so that other records may be masked."""
        viewer = scenario["viewers"][0]
        viewer["caseload"].append({"household": "h1", "from": at(-4_000)})
        consent = self.directive("d9") | {
            "household": "h1",
            "effect": "permit",
            "sources": [f"program:{self.rng.choice(scenario['records'])['program']}"],
            "recipients": ["agency:city", "agency:npo"],
            "purposes": list(PURPOSES),
            "categories": self._categories(),
            "valid": {"from": at(-4_000)},
            "data": {"from": "2026-04-01"},
            "registrations": "household",
            "withdrawn_at": None,
        }
        scenario["directives"].append(consent)
        if self.rng.random() < 0.1:
            self._let_a_law_open_only_notes(scenario)

    def _let_a_law_open_only_notes(self, scenario: Json) -> None:
        """So that attendance is missing where something is permitted."""
        scenario["catalogue"] = [
            {"code": "notes_1", "article": "条例1条", "standing": False, "categories": ["notes"]}
        ]
        invocation = self._invocation("i9") | {
            "household": "h1",
            "basis": "notes_1",
            "requested_by": "w9",
            "approved_by": "w8",
            "recipients": ["agency:city", "agency:npo"],
            "valid": {"from": at(-100), "until": at(100)},
        }
        scenario["invocations"].append(invocation)

    # ── chance ────────────────────────────────────────────────────────────────────────────────────
    def _some(self, *values: str, share: float = 0.5) -> list[str]:
        return [value for value in values if self.rng.random() < share]

    def _mostly(self, usual: Part, *others: Part) -> Part:
        return usual if self.rng.random() < 0.8 else self.rng.choice(others)

    def _household(self) -> str:
        return "h1" if self.rng.random() < 0.95 else "h2"

    def _started(self) -> str:
        return at(self._mostly(-4_000, -100, -1, 0, 0.5, 0.001), self.rng)

    def _ended(self) -> str | None:
        hours = self._mostly(None, 4_000, 1, 0, 0.001, -3)
        return None if hours is None else at(hours, self.rng)

    def _happened(self) -> str | None:
        hours = self._mostly(None, -1, 0, 1)
        return None if hours is None else at(hours, self.rng)

    def _categories(self) -> list[str]:
        share = self.rng.choice((0.3, 0.6, 1))
        chosen = self._some(*CATEGORIES, share=share)
        if self.rng.random() < 0.9 and "attendance" not in chosen:
            chosen.append("attendance")
        return chosen

    def _recipients(self) -> list[str]:
        return [self.rng.choice(RECIPIENTS) for _ in range(self._mostly(4, 0, 1, 2))]

    def _head(self, name: str) -> Json:
        hours = self._mostly(-5_000, -4_500, -30, -24, -1, 0, 1)
        return {"id": name, "version": 1, "recorded_at": at(hours, self.rng)}

    def _facts(
        self, letter: str, make: Callable[[str], Json], how_many: tuple[int, ...]
    ) -> list[Part]:
        return [make(f"{letter}{n}") for n in range(1, self.rng.choice(how_many) + 1)]

    # ── who asks ──────────────────────────────────────────────────────────────────────────────────
    def _purpose(self) -> str:
        return self.rng.choice(
            (
                *("care_coordination", "protection", "care_coordination", "protection"),
                *("protection", "care_coordination", "care_coordination", *PURPOSES),
            )
        )

    def _question(self, purpose: str) -> Json:
        rng = self.rng
        question: Json = {
            "viewer": "w1",
            "purpose": purpose,
            "household": "h1",
            "now": at(0, rng),
        }
        if rng.random() < 0.5:
            hours = self._mostly(None, 0, 0, -1, -1, -24, -100, -4_600, 0.001)
            question["known_at"] = None if hours is None else at(hours, rng)
        return question

    def _viewer(self, name: str, purpose: str) -> Json:
        rng = self.rng
        roles = [role for role in VOCABULARY.roles if rng.random() < 0.25]
        fitting = [role for role, may in VOCABULARY.purposes_of_role.items() if purpose in may]
        if rng.random() < 0.9:
            roles.append(rng.choice(fitting))
        return self._head(name) | {
            "recorded_at": at(-5_000 if rng.random() < 0.95 else rng.choice((-24, 1)), rng),
            "agency": self._mostly("city", "npo"),
            "offices": self._some("o1", "o2", share=0.25),
            "roles": roles,
            "sections": self._some(*PROGRAMS, share=0.4),
            "council_member": rng.random() < 0.4,
            "caseload": [self._caseload_entry() for _ in range(self._mostly(1, 0, 2))],
        }

    def _caseload_entry(self) -> Part:
        entry: Json = {"household": self._household(), "from": self._started()}
        if self.rng.random() < 0.7:
            entry["until"] = self._ended()
        if self.rng.random() < 0.02:
            return odd(self.rng)
        if self.rng.random() < 0.03:
            entry[self.rng.choice(("household", "from", "until", "x"))] = odd(self.rng)
        return entry

    # ── facts ─────────────────────────────────────────────────────────────────────────────────────
    def _record(self, name: str) -> Json:
        rng = self.rng
        office = rng.choice(("o1", "o2", "o3"))
        return self._head(name) | {
            "recorded_at": at(self._mostly(-500, -24, 0, 1), rng),
            "household": self._household(),
            "program": rng.choice((*PROGRAMS, "multiples")),
            "office": office,
            "commissioner": self._mostly("city", "npo"),
            "registration": f"{office}/{rng.choice('AB')}",
            "date": self._mostly("2026-09-01", "2026-09-15", "2026-08-31"),
        }

    def directive(self, name: str) -> Json:
        rng = self.rng
        directive = self._head(name) | {
            "household": self._household(),
            "grantor": "p1",
            "effect": "permit" if rng.random() < 0.75 else "deny",
            "sources": [
                *(f"program:{program}" for program in self._some(*PROGRAMS, share=0.6)),
                *self._some("office:o1", "office:o2", share=0.2),
            ],
            "recipients": self._recipients(),
            "purposes": self._some(*PURPOSES, share=0.8),
            "categories": self._categories(),
            "valid": {"from": self._started(), "until": self._ended()},
            "data": {
                "from": self._mostly("2026-04-01", "2026-09-01", "2026-09-02"),
                "until": self._mostly(None, "2026-10-01", "2026-09-15", "2026-04-01"),
            },
            "registrations": self._mostly("household", ["o1/A", "o2/A", "o3/A"], ["o1/B"], []),
            "withdrawn_at": self._happened(),
            "notice_version": "2026-04",
        }
        if rng.random() < 0.5:
            for key in ("valid", "data"):
                if directive[key]["until"] is None:
                    del directive[key]["until"]
        if directive["effect"] == "deny" and rng.random() < 0.6:
            for key in self._some("sources", "recipients", "purposes", "categories", share=0.5):
                directive[key] = "*"
        return directive

    def _council_case(self, name: str) -> Json:
        return self._head(name) | {
            "household": self._household(),
            "members": self._recipients(),
            "from": self._started(),
            "until": self._ended(),
        }

    def _confirmation(self) -> Json:
        rng = self.rng
        confirmation: Json = {}
        if rng.random() < 0.7:
            confirmation["shield"] = self._mostly("s1", "s2", None)
        if rng.random() < 0.8:
            confirmation["confirmed_by"] = self._mostly("w8", "w9", "w1", None)
            confirmation["confirmer_role"] = self._mostly(
                "supervisor", "protection_officer", "case_worker", None
            )
        return confirmation

    def _invocation(self, name: str) -> Json:
        rng = self.rng
        start, end = self._mostly((-100, 100), (-4_000, 416), (-4_000, 417), (0, 1), (-1, 0))
        return (
            self._head(name)
            | {
                "household": self._household(),
                "basis": rng.choice(
                    (
                        *("council_25_3", "child_abuse_13_4", "child_abuse_13_4"),
                        *("privacy_69_2_3", "privacy_69_2_4", "council_25_2", "unheard_of"),
                    )
                ),
                "requested_by": rng.choice(("w1", "w9")),
                "approved_by": self._mostly("w8", "w9"),
                "approver_role": rng.choice(("supervisor", "protection_officer")),
                "recipients": self._recipients(),
                "categories": self._categories() if rng.random() < 0.9 else [],
                "valid": {"from": at(start, rng), "until": at(end, rng)},
            }
            | self._confirmation()
        )

    def _grant(self, name: str) -> Json:
        rng = self.rng
        start = rng.choice((-1, -1, -3, 0, -4))
        hours = self._mostly(4, 3, 2, 1, 4.001)
        return (
            self._head(name)
            | {
                "recorded_at": at(start - self._mostly(0, 1, 24, -0.5), rng),
                "viewer": "w1" if rng.random() < 0.9 else "w2",
                "household": self._household(),
                "reason_code": "imminent_harm",
                "categories": self._categories(),
                "from": at(start, rng),
                "until": at(start + hours, rng),
                "review": self._mostly("open", "justified", "unjustified"),
            }
            | self._confirmation()
        )

    def shield(self, name: str) -> Json:
        rng = self.rng
        return self._head(name) | {
            "household": self._household(),
            "from": self._started(),
            "until": self._ended(),
            "closed_at": self._happened(),
            "allowed": rng.choice(
                (
                    [],
                    ["role:child_protection_worker@agency:city"],
                    ["role:child_protection_worker@agency:npo"],
                    ["viewer:w1"],
                    ["viewer:w2", "office:o3"],
                )
            ),
            "withhold_notes": rng.random() < 0.5,
        }

    def block(self, name: str) -> Json:
        return self._head(name) | {
            "household": self._household(),
            "who": self.rng.choice(
                (["viewer:w1"], ["viewer:w2"], ["office:o1"], ["agency:city"], ["agency:npo"], [])
            ),
            "from": self._started(),
            "until": self._ended(),
            "closed_at": self._happened(),
        }

    # ── further versions ──────────────────────────────────────────────────────────────────────────
    def _add_version(self, scenario: Json) -> None:
        """A later version, or a repetition, of one fact; sometimes one that may not be."""
        rng = self.rng
        kind = self._kind_with_facts(scenario)
        fact = rng.choice(scenario[kind])
        later = copy.deepcopy(fact)
        later["version"] = rng.choice((1, 2, 2, 2, 3))
        later["recorded_at"] = at(rng.choice((-23, -2, -0.5, 0, 0, 0.001, 2)), rng)
        if kind in ("invocations", "break_glass"):
            self._amend(later)
        elif rng.random() < 0.6:
            fresh = {
                "viewers": lambda name: self._viewer(name, "protection"),
                "records": self._record,
                "directives": self.directive,
                "council_cases": self._council_case,
                "shields": self.shield,
                "blocks": self.block,
            }[kind](fact["id"])
            for key in self._some(*fresh, share=0.4):
                if key not in ("id", "version", "recorded_at"):
                    later[key] = fresh[key]
        elif rng.random() < 0.5:
            later = copy.deepcopy(fact)
        scenario[kind].insert(rng.randrange(len(scenario[kind]) + 1), later)

    def _amend(self, later: Json) -> None:
        rng = self.rng
        period = later.get("valid", later)
        later |= self._confirmation()
        if "review" in later:
            later["review"] = rng.choice(("open", "justified", "unjustified"))
        if rng.random() < 0.4:
            period["until"] = at(rng.choice((0.5, 1, 1.5, 2)), rng)
        if rng.random() < 0.15:
            changed = self._grant("g1") if "review" in later else self._invocation("i1")
            key = rng.choice(sorted(changed))
            later[key] = changed[key]

    def _kind_with_facts(self, scenario: Json) -> str:
        kinds = [
            kind
            for kind in KINDS
            if scenario[kind] and all(type(fact) is dict for fact in scenario[kind])
        ]
        return self.rng.choice(kinds)
