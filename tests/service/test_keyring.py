"""Data keys leave memory after a while, and none is taken from memory that was never stored."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from build import SECOND_OFFICE, a_visit, applied, handed_in, home_of, of_second_office

from visitsync.envelope import MasterKeys, new_data_key
from visitsync.service import context as opening
from visitsync.service.context import Context, open_context
from visitsync.service.keyring import RECORDS, Keyring, Place
from visitsync.settings import Settings

PLACE: Place = ("h-1", "multiples", RECORDS)
QUARTER = 15 * 60.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("visitsync.service.keyring.time.monotonic", made)
    return made


@pytest.fixture
def keyring(tmp_path: Path, clock: Clock) -> Keyring:
    assert clock.now
    return Keyring(MasterKeys.create(tmp_path / "keys"), "tenant")


def opened(keyring: Keyring, key: bytes) -> None:
    assert keyring.opened([keyring.row(PLACE, key, 1)])[PLACE].newest == key


def test_a_key_is_used_from_memory_for_a_quarter_of_an_hour(keyring: Keyring, clock: Clock) -> None:
    key = new_data_key()
    opened(keyring, key)

    clock.now += QUARTER - 1
    kept = keyring.kept({PLACE: ()})
    assert kept is not None, "control: until then it is there"
    assert kept[PLACE].newest == key
    clock.now += 1
    assert keyring.kept({PLACE: ()}) is None


def test_using_a_key_does_not_keep_it_for_longer(keyring: Keyring, clock: Clock) -> None:
    opened(keyring, new_data_key())
    for _ in range(15):
        clock.now += 60
        keyring.kept({PLACE: ()})
    assert keyring.kept({PLACE: ()}) is None


def test_a_key_that_nobody_asks_for_leaves_memory_too(keyring: Keyring, clock: Clock) -> None:
    key = new_data_key()
    opened(keyring, key)
    clock.now += QUARTER - 1
    keyring.forget_old()
    assert holds(keyring, key)
    clock.now += 1
    keyring.forget_old()
    assert not holds(keyring, key)


def test_a_key_is_not_remembered_before_it_is_stored(keyring: Keyring) -> None:
    """The transaction may be undone, and somebody else make the key that stays."""
    keyring.row(PLACE, new_data_key(), 1)
    assert keyring.kept({PLACE: ()}) is None


async def test_a_running_service_forgets_by_itself(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_FORGET_SECONDS", 0.01)
    async with open_context(settings) as context:
        key = new_data_key()
        opened(context.keyring, key)
        await asyncio.sleep(0.05)
        assert holds(context.keyring, key)
        monkeypatch.setattr("visitsync.service.keyring._LONGEST", 0.0)
        opened(context.keyring, key)
        context.keyring.forget("h-1")
        opened(context.keyring, key)
        for _ in range(100):
            await asyncio.sleep(0.01)
            if not holds(context.keyring, key):
                return
    pytest.fail("it is still there")


def holds(keyring: Keyring, key: bytes) -> bool:
    known = keyring._opened._kept.values()  # noqa: SLF001
    return any(one == key for kept in known for _, one in kept.keys.values())


async def test_a_key_of_a_submission_that_was_only_tried_is_not_taken_for_stored(
    context: Context, settings: Settings
) -> None:
    """Another process makes the key that is stored; what this one tried must not stay."""
    await applied(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE, dry_run=True)
    place = (home, "household_support", RECORDS)
    assert context.keyring.kept({place: ()}) is None
    async with open_context(settings) as other:
        await handed_in(other, [of_second_office(1)], SECOND_OFFICE)
    assert context.keyring.kept({place: ()}) is None
