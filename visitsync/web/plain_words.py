"""A look at a household in words that a family can read, in Japanese or English."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Final, NamedTuple

from visitsync.schema.silent import silent
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.accesses import Access
from visitsync.web.language import Language

_WORDS: Final[Mapping[str, Any]] = tomllib.loads(
    resources.files(__package__).joinpath("plain_words.toml").read_text(encoding="utf-8")
)
_BY_LAW: Final = "C5"


@silent
class Told(NamedTuple):
    """What is said of one look, part by part and as one sentence."""

    who: str
    why: str
    seen: tuple[str, ...]
    basis: tuple[str, ...]
    said: str


def told(one: Access, language: Language) -> Told:
    """A look in plain words."""
    who = _who(one, language)
    why = _of("purpose", one.purpose, language)
    seen = tuple(VOCABULARY.categories[each][language] for each in one.categories)
    basis = tuple(dict.fromkeys(_basis(rule, ref, language) for rule, ref in one.bases))
    said = _of("sentence", "said", language).format(
        day=one.at.astimezone(JST).date().isoformat(),
        who=who,
        why=why,
        did=_of("kind", one.kind, language),
        seen=_joined(seen, language) or _of("sentence", "nothing", language),
        basis=_joined(basis, language) or _of("sentence", "unknown", language),
    )
    return Told(who, why, seen, basis, said)


def _who(one: Access, language: Language) -> str:
    roles = [VOCABULARY.roles[each][language] for each in one.roles if each in VOCABULARY.roles]
    if not one.agency or not roles:
        return one.agency or _of("sentence", "somebody", language)
    at = _joined(one.offices, language) or one.agency
    return _of("sentence", "role", language).format(agency=at, role=_joined(roles, language))


def _basis(rule: str, ref: str, language: Language) -> str:
    # Of a law the ref is the case or invocation, then the article.
    law = ref.rpartition(":")[2] if rule == _BY_LAW else ""
    return _of("rule", rule, language).format(ref=ref, law=law)


def _joined(parts: Iterable[str], language: Language) -> str:
    return _of("sentence", "comma", language).join(parts)


def _of(table: str, code: str, language: Language) -> str:
    words = _WORDS[table].get(code)
    return code if words is None else str(words[language])
