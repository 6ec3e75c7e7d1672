"""Types that print their name and nothing they hold, which may come from a record.

Whatever is printed ends up in a log, a terminal, a report of a bug or somebody's mail. So no type
prints its members; one whose members can hold no word of a family may say so with a `__repr__`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

T = TypeVar("T")


def silent(kind: type[T]) -> type[T]:
    """Make a type as silent as a `Struct`: a named tuple, a dataclass, a struct that changes."""
    for name, printing in (("__repr__", _name_only), ("__rich_repr__", _no_members)):
        setattr(kind, name, printing)
    return kind


def _name_only(self: object) -> str:
    return f"<{type(self).__name__}>"


def _no_members(_: object) -> Iterator[object]:
    # What rich asks for; msgspec's own answers with every value.
    return iter(())


@silent
class Struct(msgspec.Struct, frozen=True):
    """The base of all our structs: as msgspec's own, but silent."""
