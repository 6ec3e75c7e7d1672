"""Reported revisions for tests, and the sample city's."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from visitsync.schema.attendance import attendance_of
from visitsync.schema.visit import JST, TOOK_PLACE, Source, Visit, decode, encode
from visitsync.timeline import Reported

RECORDED = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
DAY = dt.date(2026, 5, 11)


def a_visit(  # noqa: PLR0913 -- what attendance is made of
    *,
    program: str = "household_support",
    office: str = "shiomi-hs-01",
    day: dt.date = DAY,
    times: str | None = "10:00-12:00",
    outcome: str = "done",
    state: str = "active",
    revision: int = 1,
    note: str = "",
) -> Visit:
    """A visit of two hours; `times` as ``HH:MM-HH:MM``, ``HH:MM-`` or None."""
    start = end = None
    if times is not None and outcome in TOOK_PLACE:
        begun, ended = times.split("-")
        start = at(day, begun)
        end = at(day, ended) if ended else None
    return Visit(
        program=program,
        source=msgspec.convert(
            {
                "office": office,
                "record_id": "x",
                "revision": revision,
                "state": state,
                "local_program": None,
                "file": None,
                "row": None,
            },
            Source,
        ),
        case_no=None,
        persons=(),
        basis="application",
        outcome=outcome,
        start=start,
        end=end,
        date=day,
        place="home",
        visitors=(),
        services=(),
        units=None,
        fee=None,
        notes={"notes": note} if note else {},
        health={},
        confirmed_by="none",
    )


def at(day: dt.date, text: str) -> dt.datetime:
    hours, minutes = map(int, text.split(":"))
    return dt.datetime.combine(day, dt.time(), JST) + dt.timedelta(hours=hours, minutes=minutes)


def a_report(
    record: str, visit: Visit, *, revision: int = 1, recorded_at: dt.datetime = RECORDED
) -> Reported:
    line = encode(visit)
    return Reported(
        record=record,
        revision=revision,
        recorded_at=recorded_at,
        visit=attendance_of(line),
        line=line,
    )


def shiomi() -> dict[str, list[Reported]]:
    """Every revision of the sample city by household; a record is ``office/record id``."""
    truth = json.loads(Path("visitsync/shiomi/households.json").read_text(encoding="utf-8"))
    home = {(r["office"], r["case_no"]): r["household"] for r in truth["registrations"]}
    found: dict[str, list[Reported]] = defaultdict(list)
    for file in sorted(Path("tests/samples").glob("*/expected/*.ndjson")):
        if "_fees" in file.name:
            continue  # the same visits once more, with their fees
        for line in file.read_bytes().splitlines():
            visit = decode(line)
            source = visit.source
            found[home[source.office, visit.case_no or ""]].append(
                a_report(f"{source.office}/{source.record_id}", visit, revision=source.revision)
            )
    return found


def _times(start: int, length: int | None) -> str:
    begun = f"{start // 60:02}:{start % 60:02}"
    ended = "" if length is None else f"{(start + length) // 60:02}:{(start + length) % 60:02}"
    return f"{begun}-{ended}"


def reports(max_size: int = 12) -> st.SearchStrategy[list[Reported]]:
    """Revisions of a crowded fortnight: few offices, few records, many collisions."""
    visits = st.builds(
        a_visit,
        program=st.sampled_from(["household_support", "multiples", "nurturing_support"]),
        office=st.sampled_from(["hs-01", "hs-02", "mt-01"]),
        day=st.sampled_from([DAY + dt.timedelta(days=n) for n in (0, 0, 1, 2, 3, 4, 50)]),
        times=st.one_of(
            st.none(),
            st.builds(
                _times,
                st.sampled_from([540, 550, 555, 556, 600, 660, 1380]),
                st.sampled_from([None, 0, 15, 60, 120, 480]),
            ),
        ),
        outcome=st.sampled_from(["done", "done", "absent", "cancelled"]),
        state=st.sampled_from(["active", "active", "voided"]),
        note=st.sampled_from(["", "a", "b"]),
    )
    return st.lists(
        st.builds(
            a_report,
            st.sampled_from([f"v{n}" for n in range(8)]),
            visits,
            revision=st.integers(1, 4),
            recorded_at=st.sampled_from([RECORDED, RECORDED + dt.timedelta(hours=1)]),
        ),
        max_size=max_size,
    )
