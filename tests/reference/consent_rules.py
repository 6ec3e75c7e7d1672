"""C1 to C6, category by category, and C10 of the question, asked of the raw facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from reference.consent_shapes import (
    CATEGORIES,
    PURPOSES,
    PURPOSES_OF_ROLE,
    Moment,
    Raw,
    any_names,
    day,
    has_keys,
    household,
    is_caseload_entry,
    is_codes,
    is_id,
    is_open,
    is_text,
    moment,
    part,
    readable_id,
)
from reference.consent_versions import FACTS, LIMITING, Known, facts

from visitsync.schema.strict_json import RepeatedNames

TOP_LEVEL: Final = frozenset({*FACTS, "vocabulary", "policies", "catalogue", "question"})
FIRM_ROLES: Final = ("supervisor", "protection_officer")
_TABLE: Final = """
council_25_2     | 児童福祉法25条の2         | yes | most contact
council_25_3     | 児童福祉法25条の3         | no  | most
child_abuse_13_4 | 児童虐待防止法13条の4     | no  | most contact
privacy_69_2_3   | 個人情報保護法69条2項3号  | no  | attendance services economy identity
privacy_69_2_4   | 個人情報保護法69条2項4号  | no  | attendance services notes health
""".replace("most", "attendance services notes health child_protection identity")
DEFAULT_CATALOGUE: Final[list[Raw]] = [
    {
        "code": code.strip(),
        "article": article.strip(),
        "standing": standing.strip() == "yes",
        "categories": categories.split(),
    }
    for code, article, standing, categories in (
        row.split("|") for row in _TABLE.strip().splitlines()
    )
]


class Show(NamedTuple):
    """A permitting fact gives a category; `opens` is the shield it has a confirmation for."""

    rule: str
    ref: str
    category: str
    opens: str | None = None


class Rules:
    """One scenario, and what its rules permit."""

    def __init__(self, scenario: Raw) -> None:
        self.scenario = scenario
        self.question = part(scenario, "question")
        self.household = household(self.question)
        self.now: Raw = moment(part(self.question, "now"))
        self.at: Raw = self._known_at()
        self.purpose = part(self.question, "purpose")
        self.known = {kind: Known(scenario, kind, self.at) for kind in FACTS}
        self.counting = {kind: self.known[kind].counting() for kind in FACTS}
        self.viewer = self._asking_viewer()
        self.catalogue = self._catalogue()
        self._permits: dict[tuple[int, bool], list[Show]] = {}

    def _known_at(self) -> Moment | None:
        question = self.question
        if isinstance(question, RepeatedNames) and "known_at" in question.repeated:
            return None
        given = part(question, "known_at")
        return self.now if given is None else moment(given)

    # ── C10 of the question and of the viewer ─────────────────────────────────────────────────────
    def top_level_is_readable(self) -> bool:
        top = self.scenario
        return (
            type(top) is dict
            and set(top) <= TOP_LEVEL
            and type(top.get("vocabulary")) is int
            and top["vocabulary"] == 1
        )

    def question_is_readable(self) -> bool:
        question = self.question
        return (
            has_keys(question, "viewer purpose household now", "known_at")
            and is_id(question["viewer"])
            and is_codes([question["purpose"]], PURPOSES)
            and is_id(question["household"])
            and self.now is not None
            and self.at is not None
            and self.at <= self.now
        )

    def readable_viewer(self, wanted: str) -> Raw:
        """The viewer of this id, where they can be read."""
        if any(readable_id(one) is None for one in self.counting["viewers"]):
            return None
        found = [one for one in self.counting["viewers"] if readable_id(one) == wanted]
        if len(found) != 1 or not self.known["viewers"].readable(found[0]):
            return None
        return found[0]

    def _asking_viewer(self) -> Raw:
        wanted = part(self.question, "viewer")
        return self.readable_viewer(wanted) if is_id(wanted) else None

    def purpose_is_theirs(self) -> bool:
        if self.viewer["council_member"] and self.purpose in ("care_coordination", "protection"):
            return True
        return any(self.purpose in PURPOSES_OF_ROLE[role] for role in self.viewer["roles"])

    # ── facts that speak of the household ─────────────────────────────────────────────────────────
    def about(self, kind: str) -> list[Raw]:
        """What counts for the household of the question, readable or not."""
        return [f for f in self.counting[kind] if household(f) in (None, self.household)]

    def readable(self, kind: str) -> list[Raw]:
        """What counts and can be read; a permitting fact only where none without an id stands."""
        found = self.about(kind)
        if kind not in LIMITING and any(readable_id(fact) is None for fact in found):
            return []
        return [
            fact
            for fact in found
            if self.known[kind].readable(fact) and household(fact) == self.household
        ]

    def unreadable(self, kind: str) -> list[Raw]:
        return [fact for fact in self.about(kind) if not self.known[kind].readable(fact)]

    # ── records ───────────────────────────────────────────────────────────────────────────────────
    def record_ids(self) -> list[str | None]:
        return list(dict.fromkeys(readable_id(raw) for raw in self.known["records"].listed))

    def versions(self, record_id: str | None) -> list[Raw]:
        return [raw for raw in self.counting["records"] if readable_id(raw) == record_id]

    def is_elsewhere(self, record_id: str | None) -> bool:
        """Of another household, or not yet recorded."""
        return not any(
            self.household is None or household(raw) in (None, self.household)
            for raw in self.versions(record_id)
        )

    def readable_record(self, record_id: str | None) -> Raw:
        """The record and its policy where both can be read."""
        found = self.readable("records")
        mine = [raw for raw in found if readable_id(raw) == record_id]
        versions = self.versions(record_id)
        if len(mine) != 1 or len(versions) != 1 or self.policy(mine[0]) is None:
            return None
        return mine[0]

    def policy(self, record: Raw) -> Raw:
        program = record["program"]
        default = {
            "withheld": "hide" if program == "nurturing_support" else "mask",
            "break_glass": True,
        }
        if "policies" not in self.scenario:
            return default
        policies = part(self.scenario, "policies")
        if type(policies) is not dict:
            return None
        policy = policies.get(program, default)
        good = (
            has_keys(policy, "withheld break_glass")
            and policy["withheld"] in ("mask", "hide")
            and type(policy["break_glass"]) is bool
        )
        return policy if good else None

    # ── C1 to C6, category by category ────────────────────────────────────────────────────────────
    def c1(self, record: Raw) -> Iterator[Show]:
        if record["office"] in self.viewer["offices"] and self.purpose in (
            "service_delivery",
            "billing",
            "care_coordination",
            "protection",
        ):
            for category in CATEGORIES:
                yield Show("C1", f"office:{record['office']}", category)

    def c2(self, record: Raw) -> Iterator[Show]:
        if (
            record["commissioner"] == self.viewer["agency"]
            and record["program"] in self.viewer["sections"]
            and self.purpose in ("eligibility", "billing", "service_delivery")
        ):
            for category in ("attendance", "services", "economy", "identity", "contact"):
                yield Show("C2", f"program:{record['program']}", category)

    def covers(self, directive: Raw, record: Raw, category: str) -> bool:
        withdrawn = moment(directive.get("withdrawn_at"))
        date = day(record["date"])
        return (
            not (withdrawn is not None and withdrawn <= self.now)
            and is_open(directive["valid"], self.now)
            and is_open(directive["data"], date, day)
            and (
                directive["sources"] == "*"
                or f"program:{record['program']}" in directive["sources"]
                or f"office:{record['office']}" in directive["sources"]
            )
            and any_names(directive["recipients"], self.viewer)
            and (directive["purposes"] == "*" or self.purpose in directive["purposes"])
            and (directive["categories"] == "*" or category in directive["categories"])
            and (
                directive["registrations"] == "household"
                or record["registration"] in directive["registrations"]
            )
        )

    def has_case(self, viewer: Raw) -> bool:
        """A caseload entry for the household, open now; an unreadable entry is no entry."""
        return any(
            is_caseload_entry(entry)
            and entry["household"] == self.household
            and is_open(entry, self.now)
            for entry in viewer["caseload"]
        )

    def has_the_case_or_stands_for_it(self, permit: Raw) -> bool:
        if self.has_case(self.viewer):
            return True
        if any(f"office:{office}" in permit["recipients"] for office in self.viewer["offices"]):
            return True
        if "supervisor" not in self.viewer["roles"]:
            return False
        ids = {readable_id(raw) for raw in self.counting["viewers"]}
        others = [self.readable_viewer(one) for one in ids if one is not None]
        # Reading: the one who has the case is among the recipients too, not only the supervisor.
        return any(
            other["agency"] == self.viewer["agency"]
            and self.has_case(other)
            and any_names(permit["recipients"], other)
            for other in others
            if other is not None
        )

    def c3_before_c4(self, record: Raw) -> Iterator[Show]:
        for permit in self.readable("directives"):
            if permit["effect"] != "permit" or "attendance" not in permit["categories"]:
                continue
            if not self.has_the_case_or_stands_for_it(permit):
                continue
            for category in CATEGORIES:
                if self.covers(permit, record, category):
                    yield Show("C3", f"{permit['id']}@{permit['version']}", category)

    def c4(self, record: Raw, category: str) -> list[str]:
        """The refs of the refusals that cover it."""
        refs = [
            f"{deny['id']}@{deny['version']}"
            for deny in self.readable("directives")
            if deny["effect"] == "deny" and self.covers(deny, record, category)
        ]
        return refs + ["unreadable" for _ in self.unreadable("directives")]

    def _catalogue(self) -> list[Raw]:
        """The entries that can be read and are the only ones of their code."""
        if "catalogue" not in self.scenario:
            return DEFAULT_CATALOGUE
        given = facts(self.scenario, "catalogue")
        return [
            entry
            for entry in given
            if has_keys(entry, "code article standing categories")
            and is_id(entry["code"])
            and is_text(entry["article"])
            and type(entry["standing"]) is bool
            and is_codes(entry["categories"], CATEGORIES)
            and [part(e, "code") for e in given].count(entry["code"]) == 1
        ]

    def c5(self) -> Iterator[Show]:
        if self.purpose in ("care_coordination", "protection"):
            yield from self.c5a()
            yield from self.c5b()

    def c5a(self) -> Iterator[Show]:
        for case in self.readable("council_cases"):
            if (
                is_open(case, self.now)
                and self.viewer["council_member"]
                and any_names(case["members"], self.viewer)
            ):
                for entry in self.catalogue:
                    if entry["standing"]:
                        for category in entry["categories"]:
                            yield Show("C5", f"{case['id']}:{entry['article']}", category)

    def c5b(self) -> Iterator[Show]:
        for call in self.readable("invocations"):
            # Reading: an empty list of categories covers nothing, not even attendance.
            if (
                is_open(call["valid"], self.now)
                and call["categories"] != []
                and any_names(call["recipients"], self.viewer)
            ):
                opened = self.opens(call, call["requested_by"])
                for entry in self.catalogue:
                    if entry["code"] == call["basis"] and not entry["standing"]:
                        for category in {*call["categories"], "attendance"}:
                            if category in entry["categories"]:
                                ref = f"{call['id']}:{entry['article']}"
                                yield Show("C5", ref, category, opened)

    def c6(self, record: Raw) -> Iterator[Show]:
        if self.purpose != "protection" or not self.policy(record)["break_glass"]:
            return
        for grant in self.readable("break_glass"):
            if (
                grant["viewer"] == self.viewer["id"]
                and is_open(grant, self.now)
                and grant["review"] != "unjustified"
            ):
                for category in {*grant["categories"], "attendance"}:
                    yield Show("C6", grant["id"], category, self.opens(grant, grant["viewer"]))

    def opens(self, fact: Raw, requester: str) -> str | None:
        """The shield that the fact names and has a confirmation for."""
        confirmed = (
            fact.get("confirmed_by") is not None
            and fact["confirmed_by"] not in (requester, self.viewer["id"])
            and fact.get("confirmer_role") in FIRM_ROLES
        )
        return fact.get("shield") if confirmed else None

    def permits(self, record: Raw, *, before_c4: bool = False) -> list[Show]:
        key = (id(record), before_c4)
        if key not in self._permits:
            self._permits[key] = self._all_permits(record, before_c4=before_c4)
        return self._permits[key]

    def _all_permits(self, record: Raw, *, before_c4: bool) -> list[Show]:
        consents = [
            show
            for show in self.c3_before_c4(record)
            if before_c4 or not self.c4(record, show.category)
        ]
        return [
            *self.c1(record),
            *self.c2(record),
            *consents,
            *self.c5(),
            *self.c6(record),
        ]
