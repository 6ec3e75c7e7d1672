"""Long work on the event loop, in slices between which others get their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

SLICE: Final = 128


async def in_slices(items: Iterable[T], size: int = SLICE) -> AsyncIterator[T]:
    """Each of `items`; after every `size` of them whatever else waits goes first.

    Choose `size` so that a slice takes a few milliseconds.
    """
    for number, one in enumerate(items, 1):
        yield one
        if number % size == 0:
            await asyncio.sleep(0)
