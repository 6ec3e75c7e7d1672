"""What the laws can open, and what programs say of withheld records, where nothing is given."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final

import msgspec

from visitsync.consent.facts import CatalogueEntry, Policy
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY


class LegalBasis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article by which something can be seen without a consent, in words for people."""

    article: str
    standing: bool
    """Whether it holds by itself for who it names, or must be invoked each time."""
    categories: tuple[str, ...]
    ja: str
    en: str
    who_ja: str
    who_en: str


def _load() -> Mapping[str, LegalBasis]:
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return MappingProxyType(msgspec.convert(tomllib.loads(text), dict[str, LegalBasis]))


LEGAL_BASES: Final = _load()
"""By code, in the order of ``catalogue.toml``."""

DEFAULT_CATALOGUE: Final = tuple(
    CatalogueEntry(code=code, article=one.article, standing=one.standing, categories=one.categories)
    for code, one in LEGAL_BASES.items()
)

DEFAULT_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        program: Policy(
            withheld="hide" if program == "nurturing_support" else "mask", break_glass=True
        )
        for program in VOCABULARY.programs
    }
)
