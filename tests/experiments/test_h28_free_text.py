"""H28: notes that tell where a protected family is do not reach whom a shield limits.

Three sets of notes, each by other hands: the first was there when the words were chosen; of the
second 81 of 102 were found at the first try, and the words were widened by kinds, not by names; the
third was written after that, and nothing was changed for what it tells (35 of 40).
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
}
AT_LEAST, UNSEEN_AT_LEAST, AT_MOST_FALSE = 0.95, 0.85, 0.05


def notes(kind: str, which: str) -> list[str]:
    found = (NOTES / f"{kind}{which}.txt").read_text(encoding="utf-8").splitlines()
    assert len(found) == len(set(found)) == SIZES[which][kind == "ordinary"]
    return found


@pytest.mark.parametrize("which", ["", "-held-out"])
def test_h28_95_percent_of_notes_that_tell_a_place_are_found(which: str) -> None:
    told = notes("locating", which)
    assert sum(map(tells_where, told)) >= AT_LEAST * len(told)


def test_h28_of_notes_nothing_was_fitted_to_85_percent_are_found() -> None:
    """Less than the 95 that are asked for: what a scan of words can do alone."""
    told = notes("locating", "-second-held-out")
    assert sum(map(tells_where, told)) >= UNSEEN_AT_LEAST * len(told)


@pytest.mark.parametrize("which", SIZES)
def test_h28_5_percent_of_ordinary_notes_at_most_are_taken_for_one(which: str) -> None:
    told = notes("ordinary", which)
    assert sum(map(tells_where, told)) <= AT_MOST_FALSE * len(told)


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
    every = [one for which in ("", "-held-out") for one in notes("locating", which)]
    before = sum(map(tells_where, every))
    left: dict[str, Any] = {
        name: finds
        for name, finds in locators._FINDERS.items()  # noqa: SLF001 -- the same
        if name != kind
    }
    monkeypatch.setattr(locators, "_FINDERS", left)
    assert sum(map(tells_where, every)) < before
