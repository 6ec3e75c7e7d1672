"""Whose tokens were looked at lately."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import Final

from visitsync.service.caller import Caller

_KEPT_SECONDS: Final = 60.0
_MOST_KEPT: Final = 4_096


class Seen:
    """Tokens looked at lately, so that not every request asks the database.

    A revoked token is noticed all the same: its epoch is looked at again with whatever is asked.
    """

    def __init__(self) -> None:
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def get(self, digest: bytes) -> Caller | None:
        """Whose token this was a short while ago."""
        found = self._callers.get(digest)
        if found is None or time.monotonic() - found[0] > _KEPT_SECONDS:
            self._callers.pop(digest, None)
            return None
        return found[1]

    def put(self, digest: bytes, caller: Caller) -> None:
        """Remember it."""
        self._callers[digest] = (time.monotonic(), caller)
        if len(self._callers) > _MOST_KEPT:
            self._callers.popitem(last=False)
