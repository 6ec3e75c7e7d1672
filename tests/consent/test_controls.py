"""Controls: with a guard taken away, a named case shows more. So the tests are not blind to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
import pytest
from consent.agreement import case
from consent.exposure import exposed, shows_more

from visitsync.consent import masking, read_scenario
from visitsync.consent.deciding import RULES, Rules, answer


def changed(**members: object) -> Rules:
    return msgspec.structs.replace(RULES, **members)


def without(part: str, rule: str) -> Rules:
    """The rules in force but for one."""
    kept = tuple(one for one in getattr(RULES, part) if one[0] != rule)
    assert len(kept) == len(getattr(RULES, part)) - 1
    return changed(**{part: kept})


def exposure(name: str, rules: Rules) -> dict[str | None, frozenset[str]]:
    decisions = answer(read_scenario(case(name)), rules)
    return {one.record: exposed(one.as_json()) for one in decisions}


def gives_more(name: str, rules: Rules) -> bool:
    held, loose = exposure(name, RULES), exposure(name, rules)
    assert held.keys() == loose.keys()
    assert all(held[record] <= loose[record] for record in held)
    return held != loose


@pytest.mark.parametrize(
    ("part", "rule", "name"),
    [
        ("refusing", "C4", "c4-everything-is-refused-by-the-forms-default"),
        ("refusing", "C4", "c4-an-unreadable-directive-refuses-everything"),
        ("refusing", "C4", "masked-not-if-the-family-refuses"),
        ("limiting", "C7", "c7-a-shield-withholds-where-they-are"),
        ("limiting", "C7", "c7-notes-withheld-too"),
        ("limiting", "C8", "c8-a-relative-sees-nothing-not-even-own-records"),
        ("limiting", "C8", "c8-an-office-of-a-relative-sees-only-its-own-records"),
        ("limiting", "C9", "c9-auditing-shows-no-record"),
    ],
)
def test_each_limiting_rule_holds_something_back(part: str, rule: str, name: str) -> None:
    assert gives_more(name, without(part, rule))


def test_attendance_as_prerequisite_holds_something_back() -> None:
    name = "c5-a-catalogue-that-leaves-out-attendance"
    assert gives_more(name, changed(prerequisite=None))


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        (masking.program_masks, "masked-not-in-a-program-that-hides"),
        (masking.purpose_coordinates, "masked-not-for-eligibility"),
        (masking.viewer_works_with_household, "masked-not-where-nothing-else-is-permitted"),
        (masking.viewer_works_with_household, "masked-not-beside-own-records-alone"),
        (masking.family_does_not_refuse, "masked-not-if-the-family-refuses"),
        (masking.no_shield_against_viewer, "masked-not-under-a-shield"),
        (masking.no_block_names_viewer, "masked-not-if-a-block-names-the-viewer"),
    ],
)
def test_each_condition_for_masking_holds_something_back(
    condition: masking.Condition, name: str
) -> None:
    kept = tuple(one for one in RULES.masking if one is not condition)
    assert len(kept) == len(RULES.masking) - 1
    assert gives_more(name, changed(masking=kept))


def left_out(kind: str, index: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The scenario as if an unreadable fact were not there: C10 not applied."""
    return lambda raw: raw | {kind: [one for n, one in enumerate(raw[kind]) if n != index]}


