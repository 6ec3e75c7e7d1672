"""Every field of a report is judged once: does it tell where a family is? Unjudged means no start.

A kind of document that nobody had thought of has given a hidden address away (Kure). A field that
is added to the vocabulary would be shown under an address shield as its category is; so its author
must say here that it tells no place, or put it where a shield withholds it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from visitsync.consent.form import WITHHELD
from visitsync.consent.limiting import ALWAYS_WITHHELD
from visitsync.errors import SettingsError
from visitsync.schema.visit import NOTE_CATEGORIES, Person, Source, Visit, Visitor
from visitsync.schema.vocabulary import VOCABULARY

TELLS_NO_PLACE: Final = frozenset(
    {
        *("program", "date", "start", "end", "outcome", "basis", "confirmed_by"),
        *("source.state", "source.revision"),
        *("services", "units", "fee"),
        *("persons[].role", "persons[].name", "persons[].kana", "persons[].birth_date"),
        *("persons[].sex", "persons[].identifiers"),
    }
)
LOOKED_THROUGH: Final = frozenset(
    {"notes.notes", "notes.health", "notes.child_protection", "health"}
)
"""Free text: withheld whole, or looked through for places."""
_IN_PARTS: Final[Mapping[str, Collection[str]]] = {
    "source": [f"source.{one}" for one in Source.__struct_fields__],
    "persons": [f"persons[].{one}" for one in Person.__struct_fields__],
    "visitors": [f"visitors[].{one}" for one in Visitor.__struct_fields__],
    "notes": [f"notes.{one}" for one in NOTE_CATEGORIES],
}
EVERY_FIELD: Final = frozenset(
    field for name in Visit.__struct_fields__ for field in _IN_PARTS.get(name, [name])
)
"""Of the canonical report, in the words of the vocabulary."""


def withheld_under_shield(fields_of_category: Mapping[str, Collection[str]]) -> frozenset[str]:
    """What a shield hides from whom it does not allow."""
    named = frozenset[str]().union(*(WITHHELD[name] for name in ALWAYS_WITHHELD))
    return named.union(fields_of_category.get("contact", ()))


def refuse_unjudged(
    fields_of_category: Mapping[str, Collection[str]] = VOCABULARY.fields_of_category,
    fields: Collection[str] = EVERY_FIELD,
) -> None:
    """Go on only if each field has one category and one answer.

    Raises:
        SettingsError: one has none, or two that contradict each other.
    """
    known = [field for some in fields_of_category.values() for field in some]
    withheld = withheld_under_shield(fields_of_category)
    for field in sorted({*known, *fields}):
        judged = (field in withheld) + (field in TELLS_NO_PLACE) + (field in LOOKED_THROUGH)
        if known.count(field) != 1 or judged != 1:
            raise SettingsError(
                "A field of the report does not say whether it tells where a family is; its "
                "author must",
                where=field,
            )
