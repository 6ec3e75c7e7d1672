"""Nothing personal stands in the database's files in clear: every value of the sample is sought."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from build import CARE, OPERATOR, as_office

from visitsync.schema.directory import Directory, parse
from visitsync.service import directory, search, submissions, timelines, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.reports import Records, Terms
from visitsync.service.views import Sought

SAMPLES = Path(__file__).parents[1] / "samples"
CITY = Path(__file__).parents[2] / "visitsync" / "shiomi"
PLANTED_CASE = "PLANTED-CASE-0001"
SHORTEST = 6
"""Bytes; anything shorter is found in ciphertext by chance."""


def records() -> Iterator[tuple[str, bytes]]:
    """Every canonical record of the sample, by office."""
    for file in sorted(SAMPLES.rglob("*.ndjson")):
        if "bad" in file.parts or "expected" not in file.parts or "_fees" in file.name:
            continue
        lines = file.read_bytes().splitlines()
        office = json.loads(lines[0])["source"]["office"]
        yield office, b"\n".join(lines)


def personal(value: object, key: str = "") -> Iterator[str]:
    """Every text of a record that is about somebody."""
    if isinstance(value, dict):
        for name, member in value.items():
            inside = key in {"identifiers", "notes"}
            yield from personal(member, key if inside else name)
    elif isinstance(value, list):
        for member in value:
            yield from personal(member, key)
    elif isinstance(value, str) and key in {
        "name",
        "kana",
        "birth_date",
        "postal_code",
        "address",
        "phone",
        "identifiers",
        "notes",
        "case_no",
        "record_id",
    }:
        yield value


async def a_whole_half_year(context: Context) -> tuple[set[str], Directory]:
    """Hand everything in, look at it, and say what must not be found."""
    city = parse((CITY / "directory.toml").read_text(encoding="utf-8"))
    truth = json.loads((CITY / "households.json").read_text(encoding="utf-8"))
    labels: dict[str, tuple[tuple[str, str], ...]] = {}
    for one in truth["registrations"]:
        known = labels.get(one["household"], ())
        labels[one["household"]] = (*known, (one["office"], one["case_no"]))
    await directory.apply(context, OPERATOR, Wanted(directory=city, households=labels))
    await tokens.issue(context, OPERATOR, subject="staff:u01", days=1)
    values = {person.name for person in city.staff}
    for number, (office, content) in enumerate(records()):
        body = content
        if number == 0:
            line = json.loads(content.splitlines()[0])
            line["case_no"] = line["source"]["record_id"] = PLANTED_CASE
            planted = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()
            body = content + b"\n" + planted
        report = await submissions.submit(
            context, as_office(office), office, Records(body), Terms(idempotency_key=PLANTED_CASE)
        ) if number == 0 else await submissions.submit(
            context, as_office(office), office, Records(body)
        )  # fmt: skip
        assert report.counts.rejected == 0
        for text in body.splitlines():
            values |= set(personal(json.loads(text)))
    worker = Caller(
        kind="staff", id="u01", scopes=frozenset({"read"}), address="203.0.113.77", request="r1"
    )
    for sought in (
        Sought(kana="オオイシ サトミ", birth_date="1991-09-14"),
        Sought(phone="000-8524-4921"),
        Sought(case_no=PLANTED_CASE),
    ):
        await search.search(context, worker, CARE, sought)
    async with context.database.reading() as connection:
        found = await connection.execute(sa.text("SELECT id FROM household LIMIT 3"))
    for row in found:
        with pytest.raises(Exception, match="No such household"):
            await timelines.view(context, worker, row.id, CARE)
    return values | {PLANTED_CASE, "203.0.113.77"}, city


async def next_log_file(context: Context) -> str:
    """End PostgreSQL's file of the write-ahead log here, and answer its name.

    The server is shared by many tests; what they wrote stands in the files before, and again in
    those after, which are old ones used once more.
    """
    async with context.database.reading() as connection:
        asked = sa.text("SELECT pg_walfile_name(pg_current_wal_lsn())")
        name = str((await connection.execute(asked)).scalar_one())
        await connection.execute(sa.text("SELECT pg_switch_wal()"))
    return name


async def files_of(context: Context, engine: str, last_log: str) -> list[Path]:
    """The files in which this database stands, its write-ahead log too."""
    if engine == "sqlite":
        return sorted(context.settings.data_dir.glob("visitsync.db*"))
    async with context.database.writing() as connection:
        folder = Path(str((await connection.execute(sa.text("SHOW data_directory"))).scalar_one()))
        own = sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")
        oid = (await connection.execute(own)).scalar_one()
    async with context.database.reading() as connection:
        await connection.execute(sa.text("CHECKPOINT"))
    newest = await next_log_file(context)
    tables = [one for one in (folder / "base" / str(oid)).iterdir() if one.is_file()]
    wal = (folder / "pg_wal").iterdir()
    logs = [one for one in wal if one.is_file() and last_log < one.name <= newest]
    assert logs
    return sorted([*tables, *logs])


def found_in(files: Iterable[Path], values: Iterable[str]) -> set[str]:
    """Those of `values` that stand in a file as UTF-8."""
    by_start: dict[bytes, list[tuple[bytes, str]]] = {}
    for value in values:
        encoded = value.encode()
        if len(encoded) >= SHORTEST:
            by_start.setdefault(encoded[:SHORTEST], []).append((encoded, value))
    seconds: dict[int, set[int]] = {}
    for start in by_start:
        seconds.setdefault(start[0], set()).add(start[1])
    pairs = (re.escape(bytes([one])) + _any_of(then) for one, then in seconds.items())
    # Every place at which one may begin, by its first two bytes: most places are none.
    begins = re.compile(rb"(?=%b)" % rb"|".join(pairs), re.DOTALL)
    found = set()
    for file in files:
        for part in re.split(rb"\0{32,}", file.read_bytes()):
            for match in begins.finditer(part):
                place = match.start()
                for encoded, value in by_start.get(part[place : place + SHORTEST], ()):
                    if part.startswith(encoded, place):
                        found.add(value)
    return found


def _any_of(these: Iterable[int]) -> bytes:
    return b"[%b]" % b"".join(b"\\x%02x" % one for one in sorted(these))


def test_a_value_is_found_wherever_it_begins(tmp_path: Path) -> None:
    """At either end of a file, overlapping another, after its own beginning, and cut off never."""
    (tmp_path / "one").write_bytes("大石里美".encode() + b"0001-0001-0001-22" + b"x\0\n[0-9]^")
    (tmp_path / "two").write_bytes(b"\xe5\xe5" + "大石里".encode() + b"\0" * 40 + b"KEY-1")
    sought = {"大石里美", "0001-0001-22", "001-0001-0001", "[0-9]^", "大石里美子", "KEY-12"}

    found = found_in(sorted(tmp_path.iterdir()), sought)

    assert found == {"大石里美", "0001-0001-22", "001-0001-0001", "[0-9]^"}


async def test_no_personal_value_stands_in_the_databases_files(
    context: Context, engine: str
) -> None:
    last_log = "" if engine == "sqlite" else await next_log_file(context)
    values, city = await a_whole_half_year(context)
    files = await files_of(context, engine, last_log)
    assert len(values) > 1_500

    # Control: what is public stands there in clear, so the search does find what stands there.
    public = {office.name for office in city.office}
    found = found_in(files, values | public)

    assert found == public
