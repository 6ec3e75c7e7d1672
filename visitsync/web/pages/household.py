"""Finding a household and seeing its timeline, as pages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from visitsync.errors import BadParameter
from visitsync.schema.silent import silent
from visitsync.service import search as searching
from visitsync.service import timelines
from visitsync.service.views import Match, Page
from visitsync.web import language
from visitsync.web.answers import timeline_of
from visitsync.web.api.households import PERIOD, PURPOSE, Search, day, programs
from visitsync.web.callers import CALLER, CONTEXT, SESSIONS
from visitsync.web.language import Language
from visitsync.web.pages import forms, rendering
from visitsync.web.pages.sessions import COOKIE, Viewer
from visitsync.web.pages.sheet import program_name, sheet
from visitsync.web.pages.signing_in import LANG
from visitsync.web.route import Permission, Route

_FIELDS: Final = frozenset({"purpose", "name", "kana", "birth_date", "phone", "case_no"})
_ENTRIES: Final = 300
_NOT_ASKED: Final = Search(purpose="")


@silent
class Hit(NamedTuple):
    """A household that was found."""

    household: str
    protected: bool
    names: tuple[str, ...]
    programs: tuple[str, ...]


@silent
class Asked(NamedTuple):
    """The period and program a page is narrowed to, as they were written."""

    program: str
    first: str
    last: str


async def form(request: web.Request) -> web.Response:
    """The search form."""
    return _search_page(request, _NOT_ASKED)


async def search(request: web.Request) -> web.Response:
    """The form again, with what was found."""
    fields = await forms.read(request, _FIELDS)
    asked = Search(**{"purpose": "", **fields})
    try:
        found = await searching.search(
            request.app[CONTEXT],
            request[CALLER],
            asked.purpose,
            asked.sought(),
            acknowledged=True,  # the list says so beside each family
        )
    except BadParameter:
        return _search_page(request, asked, incomplete=True, status=422)
    spoken = language.of(request)
    return _search_page(request, asked, [_hit(one, spoken) for one in found.households])


async def timeline(request: web.Request) -> web.Response:
    """The household's sheet."""
    query = request.query
    spoken = language.of(request)
    view = await timelines.view(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["household"],
        query["purpose"],
        Page(
            start=day(query.get("from"), "from"),
            until=day(query.get("to"), "to"),
            programs=programs(query.get("program")),
            limit=_ENTRIES,
            cursor=query.get("cursor") or None,
        ),
        acknowledged=True,  # the page says so above everything else
    )
    kept = {name: value for name, value in query.items() if value and name != "lang"}
    return rendering.page(
        "timeline.html",
        spoken,
        viewer=_viewer(request).name,
        sheet=sheet(timeline_of(view), spoken),
        asked=Asked(query.get("program", ""), query.get("from", ""), query.get("to", "")),
        next_page=urlencode({**kept, "cursor": view.cursor}) if view.cursor else None,
        other_language=urlencode({**kept, "lang": "en" if spoken == "ja" else "ja"}),
        month_name=_month_names(spoken),
    )


def _search_page(
    request: web.Request,
    asked: Search,
    found: Sequence[Hit] | None = None,
    *,
    incomplete: bool = False,
    status: int = 200,
) -> web.Response:
    viewer = _viewer(request)
    return rendering.page(
        "search.html",
        language.of(request),
        status=status,
        viewer=viewer.name,
        purposes=viewer.purposes,
        asked=asked,
        found=found,
        incomplete=incomplete,
    )


def _hit(match: Match, spoken: Language) -> Hit:
    persons: Sequence[dict[str, Any]] = match.persons
    names = tuple(str(one["name"]) for one in persons if one.get("name"))
    return Hit(
        match.household,
        match.protected,
        names,
        tuple(program_name(one, spoken) for one in match.programs),
    )


def _viewer(request: web.Request) -> Viewer:
    return request.app[SESSIONS].viewer(request.cookies.get(COOKIE))


def _month_names(spoken: Language) -> Any:  # noqa: ANN401 -- a filter of the template
    def name(first: str) -> str:
        month = dt.date.fromisoformat(first)
        return f"{month.month}月" if spoken == "ja" else f"{month:%b}"

    return name


_READ: Final = Permission("read", by_session=True)

ROUTES: Final = (
    Route(
        method="GET",
        path="/search",
        handler=form,
        permission=_READ,
        reveals="nothing",
        query=(LANG,),
    ),
    Route(
        method="POST",
        path="/search",
        handler=search,
        permission=_READ,
        reveals="released",
        query=(LANG,),
    ),
    Route(
        method="GET",
        path="/households/{household}",
        handler=timeline,
        permission=_READ,
        reveals="released",
        query=(PURPOSE, *PERIOD, LANG),
    ),
)
