"""The catalogue of laws: as the contract has it, in words, and on a page made from it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from reference.consent_rules import DEFAULT_CATALOGUE as SLOW

from visitsync.consent.catalogue import DEFAULT_CATALOGUE, LEGAL_BASES
from visitsync.schema.vocabulary import VOCABULARY

HEAD = """# What the law opens without a consent — 同意によらない根拠

Made from `visitsync/consent/catalogue.toml`; a test keeps this page equal to it (`REWRITE_DOCS=1`
writes it anew). "No consent" does not mean "no sharing", and a consent never lifts a protection.
The proviso of 個人情報保護法69条2項 (not where it may unjustly harm the person or somebody
else) is recorded as a block, which limits every entry.

| code | article 条文 | holds | opens 見える区分 | who 誰が |
|---|---|---|---|---|
"""


def rows() -> Iterable[str]:
    for code, one in LEGAL_BASES.items():
        holds = "standing 常時" if one.standing else "invoked 請求ごと"
        opens = ", ".join(f"`{category}`" for category in one.categories)
        who = f"{one.en}. {one.who_en}<br>{one.ja}。{one.who_ja}"
        yield f"| `{code}` | {one.article} | {holds} | {opens} | {who} |\n"


def test_the_fast_and_the_slow_evaluator_rest_on_the_same_laws() -> None:
    fast = [
        {
            "code": e.code,
            "article": e.article,
            "standing": e.standing,
            "categories": [*e.categories],
        }
        for e in DEFAULT_CATALOGUE
    ]
    assert fast == SLOW


def test_an_entry_names_categories_of_the_vocabulary_and_attendance_first() -> None:
    for entry in DEFAULT_CATALOGUE:
        assert set(entry.categories) <= VOCABULARY.categories.keys()
        assert entry.categories[0] == "attendance"


def test_the_page_of_laws_is_made_from_the_catalogue() -> None:
    written = Path("docs/legal-bases.md")
    page = HEAD + "".join(rows())
    if os.environ.get("REWRITE_DOCS"):
        written.write_text(page, encoding="utf-8")
    assert written.read_text(encoding="utf-8") == page
