"""The properties that the contract states by name, on generated scenarios."""

from __future__ import annotations

import copy
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from consent.agreement import CASES, Line, case, generated, lines
from consent.damage import KINDS, damaged
from consent.exposure import shows_more
from consent.scenarios import Maker, at
from reference.consent_reference import HIDDEN, Reference
from reference.consent_shapes import (
    SHAPES,
    has_head,
    household,
    moment,
    readable_id,
    recorded,
    version,
)

from visitsync.consent import decide, read_scenario
from visitsync.schema.strict_json import RepeatedNames

COUNT = 600


def scenarios(seed: int, count: int = COUNT) -> Iterator[tuple[dict[str, Any], random.Random]]:
    """Generated scenarios whose lists are lists, each with chance of its own."""
    rng = random.Random(seed)  # noqa: S311 -- chosen by seed, not secret
    for scenario in generated(seed, count):
        if not isinstance(scenario, RepeatedNames) and all(
            isinstance(scenario.get(kind, []), list) for kind in KINDS
        ):
            yield scenario, rng


def with_fact(scenario: dict[str, Any], kind: str, fact: object) -> dict[str, Any]:
    return scenario | {kind: [*scenario.get(kind, []), fact]}


def test_default_deny() -> None:
    for scenario, _ in scenarios(11):
        bare = copy.deepcopy(scenario)
        for kind in ("directives", "council_cases", "invocations", "break_glass"):
            bare[kind] = []
        for viewer in bare.get("viewers", []):
            if isinstance(viewer, dict):
                viewer |= {"offices": [], "sections": []}
        assert all(line["outcome"] == "hidden" for line in lines(bare))


def test_refusal_trumps_consent() -> None:
    shown_by_consent = 0
    for scenario, rng in scenarios(12):
        everything = dict.fromkeys(("sources", "recipients", "purposes", "categories"), "*")
        deny = (
            Maker(0).directive("refused")
            | everything
            | {
                "recorded_at": at(rng.choice((-9_000, -5_000))),
                "household": "h1",
                "effect": "deny",
                "valid": {"from": at(-9_000)},
                "data": {"from": "2026-01-01"},
                "registrations": "household",
                "withdrawn_at": None,
            }
        )
        shown_by_consent += "C3" in rules_that_show(lines(scenario))
        assert "C3" not in rules_that_show(lines(with_fact(scenario, "directives", deny)))
    assert shown_by_consent > COUNT / 10


def rules_that_show(answered: list[Line]) -> set[str]:
    return {
        reason["rule"]
        for line in answered
        for reason in line["reasons"]
        if reason["effect"] == "show"
    }


def test_order_and_duplicates_of_facts_do_not_matter() -> None:
    for scenario, rng in scenarios(13):
        shaken = dict(scenario)
        for kind in (*KINDS, "catalogue"):
            facts = scenario.get(kind)
            if isinstance(facts, list) and facts:
                shaken[kind] = [*facts, *copy.deepcopy(rng.choices(facts, k=2))]
                rng.shuffle(shaken[kind])
        assert by_record(lines(shaken)) == by_record(lines(scenario))


def by_record(answered: list[Line]) -> dict[str | None, Line]:
    return {line["record"]: line for line in answered}


