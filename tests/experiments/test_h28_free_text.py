"""H28: notes that tell where a protected family is do not reach whom a shield limits.

Every set was written before the scan was widened to find it; then it was widened by kinds, not by
names. These hold what it finds of all of them now. What each gave at its first try, when nothing
had been fitted to it, no run can measure again: it stands in ``docs/checks.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from visitsync.consent import Decision, locators, release
from visitsync.consent.locators import tells_where
from visitsync.consent.withholding import WITHHELD_TEXT

NOTES: Final = Path("tests/consent/notes")
SIZES: Final[Mapping[str, tuple[int, int]]] = {
    "": (200, 200),
    "-held-out": (102, 100),
    "-second-held-out": (40, 40),
    "-six-voices": (60, 60),
    "-six-voices-held-out": (60, 60),
    "-diary-and-soap": (60, 60),
    "-letter-and-dictation": (60, 60),
    "-time-log-and-playgroup": (60, 60),
    "-helper-and-desk": (60, 60),
}
"""How many notes of each set tell a place, and how many are ordinary."""

AT_LEAST, AT_MOST_FALSE = 0.95, 0.05
UNSEEN_AT_LEAST, UNSEEN_AT_MOST_FALSE = 0.7, 0.1
PHRASES_AT_LEAST: Final = 0.9


def notes(kind: str, which: str) -> list[str]:
    found = (NOTES / f"{kind}{which}.txt").read_text(encoding="utf-8").splitlines()
    assert len(found) == len(set(found)) == SIZES.get(which, (100, 100))[kind == "ordinary"]
    return found


def phrases(kind: str) -> list[str]:
    return (NOTES / f"{kind}-phrases.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("which", SIZES)
def test_h28_95_percent_of_notes_that_tell_a_place_are_found(which: str) -> None:
    told = notes("locating", which)
    assert sum(map(tells_where, told)) >= AT_LEAST * len(told)


@pytest.mark.parametrize("which", SIZES)
def test_h28_5_percent_of_ordinary_notes_at_most_are_taken_for_one(which: str) -> None:
    told = notes("ordinary", which)
    assert sum(map(tells_where, told)) <= AT_MOST_FALSE * len(told)


def test_h28_of_notes_that_nothing_was_fitted_to_seven_of_ten_are_found() -> None:
    """Less than H28 asks for: what a scan can do. A shield withholds all notes by default."""
    telling, ordinary = notes("locating", "-unseen"), notes("ordinary", "-unseen")
    assert sum(map(tells_where, telling)) >= UNSEEN_AT_LEAST * len(telling)
    assert sum(map(tells_where, ordinary)) <= UNSEEN_AT_MOST_FALSE * len(ordinary)


def test_h28_ways_to_name_a_place_in_few_words_and_words_that_only_look_so() -> None:
    """Short phrases, one for each way; some name a place only to who knows the town."""
    telling, ordinary = phrases("locating"), phrases("ordinary")
    assert sum(map(tells_where, telling)) >= PHRASES_AT_LEAST * len(telling)
    assert sum(map(tells_where, ordinary)) <= AT_MOST_FALSE * len(ordinary)


def test_h28_what_is_found_does_not_come_out_of_the_release() -> None:
    line = '{"notes":{"notes":"%s"}}'
    shown = Decision(record="r", outcome="shown", visible=("notes",), shielded=True)
    for told in notes("locating", ""):
        report = _report(told)
        (visit,) = release([shown], {"r": report}).shown
        wanted = WITHHELD_TEXT if tells_where(told) else told
        assert visit.line.decode() == line % wanted


def _report(note: str) -> bytes:
    return f'{{"place":"home","notes":{{"notes":"{note}"}}}}'.encode()


@pytest.mark.parametrize("kind", sorted(locators._FINDERS))  # noqa: SLF001 -- to take one away
def test_h28_control_without_any_one_kind_notes_get_through(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [one for which in SIZES for one in notes("locating", which)] + phrases("locating")
    before = sum(map(tells_where, every))
    left: dict[str, Any] = {
        name: finds
        for name, finds in locators._FINDERS.items()  # noqa: SLF001 -- the same
        if name != kind
    }
    monkeypatch.setattr(locators, "_FINDERS", left)
    assert sum(map(tells_where, every)) < before
