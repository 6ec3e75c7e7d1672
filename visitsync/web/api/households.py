"""Households for those who work with them: finding one, and seeing its timeline."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from aiohttp import web

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import search as searching
from visitsync.service import timelines
from visitsync.service.views import Found, Page, Sought
from visitsync.web.acknowledging import HEADER, acknowledged
from visitsync.web.answers import HouseholdTimeline, timeline_of
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Parameter, Permission, Route

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER: Final = re.compile("[0-9]{1,9}")
_MOST: Final = 1000


class Search(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A search: why, and what the family said. Names stand in the body, never in an address."""

    purpose: str
    name: str | None = None
    kana: str | None = None
    birth_date: str | None = None
    phone: str | None = None
    case_no: str | None = None

    def sought(self) -> Sought:
        """What is looked for."""
        return Sought(
            name=self.name,
            kana=self.kana,
            birth_date=self.birth_date,
            phone=self.phone,
            case_no=self.case_no,
        )


async def search(request: web.Request) -> web.Response:
    """Households that fit and of which the caller may see something."""
    asked = await read_as(request, Search)
    found = await searching.search(
        request.app[CONTEXT],
        request[CALLER],
        asked.purpose,
        asked.sought(),
        acknowledged=acknowledged(request),
    )
    return answer(found)


async def timeline(request: web.Request) -> web.Response:
    """The household's timeline as the caller may see it."""
    query = request.query
    view = await timelines.view(
        request.app[CONTEXT],
        request[CALLER],
        request.match_info["household"],
        query["purpose"],
        Page(
            start=day(query.get("from"), "from"),
            until=day(query.get("to"), "to"),
            programs=programs(query.get("program")),
            limit=_limit(query.get("limit")),
            cursor=query.get("cursor") or None,
        ),
        acknowledged=acknowledged(request),
    )
    return answer(timeline_of(view))


def day(written: str | None, where: str) -> dt.date | None:
    """A day of the query; an empty one is none.

    Raises:
        BadParameter: where it is no ``YYYY-MM-DD``.
    """
    if not written:
        return None
    try:
        if _DATE.fullmatch(written):
            return dt.date.fromisoformat(written)
    except ValueError:
        pass
    raise BadParameter("must be YYYY-MM-DD", where=where)


def programs(written: str | None) -> tuple[str, ...]:
    """The programs of the query, separated by commas; none is all.

    Raises:
        BadParameter: for a program that the vocabulary does not know.
    """
    asked = tuple(filter(None, (written or "").split(",")))
    if any(one not in VOCABULARY.programs for one in asked):
        raise BadParameter("names a program that there is not", where="program")
    return asked


def _limit(written: str | None) -> int:
    if written is None:
        return 500
    limit = int(written) if _NUMBER.fullmatch(written) else 0
    if not 1 <= limit <= _MOST:
        raise BadParameter("must lie between 1 and 1000", where="limit")
    return limit


PURPOSE: Final = Parameter(
    name="purpose",
    about="Why the household is looked at; written to the access log.",
    schema={"type": "string", "enum": list(VOCABULARY.purposes)},
    required=True,
)
_DAY: Final = {"type": "string", "format": "date"}
PERIOD: Final = (
    Parameter(name="from", about="The first day shown.", schema=_DAY),
    Parameter(name="to", about="The last day shown.", schema=_DAY),
    Parameter(
        name="program",
        about=f"Only these, separated by commas: {', '.join(VOCABULARY.programs)}.",
        schema={"type": "string"},
    ),
    Parameter(name="cursor", about="Of the page before.", schema={"type": "string"}),
)

ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/households/search",
        handler=search,
        permission=Permission("read"),
        reveals="released",
        operation=Operation(
            about="Find households by name or kana with a birth date, phone, or case number.",
            takes={JSON: {"$ref": "#/components/schemas/Search"}},
            answers={200: Found},
            headers=(HEADER,),
            uses=(Search,),
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/households/{household}/timeline",
        handler=timeline,
        permission=Permission("read"),
        reveals="released",
        query=(
            PURPOSE,
            *PERIOD,
            Parameter(
                name="limit",
                about="Entries on a page.",
                schema={"type": "integer", "minimum": 1, "maximum": _MOST, "default": 500},
            ),
        ),
        operation=Operation(
            about="One household's timeline as the caller may see it for this purpose.",
            answers={200: HouseholdTimeline},
            headers=(HEADER,),
        ),
    ),
)
