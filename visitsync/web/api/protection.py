"""Protecting a family over HTTP: shields, blocks, lifts, and ending them by two people."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service import blocks, closing, lifts, shields
from visitsync.service.blocks import BlockDraft
from visitsync.service.closing import ClosingAsked, Kind
from visitsync.service.lifts import LiftDraft, Lifted, LiftStanding, LiftUse
from visitsync.service.measures import RecordedMeasure
from visitsync.service.shields import AgeingReport, Confirmation, ShieldDraft
from visitsync.web.acknowledging import HEADER, acknowledged
from visitsync.web.api.affairs import posted
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Permission, Route


async def record_shield(request: web.Request) -> web.Response:
    """Begin a provisional shield."""
    draft = await read_as(request, ShieldDraft, empty=True)
    made = await shields.record(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=201)


async def confirm_shield(request: web.Request) -> web.Response:
    """Confirm a shield, or put off its date."""
    said = await read_as(request, Confirmation, empty=True)
    made = await shields.confirm(
        request.app[CONTEXT], request[CALLER], request.match_info["id"], said
    )
    return answer(made)


async def ageing_shields(request: web.Request) -> web.Response:
    """Shields that wait for somebody."""
    return answer(await shields.ageing(request.app[CONTEXT], request[CALLER]))


async def record_block(request: web.Request) -> web.Response:
    """Begin a block."""
    draft = await read_as(request, BlockDraft)
    made = await blocks.record(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=201)


async def ask_to_close_shield(request: web.Request) -> web.Response:
    """Ask that a shield be closed."""
    return await _ask(request, "shield")


async def close_shield(request: web.Request) -> web.Response:
    """Close a shield that somebody else asked to close."""
    return await _approve(request, "shield")


async def ask_to_close_block(request: web.Request) -> web.Response:
    """Ask that a block be closed."""
    return await _ask(request, "block")


async def close_block(request: web.Request) -> web.Response:
    """Close a block that somebody else asked to close."""
    return await _approve(request, "block")


async def ask_for_lift(request: web.Request) -> web.Response:
    """Ask for a lift past a shield."""
    draft = await read_as(request, LiftDraft)
    made = await lifts.ask(request.app[CONTEXT], request[CALLER], request.match_info["id"], draft)
    return answer(made, status=201)


async def approve_lift(request: web.Request) -> web.Response:
    """Approve a lift that somebody else asked for."""
    return answer(
        await lifts.approve(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def use_lift(request: web.Request) -> web.Response:
    """Answer address and telephone for one document, once."""
    said = await read_as(request, LiftUse)
    made = await lifts.use(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["id"],
        said.purpose,
        acknowledged=acknowledged(request),
    )
    return answer(made)


async def _ask(request: web.Request, kind: Kind) -> web.Response:
    asked = await closing.ask(request.app[CONTEXT], request[CALLER], kind, request.match_info["id"])
    return answer(asked, status=202)


async def _approve(request: web.Request, kind: Kind) -> web.Response:
    made = await closing.approve(
        request.app[CONTEXT], request[CALLER], kind, request.match_info["id"]
    )
    return answer(made)


ROUTES: Final = (
    posted(
        "households/{household}/shields",
        record_shield,
        "Begin a provisional address shield; an empty body is enough.",
        {201: RecordedMeasure},
        ShieldDraft,
    ),
    posted(
        "shields/{id}/confirm",
        confirm_shield,
        "Confirm a provisional shield, or put off its date.",
        {200: RecordedMeasure},
        Confirmation,
    ),
    posted(
        "shields/{id}/close",
        ask_to_close_shield,
        "Ask that a shield be closed; it goes on until somebody else approves.",
        {202: ClosingAsked},
    ),
    posted(
        "shields/{id}/close/approve",
        close_shield,
        "Close a shield that somebody else asked to close.",
        {200: RecordedMeasure},
    ),
    Route(
        method="GET",
        path="/api/v1/shields/ageing",
        handler=ageing_shields,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about="Shields provisional for over a day, or near or past their date.",
            answers={200: AgeingReport},
        ),
    ),
    posted(
        "households/{household}/blocks",
        record_block,
        "Begin a block: who must not see the household.",
        {201: RecordedMeasure},
        BlockDraft,
    ),
    posted(
        "blocks/{id}/close",
        ask_to_close_block,
        "Ask that a block be closed; it goes on until somebody else approves.",
        {202: ClosingAsked},
    ),
    posted(
        "blocks/{id}/close/approve",
        close_block,
        "Close a block that somebody else asked to close.",
        {200: RecordedMeasure},
    ),
    posted(
        "shields/{id}/lifts",
        ask_for_lift,
        "Ask for a lift past a shield: one document, one recipient.",
        {201: LiftStanding},
        LiftDraft,
    ),
    posted(
        "lifts/{id}/approve",
        approve_lift,
        "Approve a lift that somebody else asked for; it can be used for 15 minutes.",
        {200: LiftStanding},
    ),
    Route(
        method="POST",
        path="/api/v1/lifts/{id}/use",
        handler=use_lift,
        permission=Permission("read"),
        reveals="released",
        operation=Operation(
            about="Address and telephone for one document: to the recipient, once.",
            takes={JSON: {"$ref": "#/components/schemas/LiftUse"}},
            answers={200: Lifted},
            headers=(HEADER,),
            uses=(LiftUse,),
        ),
    ),
)
