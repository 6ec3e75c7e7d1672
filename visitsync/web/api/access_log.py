"""The access log over HTTP: searched, counted, exported, and taken away to be verified."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from aiohttp import web

from visitsync.audit import KINDS
from visitsync.errors import BadParameter
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import access_log, log_proofs, log_search, log_statistics
from visitsync.service.log_entries import FoundEntry
from visitsync.service.log_search import LogPage, LogSearch
from visitsync.service.log_statistics import LogStatistics
from visitsync.web import body, log_files
from visitsync.web.api.households import day
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.log_files import FORMS, MEDIA_TYPES, Form
from visitsync.web.route import Operation, Parameter, Permission, Route

_PLAIN: Final = "text/plain"
_DIGITS: Final = 15


class LogPageSearch(LogSearch, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is looked for, and from where on; a name stands in the body, never in an address."""

    cursor: str | None = None
    """``next`` of the page before."""

    def __repr__(self) -> str:
        return "<LogPageSearch>"

    def sought(self) -> LogSearch:
        """What is looked for."""
        return LogSearch(**{name: getattr(self, name) for name in LogSearch.__struct_fields__})


async def search_log(request: web.Request) -> web.Response:
    """A page of the entries that fit."""
    asked = await read_as(request, LogPageSearch)
    found = await log_search.search(
        request.app[CONTEXT], request[CALLER], asked.sought(), asked.cursor
    )
    return answer(found)


async def list_log(request: web.Request) -> web.Response:
    """The same by what holds no name."""
    query = request.query
    sought = LogSearch(
        **{name: query[name] for name in _CODED if query.get(name)},
        from_=_instant(query.get("from"), "from"),
        until=_instant(query.get("until"), "until"),
    )
    cursor = query.get("cursor") or None
    return answer(await log_search.search(request.app[CONTEXT], request[CALLER], sought, cursor))


async def export_log(request: web.Request) -> web.StreamResponse:
    """All entries that fit as a file, which leaves page by page."""
    form = _form(request.query.get("format"))
    asked = await read_as(request, LogSearch)
    pages = await log_search.export(request.app[CONTEXT], request[CALLER], asked, form)
    response = web.StreamResponse(
        headers={"Content-Disposition": f'attachment; filename="access-log.{form}"'}
    )
    response.content_type = MEDIA_TYPES[form]
    if form == "csv":
        response.charset = "utf-8"
    return await _sent(request, response, _file(form, pages))


async def _file(form: Form, pages: AsyncIterator[Sequence[FoundEntry]]) -> AsyncIterator[bytes]:
    yield log_files.head(form)
    async for page in pages:
        yield log_files.lines(form, page)


async def _sent(
    request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    """Send what was logged already, piece by piece; what ends early is cut off."""
    await response.prepare(request)
    try:
        async for piece in pieces:
            await response.write(piece)
            _put_off(request)
        await response.write_eof()
    except ConnectionError:
        pass  # nobody is there any more
    except BaseException:
        # Cut off, so that nobody takes a part of the log for all of it.
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


def _put_off(request: web.Request) -> None:
    """The time for work on a request is each page's, however many there are."""
    seconds = request.app[body.LIMITS].request_seconds
    request[body.DEADLINE].reschedule(asyncio.get_running_loop().time() + seconds)


async def log_statistics_of(request: web.Request) -> web.Response:
    """What stands out, person by person."""
    start, until = _days(request)
    return answer(
        await log_statistics.statistics(request.app[CONTEXT], request[CALLER], start, until)
    )


async def log_checkpoint(request: web.Request) -> web.Response:
    """The newest signed head; it holds a number and a hash."""
    return web.Response(text=await access_log.checkpoint(request.app[CONTEXT]), content_type=_PLAIN)


async def log_bundle(request: web.Request) -> web.StreamResponse:
    """The entries of a period with the signed head, for the verifier; it leaves piece by piece."""
    start, until = _days(request)
    pieces = await access_log.export(request.app[CONTEXT], request[CALLER], start, until)
    response = web.StreamResponse(
        headers={"Content-Disposition": 'attachment; filename="access-log.bundle"'}
    )
    response.content_type = "application/octet-stream"
    return await _sent(request, response, pieces)


async def log_proof(request: web.Request) -> web.Response:
    """One entry with its path to the signed head."""
    written = request.query["seq"]
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        raise BadParameter("must be a number", where="seq")
    shard = request.query["shard"]
    proof = await log_proofs.prove(request.app[CONTEXT], request[CALLER], shard, int(written))
    return web.Response(
        body=proof,
        content_type="application/octet-stream",
        headers={"Content-Disposition": 'attachment; filename="entry.tlog-proof"'},
    )


def _form(written: str | None) -> Form:
    for form in FORMS:
        if written in {form, None}:
            return form
    raise BadParameter(f"must be one of {', '.join(FORMS)}", where="format")


def _days(request: web.Request) -> tuple[dt.date, dt.date]:
    return _day(request, "from"), _day(request, "until")


def _day(request: web.Request, name: str) -> dt.date:
    found = day(request.query[name], name)
    if found is None:
        raise BadParameter("must be YYYY-MM-DD", where=name)
    return found


def _instant(written: str | None, where: str) -> dt.datetime | None:
    if not written:
        return None
    try:
        found = dt.datetime.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadParameter("must be a time with an offset (RFC 3339)", where=where)
    return found


_CODED: Final = ("household", "actor", "office", "purpose", "kind", "decision")
_TEXT: Final = {"type": "string", "maxLength": 256}
_INSTANT: Final = {"type": "string", "format": "date-time"}
_DATE: Final = {"type": "string", "format": "date"}
_ABOUT: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "household": ("Entries about this household.", _TEXT),
    "actor": ("Who acted: `staff:ID`, `office:ID` or `operator:NAME`.", _TEXT),
    "office": ("What it did, what its staff did, and what names it.", _TEXT),
    "purpose": ("The purpose that was stated.", {**_TEXT, "enum": list(VOCABULARY.purposes)}),
    "kind": ("What was done.", {**_TEXT, "enum": sorted(KINDS)}),
    "decision": ("Such as `shown`, `masked` or `refused`.", _TEXT),
    "from": ("The first instant.", _INSTANT),
    "until": ("The first instant after it.", _INSTANT),
    "cursor": ("`next` of the page before.", _TEXT),
}
_FIND: Final = tuple(
    Parameter(name=name, about=about, schema=schema) for name, (about, schema) in _ABOUT.items()
)
_DAYS: Final = (
    Parameter(name="from", about="The first day, in Japan.", schema=_DATE, required=True),
    Parameter(name="until", about="The day after the last.", schema=_DATE, required=True),
)
_PATH: Final = "/api/v1/access-log"
_AUDIT: Final = Permission("audit")

