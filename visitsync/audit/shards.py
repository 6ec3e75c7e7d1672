"""One log per municipality and fiscal year, each chained to the year before.

A Japanese fiscal year runs from 1 April to 31 March. The first leaf of a year holds the last signed
checkpoint of the year before, so that a year cannot be exchanged once the next has begun.

Where entries were lost, two operators go on in another part of the same year, such as ``2026-2``.
Its first leaf holds the last signed checkpoint of the log that was lost, and that of the one put
back.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from visitsync.audit.checkpoint import Checkpoint, peek
from visitsync.audit.entry import YEAR_OPENED, LogEntry
from visitsync.errors import LogBroken

JST: Final = dt.timezone(dt.timedelta(hours=9))

_ORIGIN: Final = re.compile(
    r"(visitsync/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)/(20[0-9]{2})(?:-([2-9]))?"
)
_LAST_PART: Final = 9
_APRIL: Final = 4


def key_name(tenant: str) -> str:
    """The name of the key that signs every year of a municipality.

    >>> key_name("shiomi")
    'visitsync/shiomi'
    """
    return f"visitsync/{tenant}"


def origin(tenant: str, year: int) -> str:
    """The origin line of the log of one fiscal year.

    >>> origin("shiomi", 2026)
    'visitsync/shiomi/2026'

    Raises:
        LogBroken: if the tenant is not lower-case letters, digits and hyphens.
    """
    made = f"{key_name(tenant)}/{year}"
    split(made)
    return made


def split(made: str) -> tuple[str, int]:
    """The key name and the fiscal year of an origin.

    >>> split("visitsync/shiomi/2026")
    ('visitsync/shiomi', 2026)

    Raises:
        LogBroken: if it is no origin of an access log.
    """
    name, year, _ = order(made)
    return name, year


def order(made: str) -> tuple[str, int, int]:
    """The key name, the fiscal year, and which part of it: the order in which they follow.

    >>> order("visitsync/shiomi/2026-2")
    ('visitsync/shiomi', 2026, 2)

    Raises:
        LogBroken: if it is no origin of an access log.
    """
    found = _ORIGIN.fullmatch(made)
    if found is None:
        raise LogBroken("this is no origin of an access log", where="origin")
    return found[1], int(found[2]), int(found[3] or 1)


def present(shard: str, tenant: str, now: dt.datetime) -> str:
    """The origin to write to after `shard`: itself until its fiscal year ends."""
    year = fiscal_year(now)
    return shard if split(shard)[1] == year else origin(tenant, year)


def next_part(shard: str) -> str:
    """The origin in which a year goes on after entries of `shard` were lost.

    >>> next_part("visitsync/shiomi/2026")
    'visitsync/shiomi/2026-2'

    Raises:
        LogBroken: it was the last one.
    """
    name, year, part = order(shard)
    if part == _LAST_PART:
        raise LogBroken("A year has nine parts at most; wait for the next", where=shard)
    return f"{name}/{year}-{part + 1}"


def fiscal_year(now: dt.datetime) -> int:
    """The fiscal year in which an instant falls in Japan.

    >>> fiscal_year(dt.datetime(2026, 3, 31, 14, 59, 59, tzinfo=dt.UTC))
    2025
    >>> fiscal_year(dt.datetime(2026, 3, 31, 15, tzinfo=dt.UTC))
    2026
    """
    local = now.astimezone(JST)
    return local.year if local.month >= _APRIL else local.year - 1


def instant(now: dt.datetime) -> str:
    """An instant as it stands in an entry: UTC, always with six digits of a second.

    Equal width makes their order as text the order in time.

    >>> instant(dt.datetime(2026, 4, 1, tzinfo=JST))
    '2026-03-31T15:00:00.000000Z'
    """
    utc = now.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}Z"


def bounds(year: int) -> tuple[str, str]:
    """The first instant of a fiscal year, and the first after it."""
    return (
        instant(dt.datetime(year, _APRIL, 1, tzinfo=JST)),
        instant(dt.datetime(year + 1, _APRIL, 1, tzinfo=JST)),
    )


def opening(
    tenant: str,
    now: dt.datetime,
    *,
    previous: str | None,
    request: str | None = None,
    payload: str | None = None,
) -> LogEntry:
    """The first entry of a fiscal year's log.

    Args:
        tenant: the municipality.
        now: the database's clock; decides which year is opened.
        previous: the last signed checkpoint of the year before, as a note; None only for the first
            year that this municipality uses visitsync.
        request: the id of the request that came first in the year, if any.
        payload: the hash of the anchors of what was written with it, if anything was.

    Raises:
        LogBroken: if `previous` is a checkpoint of another municipality, or not of an earlier year.
    """
    made = LogEntry(
        actor="visitsync",
        kind=YEAR_OPENED,
        payload=payload,
        previous=previous,
        request=request,
        seq=0,
        shard=origin(tenant, fiscal_year(now)),
        time=instant(now),
    )
    if previous is not None:
        check_precedes(peek(previous), made.shard)
    return made


def check_precedes(closed: Checkpoint, opened: str) -> None:
    """Check that a checkpoint is of an earlier year, or part of one, than the origin `opened`.

    Raises:
        LogBroken: if it is of another municipality, or of the same part or a later one.
    """
    (name, *closed_at), (of, *opened_at) = order(closed.origin), order(opened)
    if name != of or closed_at >= opened_at:
        raise LogBroken("is not the checkpoint of a year before", where="previous")
