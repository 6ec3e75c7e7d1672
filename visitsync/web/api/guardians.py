"""Parental authority and court orders over HTTP."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service import guardians
from visitsync.service.authority import GUARDIAN, ORDER, CourtOrder, Guardian
from visitsync.service.guardians import GuardianEnd, Guardians, RecordedOrder
from visitsync.service.measures import RecordedMeasure
from visitsync.web.api.affairs import listed, posted
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import read_as
from visitsync.web.callers import CALLER, CONTEXT


async def record_guardian(request: web.Request) -> web.Response:
    """Record somebody's parental authority, or that they have none."""
    said = await read_as(request, Guardian)
    household = request.match_info["household"]
    made = await guardians.record_guardian(request.app[CONTEXT], request[CALLER], household, said)
    return answer(made, status=201)


async def record_order(request: web.Request) -> web.Response:
    """Record what a court ordered."""
    said = await read_as(request, CourtOrder)
    household = request.match_info["household"]
    made = await guardians.record_order(request.app[CONTEXT], request[CALLER], household, said)
    return answer(made, status=201)


async def end_guardian(request: web.Request) -> web.Response:
    """Say from when somebody's authority holds no more."""
    return await _end(request, GUARDIAN)


async def end_order(request: web.Request) -> web.Response:
    """Say from when an order holds no more."""
    return await _end(request, ORDER)


async def list_guardians(request: web.Request) -> web.Response:
    """Guardians and orders, and what each guardian said."""
    household, purpose = request.match_info["household"], request.query["purpose"]
    found = await guardians.of_household(request.app[CONTEXT], request[CALLER], household, purpose)
    return answer(found)


async def _end(request: web.Request, kind: str) -> web.Response:
    said = await read_as(request, GuardianEnd)
    made = await guardians.end(
        request.app[CONTEXT], request[CALLER], kind, request.match_info["id"], said.until
    )
    return answer(made)


ROUTES: Final = (
    posted(
        "households/{household}/guardians",
        record_guardian,
        "Record that somebody has, or has not, parental authority; it permits nothing.",
        {201: RecordedMeasure},
        Guardian,
    ),
    posted(
        "guardians/{id}/end",
        end_guardian,
        "Say from when somebody's authority holds no more.",
        {200: RecordedMeasure},
        GuardianEnd,
    ),
    posted(
        "households/{household}/court-orders",
        record_order,
        "Record what a court ordered about the family; it permits nothing.",
        {201: RecordedOrder},
        CourtOrder,
    ),
    posted(
        "court-orders/{id}/end",
        end_order,
        "Say from when a court's order holds no more.",
        {200: RecordedMeasure},
        GuardianEnd,
    ),
    listed(
        "households/{household}/guardians",
        list_guardians,
        "Guardians and court orders of a household, and what each guardian said.",
        Guardians,
    ),
)
