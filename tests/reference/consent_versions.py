"""Which versions of the facts of a scenario count at K, and which of them can be read."""

from __future__ import annotations

from itertools import chain
from typing import Final

from reference.consent_shapes import (
    SHAPES,
    Moment,
    Raw,
    has_head,
    household,
    moment,
    part,
    readable_id,
    recorded,
    version,
)

from visitsync.schema.strict_json import RepeatedNames

LIMITING: Final = frozenset({"directives", "shields", "blocks"})
FACTS: Final = (
    "viewers",
    "records",
    "directives",
    "council_cases",
    "invocations",
    "break_glass",
    "shields",
    "blocks",
)


def written(raw: Raw) -> str:
    """Equal for equal JSON values only: 1, 1.0 and true differ, the order of keys does not."""
    if isinstance(raw, RepeatedNames):
        return "twice(" + ",".join(f"{name!r}:{written(value)}" for name, value in raw.pairs) + ")"
    if isinstance(raw, dict):
        return "{" + ",".join(sorted(f"{key!r}:{written(raw[key])}" for key in raw)) + "}"
    if isinstance(raw, list):
        return "[" + ",".join(map(written, raw)) + "]"
    return repr(raw)


def facts(scenario: Raw, kind: str) -> list[Raw]:
    """The facts of one kind, equal ones once; a list that is none is one unreadable fact."""
    if isinstance(scenario, RepeatedNames):
        lists = [value for name, value in scenario.pairs if name == kind]
    else:
        lists = [scenario[kind]] if kind in scenario else []
    found: dict[str, Raw] = {}
    for one in chain.from_iterable(each if isinstance(each, list) else [None] for each in lists):
        found.setdefault(written(one), one)
    return list(found.values())


class Known:
    """The facts of one kind recorded by K; with K unreadable, all."""

    def __init__(self, scenario: Raw, kind: str, at: Moment | None) -> None:
        self.kind = kind
        self.listed = facts(scenario, kind)
        self.all = [
            fact
            for fact in self.listed
            if (when := recorded(fact)) is None or at is None or when <= at
        ]
        self._readable = [fact for fact in self.all if self._is_readable(fact)]

    def readable(self, fact: Raw) -> bool:
        return any(one is fact for one in self._readable)

    def of(self, fact: Raw) -> list[Raw]:
        """All versions of this fact."""
        return [one for one in self.all if readable_id(one) == readable_id(fact)]

    def stands_alone(self, fact: Raw) -> bool:
        """Its shape is right and no other fact has the same id and version."""
        if not (has_head(fact) and SHAPES[self.kind](fact)):
            return False
        return all(
            one is fact for one in self.of(fact) if version(one) == version(fact)
        ) and self._starts_after_it_was_recorded(fact)

    def _starts_after_it_was_recorded(self, fact: Raw) -> bool:
        if self.kind != "break_glass":
            return True
        numbered = [one for one in self.of(fact) if version(one) is not None]
        lowest = min(version(one) or 0 for one in numbered)
        start = moment(fact["from"])
        assert start is not None
        # Reading: a time of recording that cannot be read is not known to lie before the start.
        return all(
            (when := recorded(one)) is not None and start >= when
            for one in numbered
            if version(one) == lowest
        )

    def _is_readable(self, fact: Raw) -> bool:
        return self.stands_alone(fact) and (
            self.kind not in ("invocations", "break_glass") or self._changes_only_what_it_may(fact)
        )

    def _changes_only_what_it_may(self, fact: Raw) -> bool:
        lowest = min(filter(self.stands_alone, self.of(fact)), key=lambda one: version(one) or 0)
        if lowest is fact:
            return True
        free = {"id", "version", "recorded_at", "shield", "confirmed_by", "confirmer_role"}
        fixed = set(fact) - free - {"from", "until", "valid", "review"}
        if any(written(fact[key]) != written(lowest[key]) for key in fixed):
            return False
        if moment(period_of(fact)["from"]) != moment(period_of(lowest)["from"]):
            return False
        end = moment(period_of(fact)["until"])
        assert end is not None
        if end == moment(period_of(lowest)["until"]):
            return True
        # Reading: "every lower version" has also the unreadable ones; an end that cannot be read
        # is one that nothing is known to lie before.
        return all(
            (other := end_of(one)) is not None and end < other
            for one in self.of(fact)
            if 0 < (version(one) or 0) < (version(fact) or 0)
        )

    def counting(self) -> list[Raw]:
        """Of each fact what counts: its highest version, and what nothing readable supersedes."""
        return [fact for fact in self.all if self._counts(fact)]

    def _counts(self, fact: Raw) -> bool:
        if readable_id(fact) is None:
            return True
        above = [one for one in self.of(fact) if is_above(one, fact)]
        if any(self.readable(one) for one in above):
            return False
        if not above or not self.readable(fact):
            return True
        # Reading: an unreadable higher version that speaks of another household does not lift a
        # protection; a permit never comes back from below one.
        is_protection = self.kind in LIMITING and fact.get("effect") != "permit"
        return is_protection and all(household(one) not in (None, household(fact)) for one in above)


def is_above(one: Raw, other: Raw) -> bool:
    """A higher version; an unreadable number is the highest."""
    mine, its = version(one), version(other)
    return its is not None and (mine is None or mine > its)


def period_of(fact: Raw) -> Raw:
    """Where the period of a grant or an invocation stands."""
    return fact.get("valid", fact)


def end_of(raw: Raw) -> Moment | None:
    valid = part(raw, "valid")
    return moment(part(raw if valid is None else valid, "until"))
