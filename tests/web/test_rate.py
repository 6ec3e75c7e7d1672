"""How often one client may ask."""

from __future__ import annotations

from visitsync.web.rate import Rate


def test_burst_passes_and_the_next_waits() -> None:
    rate = Rate(per_minute=60, burst=3)

    waits = [rate.wait("a", now=100.0) for _ in range(4)]

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3] == 1.0


def test_one_key_does_not_hold_back_another() -> None:
    rate = Rate(per_minute=60, burst=1)
    rate.wait("a", now=100.0)

    assert rate.wait("a", now=100.0) > 0
    assert rate.wait("b", now=100.0) == 0.0


def test_waiting_restores_the_right_to_act() -> None:
    rate = Rate(per_minute=60, burst=1)
    rate.wait("a", now=100.0)

    assert rate.wait("a", now=100.9) > 0
    assert rate.wait("a", now=101.0) == 0.0


def test_keys_no_longer_held_back_are_forgotten() -> None:
    rate = Rate(per_minute=60, burst=1)
    for number in range(10_050):
        rate.wait(str(number), now=float(number))

    assert len(rate._due) < 10_050  # noqa: SLF001 -- its memory is what is tested
