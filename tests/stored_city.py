"""A small installation with something in most tables."""

from __future__ import annotations

from build import (
    CARE,
    OTHER_FAMILY,
    SECOND_OFFICE,
    WORKER,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
    of_second_office,
)

from visitsync.service import timelines
from visitsync.service.context import Context


async def a_city(context: Context) -> str:
    """Reports of two offices about two households, a consent and looks; answers the first one."""
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    await handed_in(context, [of_second_office(1)], SECOND_OFFICE)
    await handed_in(context, [a_visit(5, case_no="F-2", persons=OTHER_FAMILY)])
    await handed_in(context, [a_visit(1, revision=2, state="corrected", notes={"notes": "訂正"})])
    home = await home_of(context)
    await consented(context, home)
    await timelines.view(context, WORKER, home, CARE)
    return home
