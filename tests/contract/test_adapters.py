"""What every adapter promises. A new program is tested by its samples alone.

Samples of a program stand in ``tests/samples/<program>/``:

- ``files/`` good files (those of the shipped programs stand in ``visitsync/shiomi/<program>/``)
- ``bad/`` broken, hostile and wrong files
- ``expected/<file>.ndjson`` and ``expected/bad/<file>.ndjson`` the visits that must come out
- ``expected/bad/<file>.rejected.ndjson`` the problems: file, row, level, code
- ``together.toml`` which files are handed in together
- ``directory.toml`` and ``*.layout.toml`` where the shipped city does not know the office
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visitsync.adapters import load_adapters
from visitsync.fields.layout import Layout
from visitsync.fields.layout_file import parse as parse_layout
from visitsync.fields.text import ITEM_MARK
from visitsync.schema.directory import Directory
from visitsync.schema.directory import parse as parse_directory
from visitsync.schema.problems import PROBLEMS, sentence
from visitsync.schema.reading import Reading
from visitsync.schema.visit import Visit, encode
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.reading import (
    open_files,
    read_files,
    reading_of,
    shipped_directory,
    shipped_layouts,
)

SAMPLES = Path(__file__).parents[1] / "samples"
SHIPPED = Path(__file__).parents[2] / "visitsync" / "shiomi"
PROGRAMS = sorted(load_adapters())
MAPS = ("notes", "health", "identifiers")
"""Members whose order says nothing."""


@dataclass(frozen=True)
class Samples:
    """One program's samples."""

    program: str
    directory: Directory
    layouts: tuple[Layout, ...]
    office: str

    def read(self, files: Sequence[tuple[str, bytes]]) -> Reading:
        return read_files(self.directory, self.office, self.layouts, files)


@dataclass(frozen=True)
class Case:
    """Files handed in together, and what must come out."""

    program: str
    path: Path
    expected: Path

    @property
    def files(self) -> list[tuple[str, bytes]]:
        together = SAMPLES / self.program / "together.toml"
        named = tomllib.loads(together.read_text(encoding="utf-8")) if together.exists() else {}
        paths = [self.path.with_name(name) for name in named.get(self.path.name, [])]
        return [(path.name, path.read_bytes()) for path in (*paths, self.path)]

    @property
    def problems(self) -> list[tuple[str, int | None, str, str]]:
        rejected = self.expected.with_name(f"{self.path.name}.rejected.ndjson")
        if not rejected.exists():
            return []
        lines = rejected.read_text(encoding="utf-8").splitlines()
        told = (json.loads(line) for line in lines)
        return [(one["file"], one["row"], one["level"], one["code"]) for one in told]


@cache
def samples_of(program: str) -> Samples:
    own = SAMPLES / program
    directory, layouts = shipped_directory(), shipped_layouts()
    if (own / "directory.toml").exists():
        directory = parse_directory((own / "directory.toml").read_text(encoding="utf-8"))
        files = sorted(own.glob("*.layout.toml"))
        layouts = tuple(parse_layout(file.read_text(encoding="utf-8")) for file in files)
    office = next(one.office for one in layouts if one.program == program)
    return Samples(program, directory, layouts, office)


def cases() -> Iterator[Case]:
    for program in PROGRAMS:
        expected = SAMPLES / program / "expected"
        shipped = SHIPPED / program
        good = shipped if shipped.exists() else SAMPLES / program / "files"
        for folder, files in (("", good), ("bad", SAMPLES / program / "bad")):
            for path in sorted(files.iterdir()) if files.exists() else ():
                yield Case(program, path, expected / folder / f"{path.name}.ndjson")


CASES = list(cases())

every_program = pytest.mark.parametrize("program", PROGRAMS)
every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.program}/{c.path.name}")


@cache
def reading_of_case(case: Case) -> Reading:
    return samples_of(case.program).read(case.files)


def visits_of(program: str) -> list[Visit]:
    return [v for case in CASES if case.program == program for v in reading_of_case(case).visits]


def canonical(line: bytes) -> bytes:
    """A record with the members of its maps in order; the order of all others is kept."""

    def in_order(value: object) -> object:
        if isinstance(value, list):
            return [in_order(one) for one in value]
        if isinstance(value, dict):
            return {
                name: dict(sorted(one.items())) if name in MAPS else in_order(one)
                for name, one in value.items()
            }
        return value

    return msgspec.json.encode(in_order(msgspec.json.decode(line)))


@every_case
def test_a_sample_reads_as_its_golden_file(case: Case) -> None:
    reading = reading_of_case(case)
    golden = case.expected.read_bytes().splitlines()

    assert [canonical(encode(visit)) for visit in reading.visits] == list(map(canonical, golden))


@every_case
def test_a_sample_draws_exactly_the_problems_told(case: Case) -> None:
    reading = reading_of_case(case)
    found = [(p.file, p.row, p.level, p.code) for p in reading.problems]

    if case.expected.parent.name == "bad":
        assert sorted(found, key=str) == sorted(case.problems, key=str)
    else:
        assert found == []
    assert reading.unread_columns == frozenset()


@every_program
def test_a_program_has_a_good_sample_and_a_rejected_row(program: str) -> None:
    readings = [reading_of_case(case) for case in CASES if case.program == program]

    assert any(reading.visits and not reading.problems for reading in readings)
    assert any(p.level == "reject" for reading in readings for p in reading.problems)


