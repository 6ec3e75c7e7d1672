"""Erasing a household over HTTP: asking, deciding, taking back, and what holds it up."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service import erasure_list, erasures, holds
from visitsync.service.erasure_list import Erasures
from visitsync.service.erasures import ErasureDraft, ErasureStanding
from visitsync.service.holds import HoldDraft, HoldStanding
from visitsync.web.api.affairs import listed, posted
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import read_as
from visitsync.web.callers import CALLER, CONTEXT


async def ask_erasure(request: web.Request) -> web.Response:
    """Ask for a household to be erased."""
    draft = await read_as(request, ErasureDraft)
    made = await erasures.ask(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=202)


async def list_erasures(request: web.Request) -> web.Response:
    """What was asked for, and what holds it up."""
    household, purpose = request.match_info["household"], request.query["purpose"]
    return answer(
        await erasure_list.of_household(request.app[CONTEXT], request[CALLER], household, purpose)
    )


async def approve_erasure(request: web.Request) -> web.Response:
    """Decide what somebody else asked for."""
    return answer(
        await erasures.decide(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def withdraw_erasure(request: web.Request) -> web.Response:
    """Take it back."""
    return answer(
        await erasures.withdraw(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def place_hold(request: web.Request) -> web.Response:
    """Place a hold."""
    draft = await read_as(request, HoldDraft)
    made = await holds.place(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=201)


async def ask_to_lift_hold(request: web.Request) -> web.Response:
    """Ask that a hold be lifted."""
    made = await holds.ask_to_lift(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    return answer(made, status=202)


async def lift_hold(request: web.Request) -> web.Response:
    """Lift a hold that somebody else asked to lift."""
    return answer(await holds.lift(request.app[CONTEXT], request[CALLER], request.match_info["id"]))


ROUTES: Final = (
    posted(
        "households/{household}/erasures",
        ask_erasure,
        "Ask for a household to be erased; nothing happens until somebody else decides.",
        {202: ErasureStanding},
        ErasureDraft,
    ),
    listed(
        "households/{household}/erasures",
        list_erasures,
        "The household's erasures, and the holds that stand.",
        Erasures,
    ),
    posted(
        "erasures/{id}/approve",
        approve_erasure,
        "Decide an erasure that somebody else asked for; it is announced from now on.",
        {200: ErasureStanding},
    ),
    posted(
        "erasures/{id}/withdraw",
        withdraw_erasure,
        "Take an erasure back, until it is executed.",
        {200: ErasureStanding},
    ),
    posted(
        "households/{household}/holds",
        place_hold,
        "Place a hold: while it stands nothing of the household is erased.",
        {201: HoldStanding},
        HoldDraft,
    ),
    posted(
        "holds/{id}/lift",
        ask_to_lift_hold,
        "Ask that a hold be lifted; it stands until somebody else agrees.",
        {202: HoldStanding},
    ),
    posted(
        "holds/{id}/lift/approve",
        lift_hold,
        "Lift a hold that somebody else asked to lift.",
        {200: HoldStanding},
    ),
)
