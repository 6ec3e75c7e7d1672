"""The codes that every part shares, read once from ``vocabulary.toml``.

That file is the one source: the codes here, the API's schema and the tables in the docs come from
it. A code is never renamed once released.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from visitsync.schema.silent import silent

Words: TypeAlias = Mapping[str, str]
"""What people read for a code, by language (``ja``, ``en``), with its ``law`` where it has one."""


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Each mapping goes from a code to its words, in the order of the file."""

    programs: Mapping[str, Words]
    outcomes: Mapping[str, Words]
    bases: Mapping[str, Words]
    places: Mapping[str, Words]
    person_roles: Mapping[str, Words]
    categories: Mapping[str, Words]
    purposes: Mapping[str, Words]
    units: Mapping[str, Words]
    fee_classes: Mapping[str, Words]
    services: Mapping[str, Words]
    roles: Mapping[str, Words]
    purposes_of_role: Mapping[str, frozenset[str]]
    fields_of_category: Mapping[str, tuple[str, ...]]

    def category_of(self, field: str) -> str:
        """The one category that a canonical field belongs to.

        >>> VOCABULARY.category_of("persons[].address")
        'contact'
        """
        for category, fields in self.fields_of_category.items():
            if field in fields:
                return category
        raise KeyError(field)


def _load() -> Vocabulary:
    text = resources.files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    services = {
        f"{group}.{code}": words
        for group, codes in raw["service"].items()
        for code, words in codes.items()
    }
    return Vocabulary(
        programs=_words(raw["program"]),
        outcomes=_words(raw["outcome"]),
        bases=_words(raw["basis"]),
        places=_words(raw["place"]),
        person_roles=_words(raw["person_role"]),
        categories=_words(raw["category"]),
        purposes=_words(raw["purpose"]),
        units=_words(raw["unit"]),
        fee_classes=_words(raw["fee_class"]),
        services=_words(services),
        roles=_words(raw["role"]),
        purposes_of_role=MappingProxyType(
            {role: frozenset(words["purposes"]) for role, words in raw["role"].items()}
        ),
        fields_of_category=MappingProxyType(
            {category: tuple(fields) for category, fields in raw["field"].items()}
        ),
    )


def _words(table: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Words]:
    return MappingProxyType(
        {
            code: MappingProxyType({k: v for k, v in words.items() if isinstance(v, str)})
            for code, words in table.items()
        }
    )


VOCABULARY: Final = _load()
