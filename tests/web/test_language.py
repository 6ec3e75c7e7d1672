"""Which language a reader is answered in."""

from __future__ import annotations

import pytest

from visitsync.web.language import preferred
from visitsync.web.problems import WORDS


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "ja"),
        ("", "ja"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("fr", "ja"),
        ("en;q=0.2, ja;q=0.9", "ja"),
        ("ja;q=0.2, en;q=0.9", "en"),
        ("en;q=nonsense", "ja"),
        ("en;q=7", "ja"),
        ("*", "ja"),
        ("," * 5000 + "en", "ja"),
    ],
)
def test_preferred(header: str | None, language: str) -> None:
    assert preferred(header) == language


def test_every_problem_has_words_in_both_languages() -> None:
    for words in WORDS.values():
        assert set(words) == {"ja", "en"}
        assert all(one.title and one.detail for one in words.values())
