"""Which entries of a log fall into a period, told as they pass."""

from __future__ import annotations

import datetime as dt

from visitsync.audit.entry import time_of
from visitsync.audit.shards import JST, instant


class Period:
    """The days from `start` to before `until` in Japan; all between their first and last entry.

    What counts is the time in the entry, which is signed, and not what a database says beside it.
    """

    def __init__(self, start: dt.date, until: dt.date) -> None:
        days = (dt.datetime.combine(day, dt.time.min, JST) for day in (start, until))
        self._ahead = [instant(day) for day in days]

    def takes(self, line: bytes) -> bool:
        """Whether an entry falls into it; to be asked of each, in their order."""
        time = time_of(line)
        # What tells no time was changed; its hash says so wherever it stands.
        while time is not None and self._ahead and self._ahead[0] <= time:
            self._ahead.pop(0)
        return len(self._ahead) == 1
