"""Both evaluators beside each other, on cases from files and on generated scenarios."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from consent.scenarios import Maker
from reference.consent_reference import Reference

from visitsync.consent import Unreadable, decide, read_scenario
from visitsync.schema.strict_json import Mark, RepeatedNames, loads

Line: TypeAlias = dict[str, Any]
Reached: TypeAlias = Counter[tuple[str, str, str]]

CASES: Final = Path("tests/consent/cases")

_LISTS: Final = {
    "viewer": "viewers",
    "record": "records",
    "directive": "directives",
    "council case": "council_cases",
    "invocation": "invocations",
    "break-glass grant": "break_glass",
    "shield": "shields",
    "block": "blocks",
    "policy": "policies",
    "catalogue entry": "catalogue",
}


def case(name: str) -> Any:
    """The scenario of a case file, read as the command reads it."""
    return loads((CASES / f"{name}.json").read_bytes(), mark_refused=True)


def case_names() -> list[str]:
    return sorted(path.stem for path in CASES.glob("*.json"))


def lines(scenario: object) -> list[Line]:
    """What the fast evaluator answers."""
    return [decision.as_json() for decision in decide(read_scenario(scenario))]


def written(raw: object) -> str:
    """JSON text, with the names that stood twice standing twice again."""
    if raw is Mark.REFUSED:
        return "1e999"
    if isinstance(raw, RepeatedNames):
        members = [f"{json.dumps(name)}: {written(value)}" for name, value in raw.pairs]
        return "{" + ", ".join(members) + "}"
    if isinstance(raw, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {written(v)}" for k, v in raw.items()) + "}"
    if isinstance(raw, list):
        return "[" + ", ".join(map(written, raw)) + "]"
    return json.dumps(raw, ensure_ascii=False)


def told(unreadable: Unreadable) -> tuple[str, str | None]:
    """What the fast evaluator reports, in the words of the slow one."""
    return _LISTS.get(unreadable.kind, unreadable.kind), unreadable.id


def difference(scenario: object) -> str | None:
    """Where the two evaluators differ, with the scenario to save as a case; else None."""
    return both(scenario)[0]


def both(scenario: object) -> tuple[str | None, list[Line]]:
    """The same, with the lines of the fast evaluator."""
    slow, read = Reference(scenario), read_scenario(scenario)
    fast = [decision.as_json() for decision in decide(read)]
    said = sorted(map(told, read.unreadable), key=repr)
    for ours, theirs in ((fast, slow.lines()), (said, slow.reported())):
        if ours != theirs:
            save = f"save as a case: {written(scenario)}"
            return f"slow {theirs}\nfast {ours}\n{save}", fast
    return None, fast


def generated(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """So many scenarios of one seed."""
    maker = Maker(seed)
    for _ in range(count):
        yield maker.make()


def compare(seed: int, count: int) -> tuple[list[str], Reached]:
    """The differences on generated scenarios, and which rules, effects, outcomes they reach."""
    found: list[str] = []
    reached: Reached = Counter()
    for scenario in generated(seed, count):
        different, answered = both(scenario)
        if different is not None:
            found.append(different)
        for line in answered:
            reached[("", "", line["outcome"])] += not line["reasons"]
            for reason in line["reasons"]:
                reached[(reason["rule"], reason["effect"], line["outcome"])] += 1
    return found, +reached
