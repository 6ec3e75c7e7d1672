"""What a problem's code says in Japanese and English: who must do what. Never what a cell said."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from visitsync.schema.reading import Problem
from visitsync.schema.silent import Struct

Language: TypeAlias = Literal["ja", "en"]


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in each language."""

    ja: str
    en: str


def sentence(problem: Problem, language: Language) -> str:
    """The sentence for a problem's code.

    >>> sentence(Problem(file="f", row=3, level="reject", code="bad_time", column="開始"), "en")
    'The office must write this time as a time of day that exists and that its layout allows.'
    """
    words = PROBLEMS[problem.code]
    return words.ja if language == "ja" else words.en


def _load() -> Mapping[str, Words]:
    text = resources.files(__package__).joinpath("problems.toml").read_text(encoding="utf-8")
    return MappingProxyType(msgspec.convert(tomllib.loads(text), dict[str, Words]))


PROBLEMS: Final = _load()
"""By problem code, in the order of ``problems.toml``."""
