"""A directory file and what stands beside it: who is who, whose household, and the layouts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from visitsync.errors import DirectoryError
from visitsync.schema import directory
from visitsync.schema.silent import Struct
from visitsync.service.directory import Wanted


class _Registration(Struct, frozen=True):
    office: str
    case_no: str
    household: str


class _Households(Struct, frozen=True):
    registrations: tuple[_Registration, ...] = ()


SHIPPED: Final = Path(str(resources.files("visitsync"))) / "shiomi"
"""The invented city 汐見市 that comes with visitsync."""


def shipped() -> Wanted:
    """What the invented city's directory asks for."""
    return read(SHIPPED / "directory.toml")


def read(file: Path) -> Wanted:
    """What a directory file asks for, with ``households.json`` and ``layouts/*.toml`` beside it.

    Caseloads name households by label; the labels' registrations stand in ``households.json``.

    Raises:
        DirectoryError: where a file cannot be read or contradicts itself.
    """
    households = file.parent / "households.json"
    return Wanted(
        directory=directory.parse(_text(file)),
        households=_labels(households) if households.is_file() else {},
        layouts=tuple(_text(one) for one in sorted(file.parent.glob("layouts/*.toml"))),
    )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise DirectoryError("The file cannot be read as UTF-8", where=str(file)) from None


def _labels(file: Path) -> Mapping[str, tuple[tuple[str, str], ...]]:
    try:
        known = msgspec.json.decode(_text(file), type=_Households)
    except msgspec.MsgspecError:
        raise DirectoryError("households.json is not of its form", where=str(file)) from None
    labels: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in known.registrations:
        labels[one.household].append((one.office, one.case_no))
    return {label: tuple(registrations) for label, registrations in labels.items()}