@pytest.mark.parametrize(
    ("name", "unguarded"),
    [
        ("c4-an-unreadable-directive-refuses-everything", left_out("directives", 1)),
        ("c4-an-unreadable-household-is-every-household", left_out("directives", 1)),
        ("k-an-unreadable-version-number-is-the-highest", left_out("council_cases", 1)),
        ("k-unequal-facts-of-one-version-are-unreadable", left_out("directives", 1)),
        ("c5-an-amendment-may-not-widen", left_out("invocations", 1)),
        ("c7-an-unreadable-shield-allows-nobody", left_out("shields", 0)),
        ("c8-an-unreadable-block-names-everybody", left_out("blocks", 0)),
        ("c10-a-record-without-an-id-is-every-record", left_out("records", 1)),
        ("c10-a-viewer-without-an-id-is-everybody", left_out("viewers", 1)),
        ("c10-an-unreadable-policy-hides-its-program", lambda raw: raw | {"policies": {}}),
        (
            "c10-a-list-that-is-none",
            lambda raw: raw | {"directives": [*raw["directives"].values()]},
        ),
        (
            "c10-an-unknown-key-at-the-top",
            lambda raw: {key: value for key, value in raw.items() if key != "holds"},
        ),
        (
            "c10-known-after-now",
            lambda raw: raw | {"question": raw["question"] | {"known_at": None}},
        ),
    ],
)
def test_failing_shut_holds_something_back(
    name: str, unguarded: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    assert shows_more(unguarded(case(name)), case(name))


def test_k_holds_something_back() -> None:
    scenario = case("k-a-later-consent-is-not-yet-known")
    at_now = scenario | {"question": scenario["question"] | {"known_at": None}}
    assert shows_more(at_now, scenario)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("C1", "c1-an-office-sees-its-own-record-and-no-other"),
        ("C2", "c2-the-section-sees-what-it-pays-for"),
        ("C3", "c3-a-consent-shows-what-it-names"),
        ("C5", "c5-an-invoked-law"),
        ("C6", "c6-break-glass"),
    ],
)
def test_each_permitting_rule_alone_shows_what_it_permits(rule: str, name: str) -> None:
    nothing = exposure(name, without("permitting", rule))
    assert all(given == frozenset() for given in nothing.values())
    assert exposure(name, RULES) != nothing


# ── C10: a rule that raises ───────────────────────────────────────────────────────────────────────
def raises(*_: object) -> NoReturn:
    raise ZeroDivisionError


BROKEN = {"when made": raises, "when asked": lambda _: raises}
"""Two ways in which a rule can fail: before the first record, and at each."""


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ("C1", "c1-an-office-sees-its-own-record-and-no-other"),
        ("C2", "c2-the-section-sees-what-it-pays-for"),
        ("C3", "c3-a-consent-shows-what-it-names"),
        ("C5", "c5-an-invoked-law"),
        ("C6", "c6-break-glass"),
    ],
)
def test_a_permitting_rule_that_raises_gives_nothing(
    broken: Callable[..., object], rule: str, name: str
) -> None:
    table = tuple((one, broken if one == rule else make) for one, make in RULES.permitting)
    decisions = answer(read_scenario(case(name)), changed(permitting=table))
    assert all(decision.visible == () for decision in decisions)
    assert all(decision.failed == (rule,) for decision in decisions)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("rule", ["C7", "C8", "C9"])
def test_a_limiting_rule_that_raises_withholds(broken: Callable[..., object], rule: str) -> None:
    table = tuple((one, broken if one == rule else make) for one, make in RULES.limiting)
    name = "c1-an-office-sees-its-own-record-and-no-other"
    decisions = answer(read_scenario(case(name)), changed(limiting=table))
    assert all(decision.outcome == "hidden" for decision in decisions)
    assert {reason.ref for reason in decisions[0].reasons} == {"unreadable"}
    assert all(decision.failed == (rule,) for decision in decisions)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_refusal_that_cannot_be_judged_cancels_every_consent(
    broken: Callable[..., object],
) -> None:
    name = "masked-beside-a-record-that-consent-shows"
    decisions = answer(read_scenario(case(name)), changed(refusing=(("C4", broken),)))
    assert [decision.outcome for decision in decisions] == ["hidden", "hidden"]
    assert decisions[0].failed == ("C4",)


def test_a_condition_for_masking_that_raises_hides() -> None:
    name = "masked-beside-a-record-that-consent-shows"
    table = (*RULES.masking, raises)
    decisions = answer(read_scenario(case(name)), changed(masking=table))
    assert [decision.outcome for decision in decisions] == ["shown", "hidden"]
