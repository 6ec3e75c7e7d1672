"""Registrations for tests: valid by default, overridden by keyword; and the sample city's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from visitsync.linking import Registration
from visitsync.schema.visit import Person, decode

SAMPLES = Path("tests/samples")


def a_person(role: str, **changes: object) -> Person:
    """Nobody in particular."""
    blank = dict.fromkeys(("name", "kana", "birth_date", "sex", "postal_code", "address", "phone"))
    return msgspec.convert({**blank, "role": role, "identifiers": {}, **changes}, Person)


def a_mother(**changes: object) -> Person:
    """A guardian with everything that could link her."""
    known = {
        "name": "架空　花子",
        "kana": "カクウ　ハナコ",
        "birth_date": "1991-09-14",
        "address": "汐見市夕凪台4-21-15",
        "phone": "000-8524-4921",
    }
    return a_person("guardian", **{**known, **changes})


def a_father(**changes: object) -> Person:
    """Another guardian of the same family."""
    known = {"name": "架空　一郎", "kana": "カクウ　イチロウ", "birth_date": "1989-02-03"}
    return a_person("guardian", **{**known, **changes})


def a_child(**changes: object) -> Person:
    """A child of that family."""
    known = {"name": "架空　結", "kana": "カクウ　ユイ", "birth_date": "2025-01-20"}
    return a_person("child", **{**known, **changes})


def a_registration(name: str, *persons: Person) -> Registration:
    """Registered at some office."""
    return Registration(
        id=name, office="shiomi-hs-01", program="household_support", persons=persons
    )


@dataclass(frozen=True)
class Shiomi:
    """The sample city: what its offices carry, and the truth."""

    registrations: Sequence[Registration]
    household: dict[str, str]
    traps: dict[str, list[str]]


def shiomi() -> Shiomi:
    """Registrations as they stand in the expected records, in order of first visit."""
    truth = json.loads(Path("visitsync/shiomi/households.json").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], list[Person]] = {}
    programs: dict[str, str] = {}
    for _, line in sorted(_golden_lines(), key=lambda item: item[0]):
        visit = decode(line)
        key = (visit.source.office, visit.case_no or "")
        programs[visit.source.office] = visit.program
        forms = found.setdefault(key, [])
        forms.extend(person for person in visit.persons if person not in forms)
    return Shiomi(
        registrations=[
            Registration(
                id=f"{office}/{case_no}",
                office=office,
                program=programs[office],
                persons=tuple(persons),
            )
            for (office, case_no), persons in found.items()
        ],
        household={
            f"{entry['office']}/{entry['case_no']}": entry["household"]
            for entry in truth["registrations"]
        },
        traps={entry["id"]: entry["traps"] for entry in truth["households"]},
    )


def _golden_lines() -> Iterator[tuple[str, bytes]]:
    for file in SAMPLES.glob("*/expected/*.ndjson"):
        if "_fees" not in file.name:  # the same visits once more, with their fees
            for line in file.read_bytes().splitlines():
                yield json.loads(line)["date"], line


_KANA = [
    "サトウ　ミユ",
    "さとう　みゆう",
    "ｻﾄｳ ﾐﾕ",
    "スズキ　カナ",
    "ズズギ　ガナ",
    "イイヅカ　チヅル",
]
_NAMES = [
    "佐藤　美結",
    "佐藤　美優",
    "斎藤　香奈",
    "齋藤　香奈",
    "佐\ue000　美結",
    "美結",
    "鈴木香奈",
]
_BIRTHS = ["1990-01-01", "1990-01-10", "2025-03-03", "2025-04-04", "2025-03", "1990"]
_PHONES = ["000-1111-2222", "00011112222", "000-3333-4444", "不明"]
_NUMBERS = ["0000012345", "0000054321", "0000000000"]


def persons() -> st.SearchStrategy[Person]:
    """People of a very small town, so that they collide in every way."""
    return st.builds(
        a_person,
        st.sampled_from(["guardian", "guardian", "child", "child", "other", "expected_child"]),
        name=st.sampled_from([None, *_NAMES]),
        kana=st.sampled_from([None, *_KANA]),
        birth_date=st.sampled_from([None, *_BIRTHS]),
        phone=st.sampled_from([None, None, *_PHONES]),
        identifiers=st.dictionaries(
            st.sampled_from(["atena_no", "mch_handbook_no", "due_date"]),
            st.sampled_from(_NUMBERS),
            max_size=1,
        ),
    )


def registrations(max_size: int = 8) -> st.SearchStrategy[list[Registration]]:
    """Some registrations of that town, each with an id of its own."""
    return st.lists(st.lists(persons(), min_size=1, max_size=4), min_size=2, max_size=max_size).map(
        lambda town: [a_registration(f"r{n}", *people) for n, people in enumerate(town)]
    )
