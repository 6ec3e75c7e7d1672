"""Telling the story: headings, sentences and tables, in one language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Final

from rich.console import Console
from rich.text import Text

from visitsync.cli.terminal import output
from visitsync.web.language import Language

WORDS: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
)


class Narrator:
    """Says what happens, on a console."""

    def __init__(self, console: Console, language: Language) -> None:
        self.console = console
        self.language: Language = language

    def word(self, key: str, **facts: object) -> str:
        """A sentence with its facts."""
        return WORDS[key][self.language].format(**facts)

    def chapter(self, key: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.print(Text(f"■ {self.word(key)}", "bold cyan"))

    def say(self, key: str, **facts: object) -> None:
        """Say a sentence."""
        self.print(Text(self.word(key, **facts)))

    def print(self, text: Text) -> None:
        """Print a paragraph; Japanese may break anywhere, which the terminal does better."""
        self.console.print(text, soft_wrap=self.language == "ja")

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[str]], *, figures: int = 0
    ) -> None:
        """Show a table; the heads are keys, and the last `figures` columns hold numbers."""
        words = [self.word(one) for one in heads]
        self.console.print(output.table(words, rows, figures=figures))
