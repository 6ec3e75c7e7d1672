"""D7 (Mitaka): whatever happens to its records, a family loses no protection. The pure rules."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

import pytest
from experiments.carried import EVERY_STEP, IN_FORCE, Rules, lost

from visitsync.service import carrying
from visitsync.service.carrying import Doubts, Said

ROUND: Final = 500


@pytest.mark.long
def test_d7_no_protection_is_lost_in_100_000_sequences() -> None:
    """As many as `HAND_OVERS` says; 100,000 take some minutes on two cores."""
    rounds = int(os.environ.get("HAND_OVERS", "1000")) // ROUND
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        answers = list(pool.map(lost, range(0, rounds * ROUND, ROUND), [ROUND] * rounds))
    done = sum((one for _, one in answers), Counter[str]())

    assert len(answers) == rounds >= 1
    assert [seed for found, _ in answers for seed in found] == []
    assert done.keys() == EVERY_STEP


def _not_in_doubt(_: Iterable[Said], __: Iterable[Said]) -> list[Said]:
    return []


def _without_refusals(whole: Iterable[Said]) -> list[Said]:
    return [one for one in carrying.for_half(whole) if one.kind != "directive"]


def _only_refusals(whole: Iterable[Said]) -> list[Said]:
    return [one for one in carrying.for_half(whole) if one.kind == "directive"]


def _reaches_nobody(_: Doubts, __: str) -> set[str]:
    return set()


def _only_the_nearest(doubts: Doubts, household: str) -> set[str]:
    return {one.home for one in doubts.waiting if household in one.candidates} - {household}


def _moved_is_forgotten(doubts: Doubts, household: str) -> set[str]:
    return doubts._replace(moves=()).reached(household)


CONTROLS: Final = {
    "a household in doubt begins unprotected": IN_FORCE._replace(in_doubt=_not_in_doubt),
    "a half begins without refusals": IN_FORCE._replace(for_half=_without_refusals),
    "a half begins without shields and blocks": IN_FORCE._replace(for_half=_only_refusals),
    "what is begun later reaches nobody": IN_FORCE._replace(reached=_reaches_nobody),
    "what is begun later reaches the nearest only": IN_FORCE._replace(reached=_only_the_nearest),
    "what was moved is forgotten": IN_FORCE._replace(reached=_moved_is_forgotten),
    "candidates of candidates are forgotten": IN_FORCE._replace(may_belong_to=_reaches_nobody),
}


@pytest.mark.parametrize("rules", CONTROLS.values(), ids=CONTROLS)
def test_d7_control_without_one_of_the_rules_protections_are_lost(rules: Rules) -> None:
    assert lost(0, 300, rules)[0]
