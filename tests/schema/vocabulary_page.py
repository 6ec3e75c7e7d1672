"""``docs/vocabulary.md``, made from ``vocabulary.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from visitsync.schema.vocabulary import VOCABULARY, Words

HEAD = """# The words that offices, case workers and visitsync share

Made from `visitsync/schema/vocabulary.toml`, the one source of these codes; a test keeps this page
equal to it (`REWRITE_DOCS=1` writes it anew). A code is never renamed once released.
"""

TABLES = (
    ("Programs", "事業", VOCABULARY.programs),
    ("What became of a visit (`outcome`)", "結果", VOCABULARY.outcomes),
    ("Why the visit exists (`basis`)", "根拠", VOCABULARY.bases),
    ("Where (`place`)", "場所", VOCABULARY.places),
    ("Who (`persons[].role`)", "対象者", VOCABULARY.person_roles),
    ("Services (`services[]`)", "支援内容", VOCABULARY.services),
    ("Units (`units.kind`)", "単位", VOCABULARY.units),
    ("Fee classes (`fee.class`)", "費用区分", VOCABULARY.fee_classes),
    ("Purposes of a look (`purpose`)", "利用目的", VOCABULARY.purposes),
)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    parts += [_section(f"{en} — {ja}", _rows(words)) for en, ja, words in TABLES]
    parts.append(_section("Categories that a consent can name — 同意の区分", _categories()))
    parts.append(_section("Roles, and the purposes each may state — 役割", _roles()))
    return "\n".join(parts)


def _section(title: str, rows: Iterable[str]) -> str:
    return "\n".join([f"## {title}", "", *rows, ""])


def _rows(words: Mapping[str, Words]) -> Iterable[str]:
    with_law = any("law" in one for one in words.values())
    yield "| code | 日本語 | English |" + (" law |" if with_law else "")
    yield "|---|---|---|" + ("---|" if with_law else "")
    for code, one in words.items():
        row = f"| `{code}` | {one['ja']} | {one['en']} |"
        yield row + (f" {one['law']} |" if with_law else "")


def _categories() -> Iterable[str]:
    yield "| code | 日本語 | English | fields of a report |"
    yield "|---|---|---|---|"
    for code, one in VOCABULARY.categories.items():
        fields = ", ".join(f"`{field}`" for field in VOCABULARY.fields_of_category[code])
        yield f"| `{code}` | {one['ja']} | {one['en']} | {fields} |"


def _roles() -> Iterable[str]:
    yield "| code | 日本語 | English | purposes |"
    yield "|---|---|---|---|"
    for code, one in VOCABULARY.roles.items():
        stated = VOCABULARY.purposes_of_role[code]
        purposes = ", ".join(f"`{each}`" for each in VOCABULARY.purposes if each in stated)
        yield f"| `{code}` | {one['ja']} | {one['en']} | {purposes} |"
