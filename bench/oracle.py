"""Whether the time of an answer tells that a household exists: none, forbidden, protected.

    python3 deploy/venv.py --dev python bench/oracle.py [--sqlite] [--each 5000] [--control]

A service of its own process answers searches and timeline looks over one connection, in random
order: of households that there are not; to a case worker whose family it is not, of those with 30
records and of one with 330; and to the case worker whose family it is, of those that a block hides
from them. All are told nothing. Each kind's times are set beside those of none: the difference of
the medians, the two-sided p of Mann and Whitney, and the share of pairs in which that kind took
longer (0.5 tells nothing). The answers are compared to the byte but for number and date. With
``--control`` the service reads what stays hidden, as it once did; then the time must tell. With
``--record`` they are kept in bench/results/oracle-….json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "tests")]

import city
import load
import main_job
import withdrawals

from visitsync import settings
from visitsync.schema.visit import Visit, decode, encode
from visitsync.service import blocks, directives, shields, submissions, tokens
from visitsync.service.blocks import BlockDraft
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.ids import registration_id
from visitsync.service.reports import Records
from visitsync.service.shields import ShieldDraft
from visitsync.store import households as stored

HERE = Path(__file__).parent
HOUSEHOLDS = 200
FEW = range(1, 41)
HIDDEN = range(41, 81)
COPIES = 50
"""Of each of the six records that one office has of the first household."""
RESPONSIBLE, STRANGER = "u01", "u02"
OFFICER = Caller(kind="staff", id="u19", scopes=frozenset({"read", "record"}))
PURPOSE = "care_coordination"
NOT_COMPARED = (b"x-request-id", b"date")
WARM_UP = 300
ALIKE_MS, ALIKE_P = 1.0, 0.05


class Question(NamedTuple):
    """One kind of request by one caller, about one of several households or families."""

    way: str
    caller: str
    kind: str
    about: Sequence[str]
    """Ids, or bodies; none: an id that nothing has, made anew each time."""


class Homes(NamedTuple):
    """The households that are asked about, by their number in the city."""

    ids: Sequence[str]
    families: Sequence[Visit]
    """A report of each."""


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """The share of pairs in which `one` is longer, and the two-sided p by the normal approximation.

    >>> mann_whitney(range(100), range(100))
    (0.5, 1.0)
    >>> mann_whitney(range(50, 150), range(100))[1] < 0.001
    True
    """
    ordered = sorted([(value, True) for value in one] + [(value, False) for value in other])
    ranks = ties = 0.0
    at = 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(mine for _, mine in ordered[at:end])
        ties += (end - at) ** 3 - (end - at)
        at = end
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    spread = math.sqrt(n * m / 12 * ((n + m + 1) - ties / ((n + m) * (n + m - 1))))
    beyond = max(0.0, abs(u - n * m / 2) - 0.5)
    return round(u / (n * m), 4), math.erfc(beyond / spread / math.sqrt(2))


# ── the city ──────────────────────────────────────────────────────────────────────────────────────
async def settle(context: Context) -> Homes:
    """Many records for one household; a consent, a shield and a block for some."""
    program, office = next(iter(city.OFFICES.items()))
    reports = [decode(line.strip()) for line in city.lines(program, HOUSEHOLDS, 6)]
    more = [
        msgspec.structs.replace(
            one,
            source=msgspec.structs.replace(
                one.source, record_id=f"{one.source.record_id}-{number}"
            ),
        )
        for one in reports[::HOUSEHOLDS]
        for number in range(COPIES)
    ]
    caller = Caller(kind="office", id=office, scopes=frozenset({"submit"}))
    await submissions.submit(context, caller, office, Records(b"\n".join(map(encode, more))))
    index = context.keyring.ids
    known = [registration_id(index, office, city.case_no(one), "") for one in range(HOUSEHOLDS)]
    async with context.database.reading() as connection:
        homes = await stored.homes(connection, known)
    ids = [homes[one] for one in known]
    for number in HIDDEN:
        await directives.record(context, main_job.OPERATOR, withdrawals.draft(ids[number]))
        await shields.record(context, OFFICER, ids[number], ShieldDraft())
        block = BlockDraft(who=(f"viewer:{RESPONSIBLE}",))
        await blocks.record(context, OFFICER, ids[number], block)
    return Homes(ids, reports[:HOUSEHOLDS])


async def set_up() -> tuple[Homes, Mapping[str, str]]:
    """What is asked about, and the callers' secrets."""
    async with open_context(settings.load()) as context:
        homes = await settle(context)
        found = {}
        for one in (RESPONSIBLE, STRANGER):
            issued = await tokens.issue(context, main_job.OPERATOR, subject=f"staff:{one}", days=1)
            found[one] = issued.secret
    return homes, found


