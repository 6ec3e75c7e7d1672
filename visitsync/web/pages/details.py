"""What one entry says below its first line: the released fields as labelled rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from visitsync.schema.silent import silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web.language import Language
from visitsync.web.pages.rendering import TEXTS, Texts

_BETWEEN: Final = {"ja": "、", "en": ", "}


@silent
class Row(NamedTuple):
    """A label and what stands beside it."""

    label: str
    value: str


def rows(fields: Mapping[str, Any], language: Language) -> tuple[Row, ...]:
    """The rows of an entry, in the order a reader needs them.

    Args:
        fields: of one released visit, nested like its JSON; only what the viewer may see.
        language: of labels and codes.
    """
    return tuple(_rows(fields, TEXTS[language], language))


def _rows(fields: Mapping[str, Any], texts: Texts, language: Language) -> Iterator[Row]:
    labels = texts["field"]
    if fields.get("place") not in {None, "home"}:
        yield Row(texts["timeline"]["place"], VOCABULARY.places[fields["place"]][language])
    if fields.get("basis") not in {None, "application"}:
        yield Row(texts["timeline"]["basis"], VOCABULARY.bases[fields["basis"]][language])
    yield from _work(fields, labels, language)
    for category, text in (fields.get("notes") or {}).items():
        yield Row(labels[f"notes_{category}"], text)
    if health := fields.get("health"):
        said = [f"{labels.get(name, name)} {value}" for name, value in health.items()]
        yield Row(labels["health"], _BETWEEN[language].join(said))
    if fee := fields.get("fee"):
        yield Row(labels["fee"], _fee(fee, labels, language))
    if (confirmed := fields.get("confirmed_by")) not in {None, "none"}:
        yield Row(labels["confirmed_by"], labels[str(confirmed)])


def _work(
    fields: Mapping[str, Any], labels: Mapping[str, str], language: Language
) -> Iterator[Row]:
    if services := fields.get("services"):
        words = [VOCABULARY.services[one][language] for one in services]
        yield Row(labels["services"], _BETWEEN[language].join(words))
    if units := fields.get("units"):
        unit = VOCABULARY.units[units["kind"]][language]
        if units["quantity"] == "1":
            unit = unit.removesuffix("s")
        yield Row(labels["units"], f"{units['quantity']} {unit}")
    if visitors := _visitors(fields.get("visitors") or (), labels):
        yield Row(labels["visitors"], _BETWEEN[language].join(visitors))


def ids(fields: Mapping[str, Any], language: Language) -> str:
    """The numbers under which the office knows the household and the visit, where visible."""
    labels = TEXTS[language]["field"]
    record_id = fields.get("source", {}).get("record_id")
    said = ((labels["case_no"], fields.get("case_no")), (labels["record_id"], record_id))
    return " ・ ".join(f"{label} {value}" for label, value in said if value)


def _visitors(visitors: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> list[str]:
    said = []
    for one in visitors:
        number = f"{labels['visitor_number']} {one['id']}" if one.get("id") else ""
        name = one.get("name") or number
        qualification = one.get("qualification")
        said.append(f"{name} ({qualification})" if name and qualification else name)
    return [one for one in said if one]


def _fee(fee: Mapping[str, Any], labels: Mapping[str, str], language: Language) -> str:
    amounts = [
        f"{labels[name]} {fee[name]:,}{'' if language == 'ja' else ' '}{labels['yen']}"
        for name in ("charged", "waived", "expenses")
        if fee[name] or name == "charged"
    ]
    return f"{_BETWEEN[language].join(amounts)} ({VOCABULARY.fee_classes[fee['class']][language]})"
