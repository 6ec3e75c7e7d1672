"""Keeping the directory: agencies, offices, staff, caseloads and layouts, from one file."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from visitsync.schema.directory import Directory
from visitsync.service.caller import Caller
from visitsync.service.context import Context


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the installation should know after applying."""

    directory: Directory
    households: Mapping[str, tuple[tuple[str, str], ...]] = {}
    """The labels that caseloads name, each with its registrations (office, case number)."""
    layouts: tuple[str, ...] = ()
    """The TOML texts of layouts."""


class Change(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One difference between the file and what is known."""

    kind: str
    """``municipality``, ``agency``, ``office``, ``staff``, ``caseload``, ``directive``, ``layout``."""
    id: str
    what: str
    """``added``, ``changed`` or ``ended``."""
    fields: tuple[str, ...] = ()
    """Which members change; no values, since names of staff are among them."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What applying would change; empty where nothing differs."""

    changes: tuple[Change, ...]


async def plan(context: Context, wanted: Wanted) -> Difference:
    """What `apply` would change."""
    raise NotImplementedError


async def apply(context: Context, caller: Caller, wanted: Wanted) -> Difference:
    """Make the directory as wanted; staff and offices that are gone from the file end.

    Raises:
        DirectoryError: it contradicts what is known, such as an office's program.
        NotAllowed: the caller is no operator.
    """
    raise NotImplementedError


async def current(context: Context) -> Directory:
    """The directory as it is known now.

    Raises:
        DirectoryError: none was applied yet.
    """
    raise NotImplementedError
