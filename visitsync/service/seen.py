"""Whose tokens were looked at lately."""

from __future__ import annotations

import time
from typing import Final

from visitsync.service.caller import Caller
from visitsync.service.recent import Recent

_KEPT_SECONDS: Final = 60.0
_MOST_KEPT: Final = 4_096


class Seen:
    """Tokens looked at lately, so that not every request asks the database.

    A revoked token is noticed all the same: its epoch is looked at again with whatever is asked.
    """

    def __init__(self) -> None:
        self._callers: Recent[bytes, tuple[float, Caller]] = Recent(_MOST_KEPT)

    def get(self, digest: bytes) -> Caller | None:
        """Whose token this was a short while ago."""
        found = self._callers.get(digest)
        if found is None or time.monotonic() - found[0] > _KEPT_SECONDS:
            self._callers.drop(digest)
            return None
        return found[1]

    def put(self, digest: bytes, caller: Caller) -> None:
        """Remember it."""
        self._callers.put(digest, (time.monotonic(), caller))
