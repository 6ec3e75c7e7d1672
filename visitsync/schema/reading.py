"""What reading files yields: visits, and problems that say where and why but not what."""

from __future__ import annotations

from typing import Literal, TypeAlias

from visitsync.schema.silent import Struct
from visitsync.schema.visit import Visit

Level: TypeAlias = Literal["reject", "warn", "file"]
"""``reject``: this row is not taken; ``warn``: taken, but look; ``file``: nothing is taken."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing somebody at the office must look at. Holds no content of any cell."""

    file: str
    row: int | None
    """1-based as a person would count it; None where it concerns the whole file."""
    level: Level
    code: str
    """Stable; its sentences in Japanese and English stand in ``problems.toml``."""
    column: str | None
    """The label of the column as the layout names it."""


class Reading(Struct, frozen=True, kw_only=True):
    """All that the files handed in together yielded; no row is lost silently."""

    visits: tuple[Visit, ...] = ()
    problems: tuple[Problem, ...] = ()
    unread_columns: frozenset[str] = frozenset()
