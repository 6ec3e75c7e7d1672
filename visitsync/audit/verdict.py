"""What a verifier says: findings by code, each with one sentence, and an exit status."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from visitsync.schema.silent import Struct

Language: TypeAlias = Literal["en", "ja"]
Level: TypeAlias = Literal["tampering", "undecided", "remark"]

GOOD: Final = 0
TAMPERED: Final = 1
UNDECIDED: Final = 2


def _load() -> Mapping[str, Mapping[str, str]]:
    text = resources.files(__package__).joinpath("findings.toml").read_text(encoding="utf-8")
    return MappingProxyType(tomllib.loads(text))


FINDINGS: Final = _load()
"""Level and sentences of every code, from ``findings.toml``."""


class Finding(Struct, frozen=True):
    """One thing that was found, without any content of an entry."""

    code: str
    facts: Mapping[str, int | str] = {}
    """``shard``, ``entry`` (its place from 0), ``size``, ``line`` … as the sentence needs them."""
    wording: str = ""
    """Which sentence, of a code that has several; for programs the code says enough."""

    @property
    def level(self) -> Level:
        """How much it weighs."""
        level: Level = msgspec.convert(FINDINGS[self.code]["level"], Level)
        return level

    def sentence(self, language: Language = "en") -> str:
        """What a person reads."""
        key = f"{language}_{self.wording}" if self.wording else language
        return FINDINGS[self.code][key].format(**self.facts)


class Verdict(Struct, frozen=True, kw_only=True):
    """The outcome of verifying a bundle."""

    findings: tuple[Finding, ...]
    entries: int = 0
    """How many entries were read."""
    notes: tuple[str, ...] = ()
    """The signed checkpoints: the older one first, if one was given. Two that contradict each
    other are the proof against whoever signed both."""

    @property
    def exit_code(self) -> int:
        """0 good, 1 tampered with, 2 cannot decide."""
        levels = {finding.level for finding in self.findings}
        if "tampering" in levels:
            return TAMPERED
        return UNDECIDED if "undecided" in levels else GOOD

    @property
    def first_bad(self) -> Finding | None:
        """The finding about the first bad entry, if an entry is known to be bad."""
        bad = (one for one in self.findings if one.level == "tampering" and "entry" in one.facts)
        return min(bad, key=lambda one: (one.facts["shard"], one.facts["entry"]), default=None)

    def codes(self) -> tuple[str, ...]:
        """What was found, in order."""
        return tuple(finding.code for finding in self.findings)

    def sentences(self, language: Language = "en") -> tuple[str, ...]:
        """What a person reads, in order."""
        return tuple(finding.sentence(language) for finding in self.findings)
