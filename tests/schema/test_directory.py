"""The directory file: strict, and every name it uses is defined in it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from visitsync.errors import DirectoryError
from visitsync.schema.directory import Directory, parse

SHIOMI = Path("visitsync/shiomi/directory.toml")


@pytest.fixture(scope="module")
def text() -> str:
    return SHIOMI.read_text(encoding="utf-8")


def test_the_sample_directory_is_read(text: str) -> None:
    directory: Directory = parse(text)
    office = directory.office_by_id("shiomi-ph-00")
    assert office is not None
    assert directory.commissioner_of(office) == "shiomi-city"
    assert office.under_contract(dt.date(2026, 3, 31))
    assert not office.under_contract(dt.date(2026, 4, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('role = "auditor"', 'role = "spy"'),
        ('agency = "nagisa"', 'agency = "nobody"'),
        ('office = "shiomi-sp-01"', 'office = "nowhere"'),
        ('id = "u19"', 'id = "u18"'),
        ('id = "shiomi-ph-00"', 'id = "shiomi-ph-01"'),
        ("in_council = true", "in_counsel = true"),
        ("[municipality]", "[municipality"),
        ("contract_from = 2026-04-01", 'contract_from = "soon"'),
    ],
)
def test_a_directory_that_contradicts_itself_is_refused(text: str, old: str, new: str) -> None:
    assert old in text
    with pytest.raises(DirectoryError):
        parse(text.replace(old, new, 1))
