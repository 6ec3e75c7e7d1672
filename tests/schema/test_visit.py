"""The canonical report: strict both ways, and silent about its content."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.errors import RecordError
from visitsync.schema import visit as codec
from visitsync.schema.json_schema import visit_schema

EXAMPLE: dict[str, Any] = {
    "program": "multiples",
    "source": {
        "office": "shiomi-mt-01",
        "record_id": "F-012/2026-05-11/10:00",
        "revision": 1,
        "state": "active",
        "local_program": "ふたごみつご応援サポーター事業",
        "file": "MT_2026-05.tsv",
        "row": 4,
    },
    "case_no": "F-012",
    "persons": [
        {
            "role": "guardian",
            "name": "架空　花子",
            "kana": "かくう　はなこ",
            "birth_date": "1991-09",
            "sex": None,
            "postal_code": None,
            "address": "汐見市夕凪台4-21-15",
            "phone": "000-8524-4921",
            "identifiers": {"atena_no": "0002276407"},
        }
    ],
    "basis": "application",
    "outcome": "done",
    "start": "2026-05-11T22:00:00+09:00",
    "end": "2026-05-12T06:00:00+09:00",
    "date": "2026-05-11",
    "place": "home",
    "visitors": [{"id": "S-01", "name": None, "qualification": None}],
    "services": ["housework.cooking", "childcare.feeding"],
    "units": {"kind": "tickets", "quantity": "1.5"},
    "fee": {"class": "standard", "charged": 600, "waived": 0, "expenses": 0},
    "notes": {"notes": "よく眠れている"},
    "health": {"epds": 4},
    "confirmed_by": "ticket",
}


def line(**changes: object) -> bytes:
    record = copy.deepcopy(EXAMPLE)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place: Any = record
        for parent in parents:
            place = place[int(parent)] if isinstance(place, list) else place[parent]
        place[last] = value
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def test_encoding_what_was_decoded_gives_the_same_bytes() -> None:
    assert codec.encode(codec.decode(line())) == line()


def test_every_expected_sample_record_is_canonical(golden_records: list[bytes]) -> None:
    assert len(golden_records) > 900
    for record in golden_records:
        assert codec.encode(codec.decode(record)) == record


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"program": "Multiples!"}, "program"),
        ({"source__revision": 0}, "source.revision"),
        ({"source__revision": 2**53}, "source.revision"),
        ({"source__revision": 2**64}, "source.revision"),
        ({"source__record_id": ""}, "source.record_id"),
        ({"source__row": 0}, "source.row"),
        ({"source__state": "deleted"}, "source.state"),
        ({"basis": "wish"}, "basis"),
        ({"outcome": "postponed"}, "outcome"),
        ({"outcome": "cancelled"}, "start"),
        ({"start": None}, "end"),
        ({"start": "2026-05-11T10:00:00Z"}, "start"),
        ({"end": "2026-05-11T21:00:00+09:00"}, "end"),
        ({"date": "2026-05-12"}, "date"),
        ({"place": "school"}, "place"),
        ({"services": ["housework.magic"]}, "services"),
        ({"services": ["housework.cooking", "housework.cooking"]}, "services"),
        ({"units__kind": "weeks"}, "units.kind"),
        ({"units__quantity": "1.50"}, "units.quantity"),
        ({"fee__class": "vip"}, "fee.class"),
        ({"fee__charged": -1}, "fee.charged"),
        ({"notes": {"economy": "x"}}, "notes"),
        ({"health": {"epds": 31}}, "health.epds"),
        ({"health": {"EPDS": 3}}, "health"),
        ({"confirmed_by": "nod"}, "confirmed_by"),
        ({"persons__0__role": "aunt"}, "persons[].role"),
        ({"persons__0__birth_date": "2023-02-29"}, "persons[].birth_date"),
        ({"persons__0__birth_date": "R5.2.1"}, "persons[0].birth_date"),
        ({"unheard_of": 1}, "record"),
    ],
)
def test_a_wrong_record_is_refused_by_place_and_never_by_value(
    changes: dict[str, object], where: str
) -> None:
    with pytest.raises(RecordError) as caught:
        codec.decode(line(**changes))

    assert caught.value.where == where
    for value in changes.values():
        if isinstance(value, str) and len(value) > 1:
            assert value not in str(caught.value)


def test_a_missing_member_is_refused() -> None:
    record = copy.deepcopy(EXAMPLE)
    del record["basis"]
    with pytest.raises(RecordError):
        codec.decode(json.dumps(record).encode())


def test_decomposed_text_is_refused() -> None:
    with pytest.raises(RecordError):
        codec.decode(line(case_no="か\u3099"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_a_record_error(data: bytes) -> None:
    with pytest.raises(RecordError):
        codec.decode(data)


def test_no_repr_tells_what_a_record_says() -> None:
    record = codec.decode(line())
    shown = repr(record) + repr(record.persons) + repr(record.source) + repr([*record.visitors])
    for secret in ("花子", "はなこ", "夕凪台", "8524", "眠れて", "F-012", "0002276407"):
        assert secret not in shown


def test_json_schema_in_the_docs_is_the_one_of_the_code() -> None:
    written = json.loads(Path("docs/schema/visit.schema.json").read_text(encoding="utf-8"))
    assert written == visit_schema()
