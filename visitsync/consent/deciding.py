"""Answering a question for every record, in the order that the contract gives."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final, ParamSpec, TypeVar

import msgspec

from visitsync.consent import directives, limiting, masking, permitting
from visitsync.consent.decision import MALFORMED, UNREADABLE, Decision, Limit, Permit, Reason
from visitsync.consent.facts import ATTENDANCE, CATEGORIES, Record
from visitsync.consent.inquiry import Inquiry, Limiting, Permitting, Refusing, inquiry_of
from visitsync.consent.limiting import ALL_FIELDS
from visitsync.consent.scenario import Listed, Scenario
from visitsync.consent.weighing import Weighed, weigh
from visitsync.schema.silent import Struct

P = ParamSpec("P")
T = TypeVar("T")


class Rules(Struct, frozen=True, kw_only=True):
    """The rules in force, each under its permanent id."""

    permitting: tuple[tuple[str, Permitting], ...]
    refusing: tuple[tuple[str, Refusing], ...]
    limiting: tuple[tuple[str, Limiting], ...]
    prerequisite: str | None
    """The category without which no other is visible."""
    masking: tuple[masking.Condition, ...]


RULES: Final = Rules(
    permitting=(
        ("C1", permitting.own_record),
        ("C2", permitting.commissioner),
        ("C3", directives.consent),
        ("C5", permitting.legal_basis),
        ("C6", permitting.break_glass),
    ),
    refusing=(("C4", directives.refusal),),
    limiting=(
        ("C7", limiting.address_shield),
        ("C8", limiting.block),
        ("C9", limiting.purpose_without_records),
    ),
    prerequisite=ATTENDANCE,
    masking=masking.CONDITIONS,
)

_MASKING_RULES: Final = frozenset({"C3", "C5", "C6"})
"""Rules through which a viewer works with a household."""


def decide(scenario: Scenario) -> tuple[Decision, ...]:
    """What the viewer of the scenario's question may see of each record, and why.

    One decision for each record id, at its first place in the scenario. Depends on nothing but
    the scenario.
    """
    return answer(scenario, RULES)


def answer(scenario: Scenario, rules: Rules) -> tuple[Decision, ...]:
    """`decide` by other rules than those in force, to see what each is there for."""
    # First what is of another household or not yet recorded; then the question and the viewer;
    # then the purpose; then the record and its policy; then the rules.
    inquiry = inquiry_of(scenario)
    if inquiry is None:
        decisions = [_without(one, MALFORMED) for one in scenario.records]
    elif not inquiry.may_state_purpose():
        decisions = [_without(one, ()) for one in scenario.records]
    else:
        readable = {
            one.id: one.record
            for one in scenario.records
            if not one.elsewhere
            and one.record is not None
            and inquiry.policy_of(one.record) is not None
        }
        judged = {one.record: one for one in _apply(rules, inquiry, list(readable.values()))}
        decisions = [judged.get(one.id) or _without(one, MALFORMED) for one in scenario.records]
    question = scenario.question
    if question is not None and question.known_at is not None:
        return tuple(msgspec.structs.replace(one, simulation=True) for one in decisions)
    return tuple(decisions)


def _without(listed: Listed, reasons: tuple[Reason, ...]) -> Decision:
    """Hidden; of another household, or not yet recorded, without a reason."""
    return Decision(record=listed.id, reasons=() if listed.elsewhere else reasons)


def is_blocked(scenario: Scenario) -> bool:
    """Whether a block in force names who asks, in whatever way; an unreadable one does (C8)."""
    inquiry = inquiry_of(scenario)
    return inquiry is None or limiting.blocks_naming(inquiry) != ([], [])


def is_shielded(scenario: Scenario) -> bool:
    """Whether a shield in force does not allow who asks; an unreadable one allows nobody (C7)."""
    inquiry = inquiry_of(scenario)
    unreadable = bool(scenario.shields.unreadable)
    return inquiry is None or unreadable or bool(limiting.shields_against(inquiry))


class _Heard(Struct, frozen=True, kw_only=True):
    """What the rules say of one record, and of all that they treat alike."""

    visible: tuple[str, ...]
    withheld_fields: tuple[str, ...]
    reasons: tuple[Reason, ...]
    refused: frozenset[str]
    opened: bool
    """C3 after C4, C5 or C6 permits its attendance."""
    shielded: bool


def _apply(rules: Rules, inquiry: Inquiry, records: Sequence[Record]) -> Iterable[Decision]:
    failed: set[str] = set()
    groups = _hear(rules, inquiry, records, failed)
    opened = sum(one.opened * len(group) for group, one in groups)
    told = tuple(sorted(failed))
    for group, one in groups:
        record = group[0]
        masked = not one.visible and _is_masked(
            rules.masking,
            masking.NotShown(
                inquiry=inquiry,
                record=record,
                refused=one.refused,
                another_is_permitted=opened > one.opened,
            ),
        )
        for each in group:
            yield Decision(
                record=each.id,
                outcome="shown" if one.visible else "masked" if masked else "hidden",
                visible=one.visible,
                withheld_fields=one.withheld_fields,
                reasons=one.reasons,
                office=each.office if masked else None,
                failed=told,
                shielded=one.shielded,
            )


def _hear(
    rules: Rules, inquiry: Inquiry, records: Sequence[Record], failed: set[str]
) -> list[tuple[list[Record], _Heard]]:
    """Records that every rule treats alike, with what the rules say of each of them."""
    permitting = [_guard(rule, make, inquiry, (), failed) for rule, make in rules.permitting]
    refusing = [
        _guard(rule, make, inquiry, (Limit(rule, UNREADABLE),), failed)
        for rule, make in rules.refusing
    ]
    limiting = [
        _guard(rule, make, inquiry, (Limit(rule, UNREADABLE, CATEGORIES, ALL_FIELDS),), failed)
        for rule, make in rules.limiting
    ]
    edges = _edges(inquiry)
    alike: dict[object, list[Record]] = {}
    for record in records:
        alike.setdefault(_what_rules_look_at(record, edges), []).append(record)
    heard = []
    for group in alike.values():
        record = group[0]
        permits = [permit for rule in permitting for permit in rule(record)]
        refusals = [refusal for rule in refusing for refusal in rule(record)]
        limits = [limit for rule in limiting for limit in rule(record, permits)]
        weighed = weigh(permits, refusals, limits, prerequisite=rules.prerequisite)
        heard.append((group, _heard(weighed, permits, refusals)))
    return heard


def _heard(weighed: Weighed, permits: Sequence[Permit], refusals: Sequence[Limit]) -> _Heard:
    refused = frozenset[str]().union(*(refusal.categories for refusal in refusals))
    return _Heard(
        visible=tuple(sorted(weighed.visible)),
        withheld_fields=tuple(sorted(weighed.withheld_fields)),
        reasons=tuple(sorted(weighed.reasons)),
        refused=refused,
        opened=any(
            permit.rule in _MASKING_RULES
            and ATTENDANCE in permit.categories
            and not (permit.rule == "C3" and ATTENDANCE in refused)
            for permit in permits
        ),
        shielded=weighed.shielded,
    )


def _edges(inquiry: Inquiry) -> list[dt.date]:
    """The days on which the data of some directive starts or ends."""
    spans = [directive.data for directive in inquiry.scenario.directives.facts()]
    ends = {span.until for span in spans if span.until is not None}
    return sorted(ends | {span.from_ for span in spans})


def _what_rules_look_at(record: Record, edges: Sequence[dt.date]) -> object:
    """Equal for records that every rule treats alike: dates matter only by the edges they pass."""
    return (
        record.program,
        record.office,
        record.commissioner,
        record.registration,
        bisect_right(edges, record.date),
    )


def _guard(
    rule: str,
    make: Callable[[Inquiry], Callable[P, Iterable[T]]],
    inquiry: Inquiry,
    otherwise: Sequence[T],
    failed: set[str],
) -> Callable[P, Sequence[T]]:
    """The rule made for this question; where it raises, it answers `otherwise`."""

    def guarded(*about: P.args, **more: P.kwargs) -> Sequence[T]:
        try:
            return tuple(apply(*about, **more))
        except Exception:  # noqa: BLE001 -- C10: a rule that raises must not show more
            failed.add(rule)
            return otherwise

    try:
        apply = make(inquiry)
    except Exception:  # noqa: BLE001 -- the same, before the first record
        failed.add(rule)
        return lambda *_, **__: otherwise
    return guarded


def _is_masked(conditions: Iterable[masking.Condition], case: masking.NotShown) -> bool:
    try:
        return all(condition(case) for condition in conditions)
    except Exception:  # noqa: BLE001 -- C10: what cannot be judged is not even named
        return False
