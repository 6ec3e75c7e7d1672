"""What the laws can open, and what programs say of withheld records, where nothing is given."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from visitsync.consent.facts import CatalogueEntry, Policy
from visitsync.schema.vocabulary import VOCABULARY

_CHILD: Final = ("attendance", "services", "notes", "health", "child_protection", "identity")

DEFAULT_CATALOGUE: Final = (
    CatalogueEntry(
        code="council_25_2",
        article="児童福祉法25条の2",
        standing=True,
        categories=(*_CHILD, "contact"),
    ),
    CatalogueEntry(
        code="council_25_3",
        article="児童福祉法25条の3",
        standing=False,
        categories=_CHILD,
    ),
    CatalogueEntry(
        code="child_abuse_13_4",
        article="児童虐待防止法13条の4",
        standing=False,
        categories=(*_CHILD, "contact"),
    ),
    CatalogueEntry(
        code="privacy_69_2_3",
        article="個人情報保護法69条2項3号",
        standing=False,
        categories=("attendance", "services", "economy", "identity"),
    ),
    CatalogueEntry(
        code="privacy_69_2_4",
        article="個人情報保護法69条2項4号",
        standing=False,
        categories=("attendance", "services", "notes", "health"),
    ),
)

DEFAULT_POLICIES: Final[Mapping[str, Policy]] = MappingProxyType(
    {
        program: Policy(
            withheld="hide" if program == "nurturing_support" else "mask", break_glass=True
        )
        for program in VOCABULARY.programs
    }
)
