"""The service with faults in it: ``python crashing.py PORT WORDS [unguarded]``.

Each fault has a household's timeline in its hands, and the words in its message.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import resource
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, Final

from visitsync import logs
from visitsync.__main__ import main
from visitsync.cli import serve
from visitsync.cli.terminal import crashing
from visitsync.errors import DatabaseUnavailable
from visitsync.service import timelines
from visitsync.web.limits import Limits
from visitsync.web.serving import served

WORDS: Final = "".join(sys.argv[2:3])
_KEPT: list[Any] = []


class Fault(Exception):
    """Nobody catches it."""


def _in_a_task(held: Any) -> None:
    async def fail() -> None:
        raise Fault(WORDS, held)

    asyncio.get_running_loop().create_task(fail())


def _in_a_thread(held: Any) -> None:
    def fail() -> None:
        raise Fault(WORDS, held)

    threading.Thread(target=fail).start()


def _while_let_go(held: Any) -> None:
    class One:
        def __del__(self) -> None:
            raise Fault(WORDS, held)

    One()


def _in_a_callback(held: Any) -> None:
    def fail() -> None:
        raise Fault(WORDS, held)

    asyncio.get_running_loop().call_soon(fail)


def _by_a_library(held: Any) -> None:
    logging.getLogger("aiohttp.server").error("%s %s", WORDS, held, exc_info=Fault(WORDS))
    warnings.warn(WORDS, stacklevel=1)


def _raised(held: Any) -> None:
    raise Fault(WORDS, held)


def _unavailable(held: Any) -> None:
    raise DatabaseUnavailable(WORDS, where=WORDS) from Fault(held)


FAULTS: Final[dict[int, Callable[[Any], None]]] = {
    11: _raised,
    12: _unavailable,
    13: _in_a_task,
    14: _in_a_thread,
    15: _while_let_go,
    16: _in_a_callback,
    17: _by_a_library,
}
"""By the page's length that asks for it."""
_view = timelines.view


async def _faulty(*given: Any, **named: Any) -> Any:
    found = await _view(*given, **named)
    _KEPT.append(found)  # in memory when it is aborted
    for one in given:
        fault = FAULTS.get(getattr(one, "limit", 0) or 0)
        if fault is not None:
            fault(found)
    return found


if __name__ == "__main__":
    if "unguarded" in sys.argv:
        crashing.leave_nothing = lambda: None
        logs.set_up = lambda *_, **__: None
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    timelines.view = _faulty
    vars(serve)["served"] = functools.partial(served, limits=Limits(requests_per_minute=1_000_000))
    sys.argv[1:] = ["serve", "--port", sys.argv[1]]
    main()