LIMITS: dict[str, Callable[[Maker], tuple[str, dict[str, Any]]]] = {
    "refusal": lambda maker: ("directives", maker.directive("new") | {"effect": "deny"}),
    "block": lambda maker: ("blocks", maker.block("new")),
    "shield": lambda maker: ("shields", maker.shield("new")),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_adding_a_refusal_block_or_shield_with_a_new_id_never_shows_more(limit: str) -> None:
    less = 0
    for scenario, rng in scenarios(14):
        kind, fact = LIMITS[limit](Maker(rng.randrange(10**6)))
        unreadable = damaged(fact, rng) if rng.random() < 0.3 else fact
        limited = with_fact(scenario, kind, unreadable)
        assert not shows_more(limited, scenario)
        less += shows_more(scenario, limited)
    assert less


def test_withdrawing_a_readable_consent_never_shows_more() -> None:
    less = 0
    for scenario, rng in scenarios(15):
        here = Reference(scenario)
        consents = [fact for fact in here.readable("directives") if fact["effect"] == "permit"]
        for consent in consents:
            highest = max(version(one) or 0 for one in here.known["directives"].of(consent))
            withdrawal = consent | {
                "version": highest + 1,
                "recorded_at": at(rng.choice((0, -1))),
                "withdrawn_at": at(rng.choice((0, -1))),
            }
            withdrawn = with_fact(scenario, "directives", withdrawal)
            assert not shows_more(withdrawn, scenario)
            less += shows_more(scenario, withdrawn)
    assert less


def test_making_a_fact_unreadable_never_shows_more() -> None:
    """With one exception, which follows from the contract's own words.

    A later version of an invocation or a grant is compared with the lowest *readable* version. So
    where a later version changes what it may not, making the lowest one unreadable leaves the
    later one nothing to differ from. Lower versions of such facts are therefore not damaged here.
    """
    less = tried = 0
    for scenario, rng in scenarios(16, 3 * COUNT):
        kind = rng.choice([kind for kind in KINDS if scenario.get(kind)] or ["viewers"])
        facts = scenario.get(kind, [])
        if not facts:
            continue
        index = rng.randrange(len(facts))
        broken = damaged(facts[index], rng)
        if is_whole(kind, broken) or speaks_of_another(broken, facts[index]):
            continue
        if is_compared_with(kind, facts[index], facts):
            continue
        tried += 1
        after = scenario | {kind: [*facts[:index], broken, *facts[index + 1 :]]}
        assert not shows_more(after, scenario)
        less += shows_more(scenario, after)
    assert tried > COUNT
    assert less > COUNT / 10


def is_whole(kind: str, fact: object) -> bool:
    return has_head(fact) and SHAPES[kind](fact)


def speaks_of_another(broken: object, whole: object) -> bool:
    """Whether what can still be read names another fact, version, time or household."""
    return any(
        read(broken) not in (None, read(whole))
        for read in (readable_id, version, recorded, household)
    )


def is_compared_with(kind: str, fact: object, facts: list[object]) -> bool:
    return kind in ("invocations", "break_glass") and any(
        other is not fact and readable_id(other) == readable_id(fact) for other in facts
    )


def test_a_decision_depends_on_nothing_outside_question_and_facts() -> None:
    maker = Maker(17)
    for scenario, _ in scenarios(17):
        before = copy.deepcopy(scenario)
        read = read_scenario(scenario)
        first = decide(read)
        decide(read_scenario(maker.make()))  # another question in between changes nothing
        assert decide(read) == first
        assert decide(read_scenario(upside_down(before))) == first
        assert scenario == before


def upside_down(value: object) -> object:
    """The same JSON value with the members of every object in another order."""
    if isinstance(value, dict) and not isinstance(value, RepeatedNames):
        return {key: upside_down(value[key]) for key in reversed(value)}
    return [upside_down(one) for one in value] if isinstance(value, list) else value


def test_answers_do_not_depend_on_the_order_of_sets() -> None:
    answers = {
        subprocess.run(
            [sys.executable, "-m", "visitsync", "decide", str(CASES)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(answers) == 1


def test_every_visible_category_names_a_permitting_fact() -> None:
    visible = 0
    for scenario, _ in scenarios(18):
        known = refs(scenario)
        for line in lines(scenario):
            for category in line["visible"]:
                visible += 1
                named = [
                    reason["ref"]
                    for reason in line["reasons"]
                    if reason["category"] == category and reason["effect"] == "show"
                ]
                assert named
                assert all(
                    any(f"{ref}:".startswith((f"{one}:", f"{one}@")) for one in known)
                    for ref in named
                )
    assert visible > COUNT


def refs(scenario: dict[str, Any]) -> set[str]:
    """What a ref may begin with: the id of a fact, or the word of C1 and C2."""
    return {"office", "program"} | {
        name
        for kind in ("directives", "council_cases", "invocations", "break_glass")
        for fact in scenario.get(kind, [])
        if (name := readable_id(fact)) is not None
    }


def test_known_at_equals_facts_recorded_by_then() -> None:
    changed = 0
    for scenario, rng in scenarios(19):
        question = scenario.get("question")
        if type(question) is not dict:
            continue
        k = at(rng.choice((0, -0.5, -1, -2, -24, -100, -4_600)))
        everything = scenario | {"question": question | {"now": k, "known_at": k}}
        by_then = {kind: recorded_by(scenario, kind, k) for kind in KINDS}
        earlier = scenario | by_then | {"question": question | {"now": k, "known_at": None}}
        whole, part = by_record(lines(everything)), by_record(lines(earlier))
        for record, line in whole.items():
            assert line == part.get(record, {"record": record} | HIDDEN)
        changed += by_then != {kind: scenario.get(kind, []) for kind in KINDS}
    assert changed > COUNT / 10


def recorded_by(scenario: dict[str, Any], kind: str, k: str) -> list[object]:
    bound = moment(k)
    assert bound is not None
    return [
        fact for fact in scenario.get(kind, []) if (when := recorded(fact)) is None or when <= bound
    ]


def test_the_exception_is_real_and_follows_from_comparing_with_the_lowest_readable() -> None:
    """Kept visible: the contract's sentence wins over its property here."""
    scenario = case("c6-an-end-may-not-be-put-off")
    first, later = scenario["break_glass"]
    broken = scenario | {"break_glass": [first | {"review": "?"}, later]}
    assert is_compared_with("break_glass", first, scenario["break_glass"])
    assert shows_more(broken, scenario)
