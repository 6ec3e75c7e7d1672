"""What a stored report says of attendance: enough to order, mark and filter a timeline."""

from __future__ import annotations

import datetime as dt
from typing import Final

import msgspec

from visitsync.errors import RecordError
from visitsync.schema.silent import Struct
from visitsync.schema.visit import State


class Reporter(Struct, frozen=True, kw_only=True):
    """Who reports, and what this revision is."""

    office: str
    state: State


class Attendance(Struct, frozen=True, kw_only=True):
    """Members of a visit that belong to attendance, and no others.

    Read from the line of a report that was checked when it came in; the rest of the line is passed
    over and not decoded.
    """

    program: str
    source: Reporter
    outcome: str
    start: dt.datetime | None
    end: dt.datetime | None
    date: dt.date


_DECODER: Final = msgspec.json.Decoder(Attendance, strict=True)


def attendance_of(line: bytes) -> Attendance:
    """What the canonical `line` of a report says of attendance.

    Only for lines that ``visit.encode`` wrote and an envelope kept unchanged.

    Raises:
        RecordError: where it is of another version of the form.
    """
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordError("is of another version of the form", where=type(error).__name__) from None
