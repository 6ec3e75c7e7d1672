"""Names as written, folded so that variant characters and ways of typing become equal."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib import resources
from typing import Final

_HONORIFIC: Final = re.compile("(?<=..)(様|殿|さま|さん|ちゃん|くん)$")
_GAP: Final = re.compile("[\\s\u3000]+")
_DROPPED: Final = re.compile("[\\s\u3000・･·.,，．、'’\\-‐‑–]+")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_PLACEHOLDERS: Final = frozenset("〓■□◆●○?？*＊#\ufffd")
"""What systems write for a character they cannot show."""


def _load() -> tuple[str, dict[int, str]]:
    text = resources.files(__package__).joinpath("variants.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    return raw["version"], {
        ord(variant): form for form, variants in raw["forms"].items() for variant in variants
    }


NAMES_VERSION, _FORM_OF = _load()


def fold(name: str | None) -> str | None:
    """The name without gaps, points and honorifics, in the commonest form of each character.

    None where the name is empty or holds a character that cannot be compared: a private-use one
    (外字 mean another character in every office) or a placeholder for one.

    >>> fold("齋藤　裕子様") == fold("斉藤 裕子"), fold("\ue000川 花子")
    (True, None)
    """
    parts = _parts(name)
    return "".join(parts) if parts else None


def split(name: str | None) -> tuple[str, str] | None:
    """Surname and given name, folded; None where no gap tells where the surname ends.

    >>> split("髙橋　早苗"), split("高橋早苗"), split("NGUYEN THI LAN")
    (('高橋', '早苗'), None, ('NGUYEN', 'THILAN'))
    """
    parts = _parts(name)
    return (parts[0], "".join(parts[1:])) if len(parts) > 1 else None


def is_comparable(text: str) -> bool:
    """Whether every character means the same in every office.

    >>> is_comparable("佐藤"), is_comparable("佐\ue123")
    (True, False)
    """
    return not any(
        c in _PLACEHOLDERS or unicodedata.category(c) in ("Co", "Cn", "Cs") for c in text
    )


def _parts(name: str | None) -> list[str]:
    if name is None or not is_comparable(name):
        return []
    bare = _SELECTORS.sub("", unicodedata.normalize("NFKC", name)).strip().upper()
    bare = _HONORIFIC.sub("", bare)
    parts = (_DROPPED.sub("", part).translate(_FORM_OF) for part in _GAP.split(bare))
    return [part for part in parts if part]
