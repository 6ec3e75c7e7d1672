"""Council cases and invoked laws over HTTP: what opens a household without a consent."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service import council, invocations, invoked, openings
from visitsync.service.council import CaseDraft, CaseMembers, CouncilCases
from visitsync.service.invocations import InvocationAsked, InvocationDraft
from visitsync.service.invoked import Invocations
from visitsync.service.measures import RecordedMeasure
from visitsync.service.openings import Kind, ShieldOpening
from visitsync.web.api.affairs import listed, posted
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import read_as
from visitsync.web.callers import CALLER, CONTEXT


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


ROUTES: Final = (
    posted(
        "households/{household}/council-cases",
        record_council_case,
        "Record a case of the council for children needing protection.",
        {201: RecordedMeasure},
        CaseDraft,
    ),
    listed(
        "households/{household}/council-cases",
        list_council_cases,
        "The household's council cases, each with all its versions.",
        CouncilCases,
    ),
    posted(
        "council-cases/{id}/members",
        change_council_members,
        "Say who sits in a council case from now on: the whole list.",
        {200: RecordedMeasure},
        CaseMembers,
    ),
    posted(
        "council-cases/{id}/close",
        close_council_case,
        "End a council case.",
        {200: RecordedMeasure},
    ),
    posted(
        "households/{household}/invocations",
        ask_invocation,
        "Ask for a law to be invoked; it opens nothing until somebody else approves.",
        {202: InvocationAsked},
        InvocationDraft,
    ),
    listed(
        "households/{household}/invocations",
        list_invocations,
        "The household's invocations, and the requests that wait.",
        Invocations,
    ),
    posted(
        "invocations/{id}/approve",
        approve_invocation,
        "Approve an invocation that somebody else asked for.",
        {200: RecordedMeasure},
    ),
    posted(
        "invocations/{id}/end",
        end_invocation,
        "End an invocation before its time.",
        {200: RecordedMeasure},
    ),
    posted(
        "invocations/{id}/shield",
        open_shield_for_invocation,
        "Confirm, as somebody not involved, that an invocation opens the address past one shield.",
        {200: RecordedMeasure},
        ShieldOpening,
    ),
    posted(
        "break-glass/{id}/shield",
        open_shield_for_grant,
        "Confirm, as somebody not involved, that an emergency access opens the address past one "
        "shield.",
        {200: RecordedMeasure},
        ShieldOpening,
    ),
)
