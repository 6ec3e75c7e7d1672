"""Handing in: an office's reports are read, linked, sealed, stored and logged."""

from __future__ import annotations

from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.reports import Files, Records, Report, Terms


async def submit(
    context: Context,
    caller: Caller,
    office: str,
    payload: Records | Files,
    terms: Terms = Terms(),
) -> Report:
    """Take what an office hands in, in one transaction with its access-log entry.

    Handing the same in again is safe: under the same key it answers the stored report, without a
    key every record is ``unchanged``.

    Raises:
        NotAllowed: the caller is not this office.
        UnknownOffice: no such office.
        RepeatedKey: the key was used for something else.
        BadJson: the payload is no strict JSON as a whole.
        DatabaseUnavailable: nothing was stored.
    """
    raise NotImplementedError
