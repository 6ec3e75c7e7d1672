"""F26: from many seeds, all that can happen to the log or be done to it, in any order."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any, Final

import pytest
from experiments.simulated import EVERY_STEP, Broken, Simulation, in_memory

from visitsync.audit import Frontier
from visitsync.service.logbook import Logbook
from visitsync.service.sealed_head import HeadSeal
from visitsync.service.signing import Signing
from visitsync.signer import Signed, state
from visitsync.signer import signing as signers
from visitsync.store.access_log import Head

SEEDS: Final = int(os.environ.get("SIMULATED_LOGS", "300"))
"""At night 100,000."""
FEW: Final = 150


@pytest.fixture(autouse=True)
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory(monkeypatch)


def first_broken(seeds: int) -> str | None:
    """What does not hold with the first of so many seeds with which something does not."""
    for seed in range(seeds):
        try:
            Simulation(seed).run()
        except Broken as error:
            return f"{seed}: {error}"
    return None


def test_f26_whatever_happens_raises_no_alarm_and_whatever_is_done_to_it_is_noticed() -> None:
    done: Counter[str] = Counter()
    for seed in range(SEEDS):
        one = Simulation(seed)
        one.run()
        done += one.done
    print(dict(done))
    assert set(done) == EVERY_STEP


def test_f26_the_same_seed_gives_the_same_bytes() -> None:
    assert [Simulation(seed).run() for seed in range(10)] == [
        Simulation(seed).run() for seed in range(10)
    ]


def _nothing(*_: Any) -> None:
    """Check nothing."""


def no_seal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HeadSeal, "check", _nothing)


def nothing_seen(patch: pytest.MonkeyPatch) -> None:
    check = Logbook.check

    def forgetful(log: Logbook, head: Head) -> None:
        known, log._seen = log._seen, ("", 0)  # noqa: SLF001 -- what the control takes away
        check(log, head)
        log._seen = known  # noqa: SLF001

    patch.setattr(Logbook, "check", forgetful)


def roots_believed(patch: pytest.MonkeyPatch) -> None:
    class Agreeing(Frontier):
        def root(self) -> Any:
            made = super().root()
            return type("Root", (bytes,), {"__ne__": lambda *_: False, "__hash__": bytes.__hash__})(
                made
            )

    patch.setattr(signers, "Frontier", Agreeing)
    patch.setattr(Signing, "_check", _nothing)


def no_checksum(patch: pytest.MonkeyPatch) -> None:
    decoded = state._decoded  # noqa: SLF001 -- what the control takes away
    last: list[Signed] = []

    def lenient(data: bytes) -> Signed | None:
        found = decoded(data)
        if found is not None:
            last[:] = [found]
        return found or next(iter(last), None)

    patch.setattr(state, "_decoded", lenient)


def no_verifier(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Simulation, "_verdict", lambda _: 0)


@pytest.mark.parametrize("guard", [no_seal, nothing_seen, roots_believed, no_checksum, no_verifier])
def test_f26_control_without_one_guard_something_is_not_noticed(
    guard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard(monkeypatch)
    found = first_broken(FEW)
    print(found)
    assert found is not None
