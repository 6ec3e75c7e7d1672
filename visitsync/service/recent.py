"""A bounded memory of what was used last."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps the `most` values that were used last; never printed."""

    __slots__ = ("_kept", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What was put under `key`, if it is still there."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep it, and let go of what was not used for longest."""
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key: K) -> None:
        """Let go of it, if it is there."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Let go of everything."""
        self._kept.clear()

    def keys(self) -> tuple[K, ...]:
        """All keys, the longest unused first."""
        return tuple(self._kept)

    def __repr__(self) -> str:
        return f"<Recent, {len(self._kept)} kept>"
