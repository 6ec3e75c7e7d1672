"""Rules of retention: strict, effective-dated, and never guessing."""

from __future__ import annotations

import datetime as dt
from typing import Final

import pytest

from visitsync.errors import RetentionError
from visitsync.retention import Kept, due_from, log_due_from, read, shipped

TEXT: Final = """
[[records]]
programs = ["multiples"]
from = 2020-04-01
years = 5
counted_from = "last_visit"
source = "filing rules"
[[records]]
programs = ["multiples"]
from = 2030-04-01
years = 10
counted_from = "last_visit"
source = "filing rules, amended"
[[records]]
programs = ["household_support"]
from = 2020-04-01
years = 5
counted_from = "fiscal_year_of_last_visit"
until_child_is = 25
source = "filing rules"
[log]
years = 7
source = "filing rules"
[[ground]]
id = "retention_ended"
announce_days = 30
log = "by_rule"
ja = "満了"
en = "ended"
"""
RULES: Final = read(TEXT)
TODAY: Final = dt.date(2026, 11, 25)
LAST: Final = dt.date(2026, 4, 2)


@pytest.mark.parametrize(
    ("kept", "due"),
    [
        (Kept({"multiples": LAST}, None), dt.date(2031, 4, 3)),
        (Kept({"multiples": dt.date(2024, 2, 29)}, None), dt.date(2029, 3, 2)),
        # The fiscal year of the visit ends on 31 March 2027; the child is 25 long after.
        (Kept({"household_support": LAST}, dt.date(1990, 1, 1)), dt.date(2032, 4, 1)),
        (Kept({"household_support": LAST}, dt.date(2020, 1, 5)), dt.date(2045, 1, 6)),
        (Kept({"multiples": LAST, "household_support": LAST}, LAST), dt.date(2051, 4, 3)),
        # What is not known keeps everything.
        (Kept({"household_support": LAST}, None), None),
        (Kept({"multiples": LAST, "household_support": LAST}, None), None),
        (Kept({"multiples": LAST, "nurturing_support": LAST}, LAST), None),
        (Kept({}, LAST), None),
    ],
)
def test_from_which_day_on_a_household_may_go(kept: Kept, due: dt.date | None) -> None:
    assert due_from(RULES, kept, TODAY) == due


def test_a_rule_holds_from_its_day_on() -> None:
    kept = Kept({"multiples": LAST}, None)
    assert due_from(RULES, kept, dt.date(2020, 3, 31)) is None
    assert due_from(RULES, kept, dt.date(2030, 3, 31)) == dt.date(2031, 4, 3)
    assert due_from(RULES, kept, dt.date(2030, 4, 1)) == dt.date(2036, 4, 3)


def test_the_log_is_kept_seven_years_from_its_newest_entry() -> None:
    assert log_due_from(RULES.log, dt.date(2026, 11, 25)) == dt.date(2033, 11, 26)
    assert shipped().log.years == 7


def test_what_is_shipped_guesses_no_period() -> None:
    rules = shipped()
    programs = {program for one in rules.records for program in one.programs}
    assert len(programs) == 5
    for program in programs:
        assert due_from(rules, Kept({program: LAST}, LAST), dt.date(2100, 1, 1)) is None
    assert rules.grounds["retention_ended"].announce_days == 30


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("years = 5", "years = 0"),
        ("years = 5", "years = '5'"),
        ("from = 2030-04-01", "from = 2020-04-01"),
        ('"household_support"', '"tennis"'),
        ("announce_days = 30", "announce_days = 6"),
        ('log = "by_rule"', 'log = "with_records"'),
        ('id = "retention_ended"', 'id = "other"'),
        ("until_child_is", "until_the_child_is"),
        ("[log]", "[logs]"),
        ("[log]", "[log"),
    ],
)
def test_what_contradicts_itself_is_refused_as_a_whole(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(RetentionError) as raised:
        read(TEXT.replace(old, new))
    assert "tennis" not in str(raised.value)
