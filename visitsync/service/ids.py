"""visitsync's own ids: new ones, and keyed ones that say the same thing twice for the same thing."""

from __future__ import annotations

import base64

from uuid_utils import uuid7

from visitsync.envelope import IndexKey

_KEPT: int = 16
"""Bytes of a keyed hash; 128 bits never meet by chance."""


def new_id(prefix: str) -> str:
    """An id that nothing else has; ids made later sort later."""
    return prefix + _spelt(uuid7().bytes)


def visit_id(index: IndexKey, office: str, record_id: str) -> str:
    """The id of a report, whichever revision: the office and its own id, keyed."""
    return "v" + _spelt(index.exact("visit", office, record_id)[:_KEPT])


def registration_id(index: IndexKey, office: str, case_no: str | None, record_id: str) -> str:
    """The id of a registration: the office and its case number, keyed; or, without one, the report."""
    if case_no:
        return "r" + _spelt(index.exact("registration", office, "case", case_no)[:_KEPT])
    return "r" + _spelt(index.exact("registration", office, "record", record_id)[:_KEPT])


def _spelt(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()
