"""Council cases and invoked laws over HTTP: what opens a household without a consent."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from visitsync.service import council, invocations, invoked, openings
from visitsync.service.council import CaseDraft, CaseMembers, CouncilCases
from visitsync.service.invocations import InvocationAsked, InvocationDraft
from visitsync.service.invoked import Invocations
from visitsync.service.measures import RecordedMeasure
from visitsync.service.openings import Kind, ShieldOpening
from visitsync.web.api.households import PURPOSE
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Handler, Operation, Permission, Route


async def record_council_case(request: web.Request) -> web.Response:
    """Record a case of the council."""
    draft = await read_as(request, CaseDraft)
    made = await council.record(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=201)


async def list_council_cases(request: web.Request) -> web.Response:
    """The household's council cases with all their versions."""
    household, purpose = request.match_info["household"], request.query["purpose"]
    return answer(
        await council.of_household(request.app[CONTEXT], request[CALLER], household, purpose)
    )


async def change_council_members(request: web.Request) -> web.Response:
    """Say who sits in a case from now on."""
    wanted = await read_as(request, CaseMembers)
    made = await council.change_members(
        request.app[CONTEXT], request[CALLER], request.match_info["id"], wanted
    )
    return answer(made)


async def close_council_case(request: web.Request) -> web.Response:
    """End a case."""
    return answer(
        await council.close(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def ask_invocation(request: web.Request) -> web.Response:
    """Ask for a law to be invoked."""
    draft = await read_as(request, InvocationDraft)
    made = await invocations.ask(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=202)


async def list_invocations(request: web.Request) -> web.Response:
    """The household's invocations, and what waits."""
    household, purpose = request.match_info["household"], request.query["purpose"]
    return answer(
        await invoked.of_household(request.app[CONTEXT], request[CALLER], household, purpose)
    )


async def approve_invocation(request: web.Request) -> web.Response:
    """Approve what somebody else asked for."""
    made = await invocations.approve(
        request.app[CONTEXT], request[CALLER], request.match_info["id"]
    )
    return answer(made)


async def end_invocation(request: web.Request) -> web.Response:
    """End an invocation before its time."""
    return answer(
        await invocations.end(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def open_shield_for_invocation(request: web.Request) -> web.Response:
    """Confirm an invocation for one shield."""
    return await _open(request, "invocation")


async def open_shield_for_grant(request: web.Request) -> web.Response:
    """Confirm an emergency access for one shield."""
    return await _open(request, "break_glass")


async def _open(request: web.Request, kind: Kind) -> web.Response:
    said = await read_as(request, ShieldOpening)
    made = await openings.confirm(
        request.app[CONTEXT], request[CALLER], kind, request.match_info["id"], said
    )
    return answer(made)


def _post(
    path: str, handler: Handler, about: str, answers: dict[int, Any], form: type | None = None
) -> Route:
    takes = None if form is None else {JSON: {"$ref": f"#/components/schemas/{form.__name__}"}}
    return Route(
        method="POST",
        path=f"/api/v1/{path}",
        handler=handler,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about=about,
            takes=takes,
            answers=answers,
            uses=() if form is None else (form,),
        ),
    )


def _get(path: str, handler: Handler, about: str, kind: type) -> Route:
    return Route(
        method="GET",
        path=f"/api/v1/{path}",
        handler=handler,
        permission=Permission("record"),
        reveals="measures",
        query=(PURPOSE,),
        operation=Operation(about=about, answers={200: kind}),
    )


ROUTES: Final = (
    _post(
        "households/{household}/council-cases",
        record_council_case,
        "Record a case of the council for children needing protection.",
        {201: RecordedMeasure},
        CaseDraft,
    ),
    _get(
        "households/{household}/council-cases",
        list_council_cases,
        "The household's council cases, each with all its versions.",
        CouncilCases,
    ),
    _post(
        "council-cases/{id}/members",
        change_council_members,
        "Say who sits in a council case from now on: the whole list.",
        {200: RecordedMeasure},
        CaseMembers,
    ),
    _post(
        "council-cases/{id}/close",
        close_council_case,
        "End a council case.",
        {200: RecordedMeasure},
    ),
    _post(
        "households/{household}/invocations",
        ask_invocation,
        "Ask for a law to be invoked; it opens nothing until somebody else approves.",
        {202: InvocationAsked},
        InvocationDraft,
    ),
    _get(
        "households/{household}/invocations",
        list_invocations,
        "The household's invocations, and the requests that wait.",
        Invocations,
    ),
    _post(
        "invocations/{id}/approve",
        approve_invocation,
        "Approve an invocation that somebody else asked for.",
        {200: RecordedMeasure},
    ),
    _post(
        "invocations/{id}/end",
        end_invocation,
        "End an invocation before its time.",
        {200: RecordedMeasure},
    ),
    _post(
        "invocations/{id}/shield",
        open_shield_for_invocation,
        "Confirm, as somebody not involved, that an invocation opens the address past one shield.",
        {200: RecordedMeasure},
        ShieldOpening,
    ),
    _post(
        "break-glass/{id}/shield",
        open_shield_for_grant,
        "Confirm, as somebody not involved, that an emergency access opens the address past one "
        "shield.",
        {200: RecordedMeasure},
        ShieldOpening,
    ),
)
