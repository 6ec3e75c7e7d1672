"""What goes along and what is taken over, case by case; by the thousand in ``experiments``."""

from __future__ import annotations

import json

import pytest
from experiments.carried import a_flag
from reference.protection_reference import Flag

from visitsync.service.carrying import (
    Doubts,
    Move,
    Said,
    Waiting,
    for_half,
    for_household_in_doubt,
)

SHIELD, BLOCK, REFUSAL = (a_flag(Flag(kind, kind)) for kind in ("shield", "block", "directive"))


def changed(said: Said, **members: object) -> Said:
    return Said(said.kind, json.dumps({**json.loads(said.body), **members}))


CONSENT = changed(
    REFUSAL,
    effect="permit",
    sources=["program:multiples"],
    recipients=["agency:city"],
    purposes=["care_coordination"],
    categories=["attendance"],
)


def test_a_refusal_counts_for_the_half_as_for_the_whole_and_a_consent_does_not_go_along() -> None:
    (refusal,) = for_half([REFUSAL, CONSENT])
    assert json.loads(refusal.body) == {**json.loads(REFUSAL.body), "registrations": "household"}


@pytest.mark.parametrize(
    "said",
    [
        changed(CONSENT, effect="maybe"),
        changed(CONSENT, sources="*"),
        changed(CONSENT, valid=None),
        changed(REFUSAL, categories=[]),
        Said("directive", "[]"),
        Said("directive", "null"),
        Said("shield", "{}"),
        changed(SHIELD, closed_at="yesterday"),
        changed(SHIELD, closed_at="2026-06-01T00:00:00Z"),
        Said("block", "[]"),
    ],
    ids=lambda said: said.body[:60],
)
def test_what_cannot_be_read_goes_along_word_for_word(said: Said) -> None:
    """It protects more than what can be read; whether it has ended is for the rules to say."""
    assert for_half([said]) == [said]


def test_in_doubt_shields_and_blocks_are_taken_over_once_and_nothing_else() -> None:
    others = [SHIELD, REFUSAL, BLOCK, SHIELD, CONSENT]
    assert for_household_in_doubt([BLOCK], others) == [SHIELD]
    assert for_household_in_doubt([], others) == [SHIELD, BLOCK]


def test_doubts_lead_on_and_follow_what_is_moved() -> None:
    doubts = Doubts([Waiting("x", {"a"}), Waiting("y", {"x"})], [Move("a", "a2"), Move("x", "x2")])
    assert doubts.may_belong_to("y") == {"x", "x2", "a", "a2"}
    assert doubts.may_belong_to("x2") == {"a", "a2"}
    assert doubts.may_belong_to("a") == set()
    assert doubts.reached("a2") == {"x", "x2", "y"}
    assert doubts.reached("x") == {"y"}
    assert doubts.reached("y") == set()


def test_a_household_that_may_belong_to_itself_in_a_circle_ends() -> None:
    doubts = Doubts([Waiting("x", {"y"}), Waiting("y", {"x"})], [])
    assert doubts.may_belong_to("x") == {"y"}
    assert doubts.reached("x") == {"y"}
