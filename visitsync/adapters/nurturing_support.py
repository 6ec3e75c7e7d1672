"""養育支援訪問事業: by public-health nurses; a visit by 措置 may have no guardian who applied."""

from __future__ import annotations

from typing import Final

from visitsync.adapters import Adapter
from visitsync.fields.submission import read_visits
from visitsync.fields.table import Handed
from visitsync.schema.ids import ProgramId
from visitsync.schema.reading import Reading


def _read(handed: Handed) -> Reading:
    """Nobody need have applied (児童福祉法21条の18); a guardian who is there must have a name."""
    return read_visits(handed, needs_applicant=False)


ADAPTER: Final = Adapter(
    program=ProgramId("nurturing_support"),
    title="養育支援訪問事業",
    absent={
        "units": "the municipality's own staff bill nothing",
        "fee": "free of charge",
        "confirmed_by": "the family signs nothing",
    },
    read=_read,
)
