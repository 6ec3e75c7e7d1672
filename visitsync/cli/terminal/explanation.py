"""Who can see a household, and why, in a terminal: one row for each person and program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rich.console import Console
from rich.markup import escape

from visitsync.cli.terminal import output
from visitsync.schema.visit import JST
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.explanations import Explanation, Onlooker, Why
from visitsync.web.language import Language

_HEADS: Final[dict[Language, tuple[str, ...]]] = {
    "ja": ("だれが", "目的", "事業", "何を", "根拠"),
    "en": ("who", "purpose", "program", "what", "because of"),
}
_NOBODY: Final[dict[Language, str]] = {
    "ja": "だれにも、何も見えません。",
    "en": "Nobody can see anything.",
}
_THE_REST: Final[dict[Language, str]] = {
    "ja": "ここに載っていない人には、何も見えません。",
    "en": "Whoever is not listed sees nothing.",
}
_RULES: Final[dict[Language, dict[str, str]]] = {
    "ja": {
        "C1": "本人の事業所の記録",
        "C2": "委託元の事業担当",
        "C3": "同意 {ref}",
        "C5": "法令 {ref}",
        "C6": "緊急閲覧 {ref}",
    },
    "en": {
        "C1": "their own office's records",
        "C2": "their section commissions the program",
        "C3": "consent {ref}",
        "C5": "law {ref}",
        "C6": "emergency access {ref}",
    },
}
_THEN: Final[dict[Language, str]] = {"ja": "{at} の時点", "en": "As of {at}"}


def show(out: Console, found: Explanation, language: Language) -> None:
    """Print `found`."""
    if found.known_at is not None:
        at = found.known_at.astimezone(JST).strftime("%Y-%m-%d %H:%M")
        out.print(_THEN[language].format(at=at))
    if not found.people:
        out.print(_NOBODY[language])
        return
    rows = [row for one in found.people for row in _rows(one, language)]
    out.print(output.table(_HEADS[language], rows))
    out.print(escape(_THE_REST[language]), style="dim")


def _rows(one: Onlooker, language: Language) -> Iterator[tuple[str, ...]]:
    roles = " ".join(VOCABULARY.roles[role][language] for role in one.roles)
    who = f"{one.name or one.viewer}\n{one.agency} {roles}"
    purposes: dict[tuple[str, str, str], list[str]] = {}
    for sight in one.sights:
        for insight in sight.programs:
            program = VOCABULARY.programs[insight.program][language]
            same = purposes.setdefault((program, *_what(insight.why, language)), [])
            same.append(VOCABULARY.purposes[sight.purpose][language])
    for (program, what, why), stated in purposes.items():
        yield who, "\n".join(stated), program, what, why
        who = ""


def _what(why: Iterable[Why], language: Language) -> tuple[str, str]:
    listed = list(why)
    seen = {one.category for one in listed}
    what = [words[language] for name, words in VOCABULARY.categories.items() if name in seen]
    reasons = dict.fromkeys(_RULES[language][one.rule].format(ref=one.ref) for one in listed)
    return ("・" if language == "ja" else ", ").join(what), "\n".join(reasons)
