"""The vocabulary: every canonical field belongs to exactly one category."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from schema.vocabulary_page import page

from visitsync.schema.visit import NOTE_CATEGORIES, Person, Source, Visit, Visitor
from visitsync.schema.vocabulary import VOCABULARY


def canonical_fields() -> set[str]:
    fields = {field.encode_name for field in msgspec.structs.fields(Visit)}
    fields -= {"source", "persons", "visitors", "notes"}
    fields |= {f"source.{field.encode_name}" for field in msgspec.structs.fields(Source)}
    fields |= {f"persons[].{field.encode_name}" for field in msgspec.structs.fields(Person)}
    fields |= {f"visitors[].{field.encode_name}" for field in msgspec.structs.fields(Visitor)}
    fields |= {f"notes.{category}" for category in NOTE_CATEGORIES}
    return fields


def test_every_canonical_field_belongs_to_exactly_one_category() -> None:
    listed = [f for fields in VOCABULARY.fields_of_category.values() for f in fields]
    assert len(listed) == len(set(listed))
    assert set(listed) == canonical_fields()


def test_every_code_has_words_in_both_languages() -> None:
    for codes in (
        VOCABULARY.programs,
        VOCABULARY.outcomes,
        VOCABULARY.bases,
        VOCABULARY.places,
        VOCABULARY.person_roles,
        VOCABULARY.categories,
        VOCABULARY.purposes,
        VOCABULARY.units,
        VOCABULARY.fee_classes,
        VOCABULARY.services,
        VOCABULARY.roles,
    ):
        for words in codes.values():
            assert words["ja"]
            assert words["en"]


def test_roles_state_only_known_purposes() -> None:
    for purposes in VOCABULARY.purposes_of_role.values():
        assert purposes <= set(VOCABULARY.purposes)


def test_the_page_of_words_is_made_from_the_vocabulary() -> None:
    written = Path("docs/vocabulary.md")
    if os.environ.get("REWRITE_DOCS"):
        written.write_text(page(), encoding="utf-8")
    assert written.read_text(encoding="utf-8") == page()
