"""Whether the installation is fit: settings, database, keys, clock and the log's head."""

from __future__ import annotations

import msgspec

from visitsync.settings import Settings


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    """``settings``, ``keys``, ``database``, ``schema``, ``durability``, ``clock``, ``log``."""
    fit: bool
    code: str
    """``fit``, or the code of what is wrong."""
    message: str
    """What is wrong and how to mend it; empty where it is fit."""


async def checks(settings: Settings) -> tuple[Check, ...]:
    """Look at everything; never raises for what is unfit."""
    raise NotImplementedError