# ── what is asked ─────────────────────────────────────────────────────────────────────────────────
def questions(homes: Homes) -> list[Question]:
    """Every kind of request, those about none beside them."""
    asked = []
    for way, of in (("timeline", homes.ids), ("search", [_sought(one) for one in homes.families])):
        few, hidden = ([of[number] for number in numbers] for numbers in (FEW, HIDDEN))
        asked += [
            Question(way, STRANGER, "none", ()),
            Question(way, STRANGER, "forbidden, 30 records", few),
            Question(way, STRANGER, "forbidden, 330 records", of[:1]),
            Question(way, RESPONSIBLE, "none", ()),
            Question(way, RESPONSIBLE, "protected", hidden),
        ]
    return asked


def _sought(visit: Visit) -> str:
    person = visit.persons[0]
    return json.dumps({"purpose": PURPOSE, "kana": person.kana, "birth_date": person.birth_date})


def _nobody(homes: Homes) -> str:
    """A search as of a family of the city, but for a kana that nobody has."""
    body = json.loads(_sought(random.choice(homes.families)))  # noqa: S311 -- any will do
    return json.dumps({**body, "kana": "".join(random.sample("ヴヰヱヮヵヶヷヸ", 8))})


def written(one: Question, homes: Homes, secret: str) -> bytes:
    """The request as it is sent."""
    headers = {"Authorization": f"Bearer {secret}"}
    if one.way == "timeline":
        alphabet = "abcdefghijklmnopqrstuvwxyz234567"
        nobody = "h" + "".join(secrets.choice(alphabet) for _ in range(26))
        household = random.choice(one.about) if one.about else nobody  # noqa: S311
        path = f"/api/v1/households/{household}/timeline?purpose={PURPOSE}"
        return load.request_bytes("GET", path, headers)
    body = random.choice(one.about) if one.about else _nobody(homes)  # noqa: S311
    headers["Content-Type"] = "application/json"
    return load.request_bytes("POST", "/api/v1/households/search", headers, body.encode())


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes
) -> tuple[float, bytes]:
    """Seconds until the whole answer was there, and the answer without its number and date."""
    begin = time.perf_counter()
    writer.write(sent)
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(int(one[15:]) for one in lines if one.lower().startswith(b"content-length:"))
    body = await reader.readexactly(length)
    took = time.perf_counter() - begin
    kept = [one for one in lines if one.partition(b":")[0].lower() not in NOT_COMPARED]
    return took, b"\r\n".join([*kept, body])


async def run(port: int, homes: Homes, secret: Mapping[str, str], each: int) -> dict[str, Any]:
    """Ask everything, in random order, and compare."""
    asked = questions(homes)
    order = asked * each
    random.shuffle(order)
    order = [random.choice(asked) for _ in range(WARM_UP)] + order  # noqa: S311
    times: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    answers: dict[str, set[bytes]] = defaultdict(set)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, one in enumerate(order):
        took, answer = await ask(reader, writer, written(one, homes, secret[one.caller]))
        answers[one.way].add(answer)
        if number >= WARM_UP:
            times[one.way, one.caller][one.kind].append(took)
        if b"\r\nConnection: close" in answer:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return {
        "different_answers": {way: len(found) - 1 for way, found in answers.items()},
        "ways": [
            _beside(f"{way} by {caller}", kind, took, kinds["none"])
            for (way, caller), kinds in sorted(times.items())
            for kind, took in sorted(kinds.items())
            if kind != "none"
        ],
    }


def _beside(way: str, kind: str, took: Sequence[float], none: Sequence[float]) -> dict[str, Any]:
    median, beside = (statistics.median(one) * 1000 for one in (took, none))
    share, p = mann_whitney(took, none)
    off = abs(median - beside)
    return {
        "way": way,
        "kind": kind,
        "each": len(took),
        "median_ms": round(median, 3),
        "median_of_none_ms": round(beside, 3),
        "difference_ms": round(median - beside, 3),
        "longer_share": share,
        "p": float(f"{p:.2g}"),
        "alike": off < ALIKE_MS or p > ALIKE_P,
    }


def main() -> None:
    """Run once and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--record", action="store_true", help="keep the figures in bench/results")
    parser.add_argument("--each", type=int, default=5000)
    parser.add_argument("--control", action="store_true", help="read also what stays hidden")
    wanted = parser.parse_args()
    kind = "telling" if wanted.control else "service"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(main_job.database(sqlite=wanted.sqlite))
        os.environ["VISITSYNC_DATA_DIR"] = str(folder)
        os.environ["VISITSYNC_DATABASE_URL"] = url
        main_job.ingest(folder, asyncio.run(main_job.set_up(HOUSEHOLDS)), HOUSEHOLDS)
        homes, secret = asyncio.run(set_up())
        server = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), kind],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            figures = asyncio.run(run(port, homes, secret, wanted.each))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    engine = "sqlite" if wanted.sqlite else "postgresql"
    figures = {"machine": main_job.machine(), "database": engine, "service": kind, **figures}
    name = f"oracle-{engine}{'-control' if wanted.control else ''}.json"
    if wanted.record:  # a short try must not take the place of a whole run
        (HERE / "results" / name).write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
