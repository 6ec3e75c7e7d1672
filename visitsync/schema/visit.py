"""The canonical visit report: what every adapter yields, whatever the office sent.

One report is one revision of one visit, as the office stated it, already in the shared vocabulary,
before linking, encryption or consent. Its JSON form is one line of NDJSON: every key present, in
the order of the fields below, compact. Text is NFC. Decoding is strict both ways: an unknown key,
a missing key, an unknown code or a contradiction is a `RecordError` that names the place and never
repeats the value.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from visitsync.errors import RecordError
from visitsync.schema.partial_date import PartialDate, is_partial_date
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY

JST: Final = dt.timezone(dt.timedelta(hours=9))
"""Japan has one time zone and no summer time; all visit times carry +09:00."""

State: TypeAlias = Literal["active", "corrected", "voided"]
Confirmation: TypeAlias = Literal["stamp", "signature", "ticket", "none"]
Sex: TypeAlias = Literal["female", "male"]
Yen: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]

NOTE_CATEGORIES: Final = ("notes", "health", "child_protection", "contact")
"""Which categories free text can belong to."""

TOOK_PLACE: Final = frozenset({"done", "absent", "refused"})
"""Outcomes at which somebody stood at the door; only these have actual times."""

LAST_REVISION: Final = 2**53 - 1
"""The last number that every reader of JSON holds exactly, and every database stores."""

_QUANTITY: Final = re.compile(r"(0|[1-9]\d{0,5})(\.\d{0,3}[1-9])?")
_PROGRAM: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_PATH: Final = re.compile(r" - at `\$\.?([a-z0-9_.\[\]]+)`$")
_HEALTH_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_HEALTH_RANGES: Final[Mapping[str, tuple[int, int]]] = {"epds": (0, 30), "weight_g": (1, 200_000)}


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a report: frozen, strict, and silent about its content when printed."""


class Source(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a report came from: who sent it, its own id, and where it stood."""

    office: str
    """The office that reports, as registered; never taken from the file alone."""
    record_id: str
    revision: int
    """From 1; a correction has a higher one with the same `record_id`."""
    state: State
    local_program: str | None
    file: str | None
    row: int | None
    """1-based, as a person would count it in that file."""


class Person(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of the household as the office wrote them down."""

    role: str
    name: str | None
    kana: str | None
    birth_date: PartialDate | None
    sex: Sex | None
    postal_code: str | None
    address: str | None
    phone: str | None
    identifiers: dict[str, str]
    """By kind: ``atena_no``, ``mch_handbook_no``, ``due_date`` of an expected child."""


class Visitor(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who came; a second helper is a second visitor."""

    id: str | None
    name: str | None
    qualification: str | None


class Units(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the office billed, as a decimal string without trailing zeros."""

    kind: str
    quantity: str


class Fee(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Yen, as whole numbers."""

    class_: str = msgspec.field(name="class")
    charged: Yen
    waived: Yen
    expenses: Yen


class Visit(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One revision of one reported visit.

    Raises:
        RecordError: on any unknown code, contradiction or text that is not NFC.
    """

    program: str
    source: Source
    case_no: str | None
    persons: tuple[Person, ...]
    basis: str
    outcome: str
    start: dt.datetime | None
    end: dt.datetime | None
    date: dt.date
    place: str
    visitors: tuple[Visitor, ...]
    services: tuple[str, ...]
    units: Units | None
    fee: Fee | None
    notes: dict[str, str]
    health: dict[str, int | str]
    confirmed_by: Confirmation

    def __post_init__(self) -> None:
        _check_source(self)
        _check_codes(self)
        _check_times(self)
        for person in self.persons:
            _one_of(person.role, VOCABULARY.person_roles, "persons[].role")
            if person.birth_date is not None and not is_partial_date(person.birth_date):
                raise RecordError("is no date, month or year", where="persons[].birth_date")
        for key, value in self.health.items():
            _check_health(key, value)


def _check_source(visit: Visit) -> None:
    if _PROGRAM.fullmatch(visit.program) is None:
        raise RecordError("is no program code", where="program")
    if not visit.source.office:
        raise RecordError("must name the office", where="source.office")
    if not visit.source.record_id:
        raise RecordError("must not be empty", where="source.record_id")
    if not 1 <= visit.source.revision <= LAST_REVISION:
        raise RecordError("revisions are counted from 1", where="source.revision")
    if visit.source.row is not None and visit.source.row < 1:
        raise RecordError("rows are counted from 1", where="source.row")


def _check_codes(visit: Visit) -> None:
    _one_of(visit.basis, VOCABULARY.bases, "basis")
    _one_of(visit.outcome, VOCABULARY.outcomes, "outcome")
    _one_of(visit.place, VOCABULARY.places, "place")
    for service in visit.services:
        _one_of(service, VOCABULARY.services, "services")
    if len(set(visit.services)) != len(visit.services):
        raise RecordError("names a service twice", where="services")
    for category in visit.notes:
        _one_of(category, NOTE_CATEGORIES, "notes")
    if visit.units is not None:
        _one_of(visit.units.kind, VOCABULARY.units, "units.kind")
        if _QUANTITY.fullmatch(visit.units.quantity) is None:
            raise RecordError("is no decimal number", where="units.quantity")
    if visit.fee is not None:
        _one_of(visit.fee.class_, VOCABULARY.fee_classes, "fee.class")


def _check_times(visit: Visit) -> None:
    start, end = visit.start, visit.end
    if visit.outcome not in TOOK_PLACE and (start is not None or end is not None):
        raise RecordError("a visit that did not take place has no times", where="start")
    if start is None:
        if end is not None:
            raise RecordError("an end needs a start", where="end")
        return
    if start.utcoffset() != JST.utcoffset(None):
        raise RecordError("must carry +09:00", where="start")
    if start.date() != visit.date:
        raise RecordError("must be the day on which the visit begins", where="date")
    if end is None:
        return
    if end.utcoffset() != JST.utcoffset(None):
        raise RecordError("must carry +09:00", where="end")
    if end < start:
        raise RecordError("must not lie before the start", where="end")


def _check_health(key: str, value: int | str) -> None:
    if _HEALTH_KEY.fullmatch(key) is None:
        raise RecordError("is no name of a health value", where="health")
    if key in _HEALTH_RANGES:
        low, high = _HEALTH_RANGES[key]
        if not isinstance(value, int) or not low <= value <= high:
            raise RecordError(f"must lie between {low} and {high}", where=f"health.{key}")


def _one_of(code: str, known: Collection[str], where: str) -> None:
    if code not in known:
        raise RecordError("is no code of the vocabulary", where=where)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Visit, strict=True)


def encode(visit: Visit) -> bytes:
    """One compact JSON line without its line feed.

    The order of the keys is that of the fields, so equal reports give equal bytes.
    """
    return _ENCODER.encode(visit)


def decode(line: bytes) -> Visit:
    """The report that `encode` would write as `line`.

    Raises:
        RecordError: where the line is no canonical report; names the place, not the value.
    """
    try:
        visit = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise RecordError("is not of the canonical form", where=_path_of(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RecordError("is no JSON", where=None) from None
    if not unicodedata.is_normalized("NFC", line.decode()):
        raise RecordError("holds text that is not NFC", where=None)
    return visit


def _path_of(error: msgspec.ValidationError) -> str:
    # msgspec's message may repeat a value; only the path at its end is safe to pass on.
    found = _PATH.search(str(error))
    return found[1].replace("[...]", "[]") if found else "record"
