"""Explaining who can see a household: now, back then, or if a directive were recorded."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
from aiohttp import web

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import explaining
from visitsync.service.directives import Draft
from visitsync.service.explanations import Asked, Explanation
from visitsync.web.api.households import PURPOSE
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Parameter, Permission, Route

_PATH: Final = "/api/v1/households/{household}/explain"


class Simulation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A directive as if it were recorded, and why it is asked."""

    purpose: str
    draft: dict[str, Any]
    """The members of a directive, as for recording one."""
    viewer: str | None = None


async def explain(request: web.Request) -> web.Response:
    """Who can see what of the household, and why."""
    query = request.query
    asked = Asked(
        purpose=query["purpose"],
        viewer=query.get("viewer") or None,
        known_at=_instant(query.get("known_at")),
    )
    return await _answered(request, asked)


async def simulate(request: web.Request) -> web.Response:
    """The same, as if a directive were recorded."""
    asked = await read_as(request, Simulation)
    draft = _draft({**asked.draft, "household": request.match_info["household"]})
    return await _answered(request, Asked(purpose=asked.purpose, viewer=asked.viewer, draft=draft))


async def _answered(request: web.Request, asked: Asked) -> web.Response:
    household = request.match_info["household"]
    return answer(await explaining.explain(request.app[CONTEXT], request[CALLER], household, asked))


def _draft(members: dict[str, Any]) -> Draft:
    try:
        return msgspec.convert(members, Draft)
    except msgspec.ValidationError:
        raise BadParameter("The directive is not of its form", where="draft") from None


def _instant(written: str | None) -> dt.datetime | None:
    if not written:
        return None
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadParameter("must be a time with an offset (RFC 3339)", where="known_at")
    return found


_VIEWER: Final = Parameter(
    name="viewer", about="Only what this member of staff would see.", schema={"type": "string"}
)

ROUTES: Final = (
    Route(
        method="GET",
        path=_PATH,
        handler=explain,
        permission=Permission("read", or_scope="audit"),
        reveals="reasons",
        query=(
            PURPOSE,
            _VIEWER,
            Parameter(
                name="known_at",
                about="As it was known then; for protection officers and auditors, scope `audit`.",
                schema={"type": "string", "format": "date-time"},
            ),
        ),
        operation=Operation(
            about="Who can see something of the household, for what purpose, and why.",
            answers={200: Explanation},
        ),
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=simulate,
        permission=Permission("read"),
        reveals="reasons",
        operation=Operation(
            about="The same, as if a directive were recorded; nothing is.",
            takes={JSON: {"$ref": "#/components/schemas/Simulation"}},
            answers={200: Explanation},
            uses=(Simulation,),
        ),
    ),
)
