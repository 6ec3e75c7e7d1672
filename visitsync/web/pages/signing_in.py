"""Signing in with a token, and out again."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from visitsync.errors import NotSignedIn, VisitsyncError
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import directory
from visitsync.service.caller import Caller
from visitsync.web import language
from visitsync.web.callers import CONTEXT, SESSIONS, authenticate
from visitsync.web.pages import forms, origin, rendering, sessions
from visitsync.web.pages.sessions import Viewer
from visitsync.web.route import Parameter, Route, open_to_all

LANG: Final = Parameter(
    name="lang", about="The language to read in.", schema={"type": "string", "enum": ["ja", "en"]}
)
_MEMBER_PURPOSES: Final = ("care_coordination", "protection")


async def first(request: web.Request) -> web.Response:
    """To where the work begins."""
    signed_in = request.app[SESSIONS].viewer(request.cookies.get(sessions.COOKIE)).name
    return _see_other("/search" if signed_in else "/sign-in")


async def form(request: web.Request) -> web.Response:
    """The form."""
    return rendering.page("sign_in.html", language.of(request), refused=False)


async def sign_in(request: web.Request) -> web.Response:
    """Begin a session, with a new id, if the token holds."""
    fields = await forms.read(request, frozenset({"token"}))
    token = fields.get("token", "")
    known = request.app[SESSIONS]
    try:
        caller = await authenticate(request, token)
    except NotSignedIn:
        return rendering.page("sign_in.html", language.of(request), status=403, refused=True)
    known.end(request.cookies.get(sessions.COOKIE))
    viewer = await _viewer(request, caller)
    response = _see_other("/search")
    now = asyncio.get_running_loop().time()
    sessions.set_cookie(response, known.begin(token, viewer, now))
    return response


async def sign_out(request: web.Request) -> web.Response:
    """End the session."""
    origin.require_own(request)
    request.app[SESSIONS].end(request.cookies.get(sessions.COOKIE))
    response = _see_other("/sign-in")
    sessions.drop_cookie(response)
    return response


async def _viewer(request: web.Request, caller: Caller) -> Viewer:
    try:
        known = await directory.current(request.app[CONTEXT])
    except VisitsyncError:
        return Viewer(caller.id, ())
    for person in known.staff:
        if person.id == caller.id and caller.kind == "staff":
            purposes = VOCABULARY.purposes_of_role[person.role]
            if person.council_member:
                purposes = purposes.union(_MEMBER_PURPOSES)
            ordered = tuple(one for one in VOCABULARY.purposes if one in purposes)
            return Viewer(person.name, ordered)
    return Viewer(caller.id, ())


def _see_other(place: str) -> web.Response:
    return web.Response(status=303, headers={"Location": place})


_OPEN: Final = open_to_all("leads to signing in and shows nothing else")

ROUTES: Final = (
    Route(method="GET", path="/", handler=first, permission=_OPEN, query=(LANG,)),
    Route(method="GET", path="/sign-in", handler=form, permission=_OPEN, query=(LANG,)),
    Route(method="POST", path="/sign-in", handler=sign_in, permission=_OPEN, query=(LANG,)),
    Route(
        method="POST",
        path="/sign-out",
        handler=sign_out,
        permission=open_to_all("ends the caller's own session"),
        query=(LANG,),
    ),
    *(
        Route(
            method="GET",
            path=address,
            handler=rendering.static,
            permission=open_to_all("the look of the pages"),
        )
        for address in rendering.STATIC.values()
    ),
)
