"""The service's own log: JSON lines, ASCII only, and nothing that is not on the list below.

It is for operators, so it must hold nothing about a family. A field that is not listed is dropped
and counted; a message is one of our own words. What somebody looked at stands in the access log.
"""

from __future__ import annotations

import logging
import math
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import PurePath
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

ALLOWED: Final = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "code",
        "count",
        "dropped",
        "error",
        "frames",
        "host",
        "incident",
        "kind",
        "method",
        "milliseconds",
        "office",
        "port",
        "purpose",
        "request",
        "route",
        "scope",
        "size",
        "status",
        "token",
        "version",
        "where",
    }
)
"""``route`` is the declared path and never the one asked for; ``frames`` are places in the code
without values; ``error`` is the class of an exception, ``where`` what it names."""

_MOST_CHARACTERS: Final = 500
_MOST_FRAMES: Final = 8
_EVENT: Final = re.compile("[a-z][a-z_]*")
"""One of our own words; a sentence may have been put together from what was read."""


def set_up(stream: TextIO | None = None, *, debug: bool = False) -> None:
    """Write the log to `stream` (stderr), for this process.

    The standard library's loggers and warnings, which libraries write to, are shut off: what they
    write repeats addresses, headers and values.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if debug else logging.INFO
        ),
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [logging.NullHandler()]
    root.setLevel(logging.CRITICAL)
    logging.captureWarnings(capture=True)


def only_allowed(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list, and everything that is no plain value."""
    kept = {name: value for name, value in event.items() if name in ALLOWED and _is_plain(value)}
    if not _EVENT.fullmatch(str(kept.get("event", ""))):
        kept.pop("event", None)
    dropped = len(event) - len(kept)
    if dropped:
        kept["dropped"] = dropped
    return kept


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        # A long text, or one in Japanese, is something that was read and not something of ours; so
        # is one with a line's end or a terminal's command in it.
        return value.isascii() and value.isprintable() and len(value) <= _MOST_CHARACTERS
    if isinstance(value, list | tuple):
        return all(isinstance(one, str) and _is_plain(one) for one in value)
    if isinstance(value, float):
        return math.isfinite(value)  # else the line is no JSON
    return value is None or isinstance(value, int)


def frames(trace: TracebackType | None) -> list[str]:
    """Where it happened, innermost last: files and lines, never messages, which may hold values."""
    found = traceback.extract_tb(trace)[-_MOST_FRAMES:]
    return [f"{PurePath(one.filename).name}:{one.lineno}:{one.name}" for one in found]