def is_empty(visits: Sequence[Visit], field: str) -> bool:
    """Whether no visit says anything in `field`; what always has its default says nothing."""
    defaults = {"basis": "application", "place": "home", "confirmed_by": "none"}
    path = field.replace("[]", "").replace("fee.class", "fee").split(".")
    for visit in visits:
        values: list[object] = [msgspec.to_builtins(visit)]
        for name in path:
            found = [one.get(name) for one in values if isinstance(one, dict)]
            values = []
            for one in found:
                values += one if isinstance(one, list | tuple) else [one]
        if any(value not in (None, "", {}, defaults.get(field)) for value in values):
            return False
    return True


@every_program
def test_fields_never_filled_are_exactly_those_declared_absent(program: str) -> None:
    adapter = load_adapters()[program]  # type: ignore[index]  # a plain string names it here
    fields = [field for own in VOCABULARY.fields_of_category.values() for field in own]

    assert {f for f in fields if is_empty(visits_of(program), f)} == set(adapter.absent)
    assert all(adapter.absent.values())


@every_program
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_any_bytes_give_a_reading(program: str, data: bytes) -> None:
    reading = samples_of(program).read([("any", data)])

    assert isinstance(reading, Reading)
    assert reading.visits or reading.problems


def smallest(program: str) -> Case:
    own = [c for c in CASES if c.program == program and reading_of_case(c).visits]
    return min(own, key=lambda case: case.path.stat().st_size)


@every_program
def test_every_truncation_gives_a_reading_of_visits_that_were_there(program: str) -> None:
    case = smallest(program)
    name, data = case.files[-1]
    whole = {encode(visit) for visit in reading_of_case(case).visits}
    step = 1 + len(data) // 1200
    for end in range(0, len(data), step):
        reading = samples_of(program).read([(name, data[:end])])
        lost = len(whole) - len(reading.visits)
        # Where lines have no sum or trailer, a file cut between two lines is a shorter file.
        assert lost == 0 or reading.problems or b"\n" in data[max(0, end - 1) : end + 1]
        for visit in reading.visits:
            # Only the last row may have lost what stood at its end.
            assert encode(visit) in whole or visit is reading.visits[-1]


@every_program
def test_damaged_samples_give_a_reading(program: str) -> None:
    chance = random.Random(program)  # noqa: S311 -- the same damage in every run
    for case in [one for one in CASES if one.program == program and one.files[-1][1]]:
        name, data = case.files[-1]
        for _ in range(12):
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 6)):
                place = chance.randrange(len(damaged) + 1)
                damaged[place : place + chance.randint(0, 2)] = chance.randbytes(
                    chance.randint(0, 3)
                )
            reading = samples_of(program).read([(name, bytes(damaged))])
            assert all(problem.code in PROBLEMS for problem in reading.problems)


@every_case
def test_reading_twice_is_equal(case: Case) -> None:
    assert samples_of(case.program).read(case.files) == reading_of_case(case)


@every_case
def test_no_problem_and_no_repr_tells_a_cell(case: Case) -> None:
    own = samples_of(case.program)
    handed = open_files(own.directory, own.office, own.layouts, case.files)
    reading = reading_of(handed)
    told = repr(reading) + repr(handed) + repr([row for t in handed.tables for row in t.rows])
    told += "".join(sentence(p, "ja") + sentence(p, "en") for p in reading.problems)
    told += msgspec.json.encode(reading.problems).decode()
    # What a layout or directory says may be said again, whatever the cells hold.
    known = (
        repr(own.layouts) + repr(own.directory) + "".join(w.ja + w.en for w in PROBLEMS.values())
    )
    for table in handed.tables:
        for row in table.rows:
            for cell in row.cells:
                for text in cell.split(ITEM_MARK):
                    if len(text) > 1 and not text.isascii() and text not in known:
                        assert text not in told


@every_case
def test_every_row_is_accounted_for_exactly_once(case: Case) -> None:
    own = samples_of(case.program)
    handed = open_files(own.directory, own.office, own.layouts, case.files)
    reading = reading_of(handed)
    for table in handed.tables:
        if table.layout.holds != "visits":
            continue
        taken = [v.source.row for v in reading.visits if v.source.file == table.file]
        problems = [p for p in reading.problems if p.file == table.file and p.row is not None]
        rejected = {p.row for p in problems if p.level == "reject"}
        repeated = {p.row for p in problems if p.code == "duplicate_identical"}
        opened = {row.number for row in table.rows}
        opened |= {p.row for p in table.problems if p.row is not None}

        assert len(taken) == len(set(taken))
        assert not set(taken) & (rejected | repeated)
        assert not rejected & repeated
        assert set(taken) | rejected | repeated == opened


@every_program
def test_columns_that_nobody_reads_are_reported(program: str) -> None:
    own = samples_of(program)
    case = next(c for c in CASES if c.program == program and reading_of_case(c).visits)
    layouts = tuple(
        msgspec.structs.replace(one, rows=msgspec.structs.replace(one.rows, ignore=()))
        for one in own.layouts
    )
    visits = [one for one in own.layouts if one.office == own.office and one.holds == "visits"]
    ignored = {label for one in visits for label in one.rows.ignore}
    reading = read_files(own.directory, own.office, layouts, case.files)

    assert reading.unread_columns == ignored
    assert reading.visits == reading_of_case(case).visits
