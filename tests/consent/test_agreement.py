"""The fast evaluator agrees with its slow twin, with the hand-written cases, and with itself."""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

import pytest
from consent.agreement import CASES, case, case_names, compare, difference, lines

ROUND = 2_000

# Every combination of rule, effect and outcome that the contract allows. A shown record has no
# reason of C8 or C9, which take everything; a masked one none of C4, C7 or C8, for where those
# say something of it nothing is masked.
REACHABLE = {
    *((rule, "show", "shown") for rule in ("C1", "C2", "C3", "C5", "C6")),
    *((rule, "withhold", "shown") for rule in ("C4", "C7")),
    *((rule, "withhold", "hidden") for rule in ("C4", "C7", "C8", "C9", "C10", "attendance")),
    ("attendance", "withhold", "masked"),
    ("", "", "masked"),
    ("", "", "hidden"),
}


@pytest.mark.parametrize("name", case_names())
def test_each_case_is_answered_byte_for_byte_as_written(name: str) -> None:
    expected = (CASES / f"{name}.expected").read_text(encoding="utf-8")
    answered = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines(case(name)))
    assert answered == expected
    assert difference(case(name)) is None


@pytest.mark.parametrize("rule", [f"C{number}" for number in range(1, 11) if number != 9])
def test_every_rule_has_cases_where_it_speaks_and_where_it_does_not(rule: str) -> None:
    speaks = {
        any(reason["rule"] == rule for line in lines(case(name)) for reason in line["reasons"])
        for name in case_names()
        if name.startswith(f"{rule.lower()}-")
    }
    assert speaks == {True, False}


def test_the_twins_agree_on_generated_scenarios_that_reach_every_rule() -> None:
    found, reached = compare(seed=1, count=2_000)
    assert not found, found[0]
    assert reached.keys() == REACHABLE


@pytest.mark.long
def test_the_twins_agree_on_generated_scenarios() -> None:
    """As many as `CONSENT_SCENARIOS` says; a million take a quarter of an hour on two cores."""
    rounds = int(os.environ.get("CONSENT_SCENARIOS", "4000")) // ROUND
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        answers = list(pool.map(compare, range(100, 100 + rounds), [ROUND] * rounds))
    assert len(answers) == rounds >= 1
    for found, reached in answers:
        assert not found, found[0]
        assert reached.keys() <= REACHABLE
