"""The JSON Schema (2020-12) of the canonical report, made from the types and the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from visitsync.schema.visit import LAST_REVISION, NOTE_CATEGORIES, Visit
from visitsync.schema.vocabulary import VOCABULARY

SCHEMA_ID: Final = "urn:visitsync:visit:1"


def components(ref_template: str = "#/$defs/{name}") -> dict[str, Any]:
    """The schemas of a report and its parts by name, with every code list written out.

    Args:
        ref_template: how one refers to another; ``{name}`` is filled in.
    """
    _, parts = msgspec.json.schema_components([Visit], ref_template=ref_template)
    visit = parts["Visit"]["properties"]
    visit["basis"] = _codes(VOCABULARY.bases)
    visit["outcome"] = _codes(VOCABULARY.outcomes)
    visit["place"] = _codes(VOCABULARY.places)
    visit["services"] = {
        "type": "array",
        "items": _codes(VOCABULARY.services),
        "uniqueItems": True,
    }
    visit["notes"]["propertyNames"] = {"enum": list(NOTE_CATEGORIES)}
    parts["Person"]["properties"]["role"] = _codes(VOCABULARY.person_roles)
    parts["Units"]["properties"]["kind"] = _codes(VOCABULARY.units)
    parts["Fee"]["properties"]["class"] = _codes(VOCABULARY.fee_classes)
    parts["Source"]["properties"]["revision"] |= {"minimum": 1, "maximum": LAST_REVISION}
    return dict(parts)


def visit_schema() -> dict[str, Any]:
    """One self-contained document: the schema of a line that `visit.encode` writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A visit report",
        "$ref": "#/$defs/Visit",
        "$defs": components(),
    }


def _codes(codes: Mapping[str, object] | Iterable[str]) -> dict[str, Any]:
    return {"type": "string", "enum": list(codes)}
