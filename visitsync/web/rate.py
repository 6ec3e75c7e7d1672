"""How often one client may ask: the generic cell rate algorithm, in the memory of this process."""

from __future__ import annotations

from typing import Final

_MOST_KEYS: Final = 10_000


class Rate:
    """Lets each key act `per_minute` times a minute, evenly, after a burst.

    Holds one time per key; forgets keys that are no longer held back.
    """

    def __init__(self, per_minute: int, burst: int) -> None:
        self._step = 60.0 / per_minute
        self._slack = self._step * max(burst - 1, 0)
        self._due: dict[str, float] = {}

    def wait(self, key: str, now: float) -> float:
        """Seconds until `key` may act; 0.0 where it may now, which is then counted.

        Args:
            key: who acts.
            now: seconds of a clock that never goes back.
        """
        due = max(self._due.get(key, now), now)
        held_back = due - self._slack - now
        if held_back > 0:
            return held_back
        self._due[key] = due + self._step
        if len(self._due) > _MOST_KEYS:
            self._due = {one: then for one, then in self._due.items() if then > now}
        return 0.0
