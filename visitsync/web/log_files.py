"""Found entries and statistics of the access log as lines of a file: CSV or NDJSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from visitsync.service.log_entries import FoundEntry, Told
from visitsync.service.log_statistics import LogStatistics, PersonStatistics
from visitsync.web import spreadsheet

Form: TypeAlias = Literal["csv", "ndjson"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)
MEDIA_TYPES: Final[Mapping[Form, str]] = {
    "csv": spreadsheet.MEDIA_TYPE,
    "ndjson": "application/x-ndjson",
}
_OF_ENTRY: Final = (
    *("shard", "seq", "at", "kind", "actor", "by", "name", "agency", "roles", "offices"),
    *("office", "program", "purpose", "basis", "decision", "records", "request"),
    *("household", "searched_by", "categories", "more", "erased", "protected", "withheld"),
)
_OWN_COLUMN: Final = ("household", "searched_by", "categories")
_OF_PERSON: Final = PersonStatistics.__struct_fields__
_ENCODER: Final = msgspec.json.Encoder()


def head(form: Form) -> bytes:
    """What a file of entries begins with."""
    return spreadsheet.BOM + spreadsheet.rows([_OF_ENTRY]) if form == "csv" else b""


def lines(form: Form, entries: Iterable[FoundEntry]) -> bytes:
    """Entries as the next lines of a file."""
    if form == "ndjson":
        return _ENCODER.encode_lines(list(entries))
    return spreadsheet.rows(_cells(one) for one in entries)


def statistics(form: Form, found: LogStatistics) -> bytes:
    """A whole file, one person to a line."""
    if form == "ndjson":
        return _ENCODER.encode_lines(found.people)
    people = [[_text(getattr(one, name)) for name in _OF_PERSON] for one in found.people]
    return spreadsheet.BOM + spreadsheet.rows([_OF_PERSON, *people])


def _cells(one: FoundEntry) -> Sequence[str]:
    sealed = dict(one.private or {})
    own = {name: sealed.pop(name, None) for name in _OWN_COLUMN}
    who = one.actor
    told: dict[str, object] = {
        **msgspec.structs.asdict(one),
        **msgspec.structs.asdict(who),
        **own,
        "kind": one.kind,
        "at": one.at.isoformat(),
        "actor": who.kind if who.id is None else f"{who.kind}:{who.id}",
        "more": _more(sealed),
    }
    return [_text(told[name]) for name in _OF_ENTRY]


def _more(sealed: Mapping[str, Told]) -> str:
    """The rest of what was sealed, as JSON in one cell."""
    return _ENCODER.encode(sealed).decode() if sealed else ""


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
