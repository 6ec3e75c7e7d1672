"""A connection to the embedded database that lets go of the file when it is closed.

Python closes one with ``sqlite3_close_v2``: while a cursor has rows to come, it lives on unseen,
with its transaction and its lock. The cursor of a cancelled statement is kept by the frames of what
was raised, for as long as anybody keeps that.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from typing import Any


class EmbeddedConnection(sqlite3.Connection):
    """A connection that ends its cursors and its transaction before itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- as the driver gives them
        super().__init__(*args, **kwargs)
        self._given = weakref.WeakSet[sqlite3.Cursor]()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- a cursor of any class
        """A cursor, remembered."""
        made = super().cursor(*args, **kwargs)
        self._given.add(made)
        return made

    def execute(self, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401 -- as the driver gives them
        """Execute a statement with a cursor of its own."""
        # sqlite3's own shortcuts make a cursor past `cursor`.
        made: sqlite3.Cursor = self.cursor()
        return made.execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:  # noqa: ANN401 -- as the driver gives them
        """Execute a statement several times with a cursor of its own."""
        made: sqlite3.Cursor = self.cursor()
        return made.executemany(*args)

    def close(self) -> None:
        """Close it; its file is free at once."""
        # What cannot be ended is broken or was closed before; it is closed all the same.
        with contextlib.suppress(sqlite3.Error):
            self.rollback()
        for one in tuple(self._given):
            with contextlib.suppress(sqlite3.Error):
                one.close()
        super().close()
