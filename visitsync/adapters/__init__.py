"""Read, one file per program: labelled cells become visits, or a problem that says where and why.

An adapter is a module of this folder that declares one value, ``ADAPTER``. It is found by scanning
the folder; to add a program is to add its file. What differs between offices of one program
(columns, encoding, dates, marks) is a layout, which is data. Adapters open nothing and know of no
other program.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from visitsync.errors import OperatorError
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Reading
from visitsync.schema.silent import silent


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What a program's file must declare, under the name ``ADAPTER``."""

    program: ProgramId
    """The same as the file's name, for ever; stored with every visit."""

    title: str
    """What people call the program."""

    absent: Mapping[str, str]
    """Fields of a visit (by the paths of ``vocabulary.toml``) that this program's offices never
    report, each with the reason. A field that always has its default counts as not reported."""

    read: Callable[[Handed], Reading]
    """Total and pure: any tables give a `Reading`; nothing is raised on content."""

    holds: frozenset[str] = frozenset({"visits"})
    """What its files may hold: ``visits``, ``fees``."""


@cache
def load_adapters() -> Mapping[ProgramId, Adapter]:
    """Import every module of this folder and return its adapter by program.

    Raises:
        OperatorError: where a module declares no adapter, or one of another name than its file's.
    """
    found: dict[ProgramId, Adapter] = {}
    for module_info in pkgutil.iter_modules(__path__):
        name = module_info.name
        adapter: object = getattr(importlib.import_module(f"{__name__}.{name}"), "ADAPTER", None)
        where = f"{__name__}.{name}"
        if not isinstance(adapter, Adapter):
            raise OperatorError("The installation holds a file without an ADAPTER", where=where)
        if adapter.program != name:
            raise OperatorError("The ADAPTER's program is not its file's name", where=where)
        found[adapter.program] = adapter
    return MappingProxyType(found)
