"""What the desk reads for a piece of evidence, in Japanese and English."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final, TypeAlias

Words: TypeAlias = Mapping[str, str]
"""By language, ``ja`` and ``en``."""


def _load() -> tuple[Mapping[str, Words], ...]:
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return tuple(
        MappingProxyType({code: MappingProxyType(words) for code, words in raw[table].items()})
        for table in ("kind", "strength", "code")
    )


KINDS, STRENGTHS, CODES = _load()
LANGUAGES: Final = ("ja", "en")
