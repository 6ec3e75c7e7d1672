"""A head of the log for paper, and what somebody typed from it.

    visitsync head v1
    visitsync/shiomi/2026
    4711
    crazy doll … 24 words of the root (BIP-39) … and a check word
    ----

It carries no signature: whoever keeps the paper vouches for it. The 24 words check themselves; the
last word is made from all of the above, since a slip in the number of entries would look like a log
that was rewritten.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from mnemonic import Mnemonic

from visitsync.audit.checkpoint import Checkpoint, parse
from visitsync.errors import NotTyped

FIRST_LINE: Final = "visitsync head v1"
WORDS: Final = 25
"""24 of the root, and the check word."""

WordList: TypeAlias = Literal["en", "ja"]
_NAMES: Final[Mapping[WordList, str]] = MappingProxyType({"en": "english", "ja": "japanese"})
_PER_LINE: Final = 5
_HEAD: Final = re.compile(
    r"\s*visitsync\s+head\s+v1\s+(\S+)\s+([0-9][0-9,]{0,24})\s+(.*)", re.DOTALL
)
_WORD_BITS: Final = 11
_RULE: Final = "\n----"
"""What is printed below it is not read."""


def words_of(head: Checkpoint, language: WordList = "en") -> tuple[str, ...]:
    """The 24 words of the root, and the check word."""
    book = _book(language)
    listed = book.to_mnemonic(head.root).split(book.delimiter)
    return (*listed, book.wordlist[_check(head)])


def text_of(head: Checkpoint, language: WordList = "en") -> str:
    """A head as it is printed and typed."""
    words = words_of(head, language)
    lines = [" ".join(words[at : at + _PER_LINE]) for at in range(0, WORDS, _PER_LINE)]
    return "\n".join([FIRST_LINE, head.origin, str(head.size), *lines]) + f"{_RULE}\n"


def is_typed(text: str) -> bool:
    """Whether a file says that it is a head typed from paper, of whatever version."""
    return _plain(text).split()[:2] == FIRST_LINE.split()[:2]


def read_typed(text: str) -> Checkpoint:
    """The head that `text_of` would print, whatever the case, the spaces and the line breaks.

    Raises:
        NotTyped: it is not whole, or a word or a number in it is not the one that was printed.
        BadNote: an empty log has another root.
    """
    found = _HEAD.fullmatch(_plain(text.partition(_RULE)[0]))
    if found is None:
        raise NotTyped("this is no head as it was printed", reason="malformed")
    words = found[3].split()
    language = _language(words)
    book, known = _book(language), _places(language)
    for at, word in enumerate(words, 1):
        if word not in known:
            raise NotTyped("a word is not in the list", reason="word", at=at)
    if len(words) != WORDS:
        raise NotTyped("words are missing or too many", reason="count", at=len(words))
    places = [known[word] for word in words]
    try:
        root = bytes(book.to_entropy([book.wordlist[place] for place in places[:-1]]))
    except ValueError:
        raise NotTyped("one of the words is another", reason="words") from None
    head = Checkpoint(found[1], int(found[2].replace(",", "")), root)
    if _check(head) != places[-1]:
        raise NotTyped("the log, the number or the last word is another", reason="check")
    return parse(head.text())


def _check(head: Checkpoint) -> int:
    """The place in a list of the word that stands for the whole of a head."""
    digest = sha256(f"{FIRST_LINE}\n{head.text()}".encode()).digest()
    return int.from_bytes(digest[:2], "big") >> (16 - _WORD_BITS)


def _language(words: Sequence[str]) -> WordList:
    """The list that more of the words stand in, so that one slip is told in its own list."""
    count = {name: len(_places(name).keys() & words) for name in _NAMES}
    return "ja" if count["ja"] > count["en"] else "en"


@cache
def _book(language: WordList) -> Mnemonic:
    return Mnemonic(_NAMES[language])


@cache
def _places(language: WordList) -> Mapping[str, int]:
    return {_plain(word): place for place, word in enumerate(_book(language).wordlist)}


def _plain(text: str) -> str:
    """One spelling of what looks alike: width, case, and how a Japanese syllable is composed."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text)).casefold()
