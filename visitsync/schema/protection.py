"""The codes of protection, emergency and authority, read once from ``protection.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType
from typing import Final

import msgspec

from visitsync.schema.silent import Struct


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """What people read for a code."""

    ja: str
    en: str


def _load() -> Mapping[str, Mapping[str, Words]]:
    text = resources.files(__package__).joinpath("protection.toml").read_text(encoding="utf-8")
    return MappingProxyType(msgspec.convert(tomllib.loads(text), dict[str, dict[str, Words]]))


_ALL: Final = _load()
REASONS: Final = _ALL["reason"]
"""Why an emergency access is asked for."""
DOCUMENTS: Final = _ALL["document"]
"""What an address is lifted for."""
AUTHORITIES: Final = _ALL["authority"]
"""What parental authority somebody has."""
AUTHORITY_BASES: Final = _ALL["authority_basis"]
"""From what that is known."""
ORDERS: Final = _ALL["order"]
"""What a court ordered."""
MESSAGES: Final = _ALL["message"]
"""What a message says."""
