"""What a crash leaves behind: where it happened. No message, no value, no picture of the memory."""

from __future__ import annotations

import json
import sys
import threading
from types import TracebackType
from typing import Final

_SET_DUMPABLE: Final = 4
"""``PR_SET_DUMPABLE`` of prctl(2)."""


def leave_nothing() -> None:
    """From now on, in this process; Python itself would print messages, which repeat values."""
    sys.excepthook = lambda kind, _, trace: _tell(kind, trace)
    threading.excepthook = lambda one: _tell(one.exc_type, one.exc_traceback)
    sys.unraisablehook = lambda one: _tell(one.exc_type, one.exc_traceback)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 -- not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 -- only needed here

        # Where a program collects cores, the limit is not heeded (core(5)).
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _tell(kind: type[BaseException], trace: TracebackType | None) -> None:
    from visitsync import logs  # noqa: PLC0415 -- loads much that asking for help does not need

    line = {
        "error": kind.__name__,
        "event": "crashed",
        "frames": logs.frames(trace),
        "level": "critical",
    }
    sys.stderr.write(json.dumps(line) + "\n")
