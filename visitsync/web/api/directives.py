"""Directives over HTTP: a case worker records, confirms and withdraws what a family decides."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal, TypeAlias, get_args

from aiohttp import web
from msgspec import Meta

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import directives, effects, evidence_reading, standings
from visitsync.service.directives import Draft, Recorded, Withdrawal
from visitsync.service.effects import Preview
from visitsync.service.evidence import Evidence, MediaType, refuse_mistaken
from visitsync.service.standings import Directives
from visitsync.web import body
from visitsync.web.acknowledging import HEADER, acknowledged, flag
from visitsync.web.api.households import PURPOSE
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Parameter, Permission, Route

_HOUSEHOLD: Final = "/api/v1/households/{household}/directives"
_DIRECTIVE: Final = "/api/v1/directives/{directive}"
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_CODE: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
"""So narrow that no name of a person can stand there."""

_ENDINGS: Final[dict[MediaType, str]] = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tif",
    "application/json": "json",
    "text/plain": "txt",
}

Code: TypeAlias = Annotated[str, Meta(pattern=_CODE)]
Item: TypeAlias = Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,128}\Z")]
Items: TypeAlias = Annotated[tuple[Item, ...], Meta(max_length=64)] | Literal["*"]


class DirectiveDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a family decides: a consent or a refusal, with what it signed."""

    grantor: Code
    """An id of the guardian, never a name."""
    effect: Literal["permit", "deny"]
    sources: Items
    recipients: Items
    purposes: Items
    categories: Items
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    data_from: dt.date = dt.date(2000, 1, 1)
    data_until: dt.date | None = None
    registrations: Annotated[tuple[Item, ...], Meta(max_length=64)] | Literal["household"] = (
        "household"
    )
    notice_version: Code
    evidence: Evidence | None = None

    def draft(self, household: str) -> Draft:
        """The same for a household, without the evidence."""
        members = {one: getattr(self, one) for one in self.__struct_fields__ if one != "evidence"}
        return Draft(household=household, **members)


class DirectiveWithdrawal(Withdrawal, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who withdraws a directive, and why."""

    by: Code


async def record_directive(request: web.Request) -> web.Response:
    """Record a consent or refusal, or answer what it would change."""
    only_asked = _preview(request)
    caller, context = request[CALLER], request.app[CONTEXT]
    async with body.slot(request, f"{caller.kind}:{caller.id}"):
        most = request.app[body.LIMITS].evidence_body_bytes
        wanted = await read_as(request, DirectiveDraft, most=most)
        draft = wanted.draft(request.match_info["household"])
        if only_asked:
            refuse_mistaken(wanted.evidence)
            return answer(await effects.of_draft(context, caller, draft))
        made = await directives.record(context, caller, draft, wanted.evidence)
    return answer(made, status=201)


async def list_directives(request: web.Request) -> web.Response:
    """The household's directives, and where each stands."""
    household, purpose = request.match_info["household"], request.query["purpose"]
    found = await standings.of_household(request.app[CONTEXT], request[CALLER], household, purpose)
    return answer(found)


async def read_evidence(request: web.Request) -> web.Response:
    """What the family signed, as a file to be kept and never a page to be shown."""
    found = await evidence_reading.of_directive(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["directive"],
        request.query["purpose"],
        acknowledged=acknowledged(request),
    )
    signed = found.evidence
    name = f"evidence.{_ENDINGS[signed.media_type]}"
    return web.Response(
        body=signed.content,
        content_type=signed.media_type,
        charset="utf-8" if signed.media_type == "text/plain" else None,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            **flag(protected=found.protected),
        },
    )


async def confirm_directive(request: web.Request) -> web.Response:
    """Confirm, as a second person, a consent that somebody else recorded."""
    caller, context = request[CALLER], request.app[CONTEXT]
    made = await directives.confirm(context, caller, request.match_info["directive"])
    return answer(made, status=201)


async def withdraw_directive(request: web.Request) -> web.Response:
    """Withdraw a directive, or answer what that would change."""
    only_asked = _preview(request)
    caller, context = request[CALLER], request.app[CONTEXT]
    directive = request.match_info["directive"]
    said = await read_as(request, DirectiveWithdrawal)
    if only_asked:
        return answer(await effects.of_withdrawal(context, caller, directive, said))
    return answer(await directives.withdraw(context, caller, directive, said), status=201)


def _preview(request: web.Request) -> bool:
    wanted = _BOOLEANS.get(request.query.get("preview", "false"))
    if wanted is None:
        raise BadParameter("must be true or false", where="preview")
    return wanted


_ASKED: Final = Parameter(
    name="preview",
    about="`true`: only answer who would gain or lose sight of what; nothing is recorded.",
    schema={"type": "string", "enum": list(_BOOLEANS), "default": "false"},
)

ROUTES: Final = (
    Route(
        method="POST",
        path=_HOUSEHOLD,
        handler=record_directive,
        permission=Permission("record"),
        reveals="reasons",
        query=(_ASKED,),
        operation=Operation(
            about="Record a consent or refusal of the household's family; answers a receipt.",
            takes={JSON: {"$ref": "#/components/schemas/DirectiveDraft"}},
            answers={200: Preview, 201: Recorded},
            uses=(DirectiveDraft,),
        ),
    ),
    Route(
        method="GET",
        path=_HOUSEHOLD,
        handler=list_directives,
        permission=Permission("record"),
        reveals="reasons",
        query=(PURPOSE,),
        operation=Operation(
            about="The household's directives: where each stands, and whom to ask again.",
            answers={200: Directives},
        ),
    ),
    Route(
        method="GET",
        path=f"{_DIRECTIVE}/evidence",
        handler=read_evidence,
        permission=Permission("record"),
        reveals="signed",
        query=(PURPOSE,),
        operation=Operation(
            about="What the family signed for a directive, as a file.",
            answers={},
            files=get_args(MediaType),
            headers=(HEADER,),
        ),
    ),
    Route(
        method="POST",
        path=f"{_DIRECTIVE}/confirm",
        handler=confirm_directive,
        permission=Permission("record"),
        reveals="reasons",
        operation=Operation(
            about="Confirm, as a second person, a consent that waits for one; answers a receipt.",
            answers={201: Recorded},
        ),
    ),
    Route(
        method="POST",
        path=f"{_DIRECTIVE}/withdraw",
        handler=withdraw_directive,
        permission=Permission("record"),
        reveals="reasons",
        query=(_ASKED,),
        operation=Operation(
            about="Withdraw a consent or refusal, from the next question on; answers a receipt.",
            takes={JSON: {"$ref": "#/components/schemas/DirectiveWithdrawal"}},
            answers={200: Preview, 201: Recorded},
            uses=(DirectiveWithdrawal,),
        ),
    ),
)