ROUTES: Final = (
    Route(
        method="GET",
        path=_PATH,
        handler=list_log,
        permission=_AUDIT,
        reveals="log",
        query=_FIND,
        operation=Operation(
            about="Search the access log by codes and ids, the newest entries last.",
            answers={200: LogPage},
        ),
    ),
    Route(
        method="POST",
        path=f"{_PATH}/search",
        handler=search_log,
        permission=_AUDIT,
        reveals="log",
        operation=Operation(
            about="Search the access log, also by a member of staff's name.",
            takes={JSON: {"$ref": "#/components/schemas/LogPageSearch"}},
            answers={200: LogPage},
            uses=(LogPageSearch,),
        ),
    ),
    Route(
        method="POST",
        path=f"{_PATH}/export",
        handler=export_log,
        permission=_AUDIT,
        reveals="log",
        query=(
            Parameter(
                name="format",
                about="What kind of file.",
                schema={"type": "string", "enum": list(FORMS), "default": FORMS[0]},
            ),
        ),
        operation=Operation(
            about="All entries that a search finds, as a file.",
            takes={JSON: {"$ref": "#/components/schemas/LogSearch"}},
            answers={},
            files=tuple(MEDIA_TYPES.values()),
            uses=(LogSearch,),
        ),
    ),
    Route(
        method="GET",
        path=f"{_PATH}/statistics",
        handler=log_statistics_of,
        permission=_AUDIT,
        reveals="log",
        query=_DAYS,
        operation=Operation(
            about="What stands out person by person, without any household.",
            answers={200: LogStatistics},
        ),
    ),
    Route(
        method="GET",
        path=f"{_PATH}/checkpoint",
        handler=log_checkpoint,
        permission=_AUDIT,
        reveals="nothing",
        operation=Operation(
            about="The newest signed head of the log: keep it outside the server.",
            answers={},
            files=(_PLAIN,),
        ),
    ),
    Route(
        method="GET",
        path=f"{_PATH}/bundle",
        handler=log_bundle,
        permission=_AUDIT,
        reveals="log",
        query=_DAYS,
        operation=Operation(
            about="The entries of a period with the signed head, for `visitsync audit verify`.",
            answers={},
            files=("application/octet-stream",),
        ),
    ),
    Route(
        method="GET",
        path=f"{_PATH}/proof",
        handler=log_proof,
        permission=_AUDIT,
        reveals="log",
        query=(
            Parameter(
                name="shard",
                about="The year's log, as an entry names it.",
                schema=_TEXT,
                required=True,
            ),
            Parameter(
                name="seq",
                about="The entry's place in it, from 0.",
                schema={"type": "integer", "minimum": 0},
                required=True,
            ),
        ),
        operation=Operation(
            about="The proof that an entry stands in the log, for `visitsync audit verify`.",
            answers={},
            files=("application/octet-stream",),
        ),
    ),
)
