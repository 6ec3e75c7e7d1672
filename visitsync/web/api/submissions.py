"""``POST /api/v1/offices/{office}/submissions``: an office hands visits in."""

from __future__ import annotations

import re
from typing import Final

from aiohttp import web

from visitsync.errors import BadParameter, NotAllowed, UnsupportedMediaType
from visitsync.service import submissions
from visitsync.service.reports import Files, Mode, Records, Report, Terms
from visitsync.web import body, language
from visitsync.web.answers import SubmissionReport, report_of
from visitsync.web.api.json_answer import answer
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.problems import Problem
from visitsync.web.route import Operation, Parameter, Permission, Route

_FILE_TYPES: Final = {
    "text/csv": "file.csv",
    "text/tab-separated-values": "file.tsv",
    "text/plain": "file.txt",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "file.xlsx",
    "application/octet-stream": "file",
}
"""The office's own files, each with the name of one that comes without."""
_JSON: Final = "application/json"
_NDJSON: Final = "application/x-ndjson"
_TOGETHER: Final = "multipart/form-data"
_ACCEPTED: Final = (_JSON, _NDJSON, _TOGETHER, *_FILE_TYPES)
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_MODES: Final[dict[str, Mode]] = {"partial": "partial", "all": "all"}


async def submit(request: web.Request) -> web.Response:
    """Hand in what the body holds, and answer what became of it."""
    caller = request[CALLER]
    office = request.match_info["office"]
    if (caller.kind, caller.id) != ("office", office):
        # Before the body is read, and the same whether or not there is such an office.
        raise NotAllowed("The token is another office's")
    terms = _terms(request)
    async with body.slot(request, f"{caller.kind}:{caller.id}"):
        payload = await _payload(request)
        report = await submissions.submit(
            request.app[CONTEXT],
            caller,
            office,
            payload,
            terms,
        )
    return _answer(report, language.of(request))


def _answer(report: Report, spoken: language.Language) -> web.Response:
    told = report_of(report, spoken)
    if _refused_whole(report):
        return Problem(status=422, code="nothing_taken", report=told).answer(spoken)
    return answer(told, spoken)


def _refused_whole(report: Report) -> bool:
    """Whether nothing of it was taken because something must be mended first."""
    counts = report.counts
    taken = counts.created + counts.updated + counts.unchanged + counts.voided
    bad = counts.rejected + counts.conflict + counts.not_taken
    return not taken and bool(bad or any(one.level == "file" for one in report.problems))


def _terms(request: web.Request) -> Terms:
    dry_run = _BOOLEANS.get(request.query.get("dry_run", "false"))
    if dry_run is None:
        raise BadParameter("must be true or false", where="dry_run")
    mode = _MODES.get(request.query.get("mode", "partial"))
    if mode is None:
        raise BadParameter("must be partial or all", where="mode")
    return Terms(dry_run=dry_run, mode=mode, idempotency_key=_key(request))


def _key(request: web.Request) -> str | None:
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return None
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        raise BadParameter("must be 1 to 255 visible ASCII characters", where="Idempotency-Key")
    return keys[0]


async def _payload(request: web.Request) -> Records | Files:
    # aiohttp takes a type that it cannot read for application/octet-stream.
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type not in _ACCEPTED:
        raise UnsupportedMediaType(
            "This type is not taken", where="Content-Type", accepted=_ACCEPTED
        )
    limits = request.app[body.LIMITS]
    content = await body.read(request, most=limits.body_bytes)
    if media_type in {_JSON, _NDJSON}:
        return Records(content, ndjson=media_type == _NDJSON)
    if media_type == _TOGETHER:
        boundary = _boundary(request.headers["Content-Type"])
        parts = body.split_multipart(content, boundary, most=limits.files)
        return Files(tuple((one.name, one.content) for one in parts))
    name = body.bare_name(request.query.get("name", "")) or body.file_name(
        request.headers.get("Content-Disposition"), _FILE_TYPES[media_type]
    )
    return Files(((name, content),))


_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)


def _boundary(content_type: str) -> str:
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]) if found else ""


_BINARY: Final = {"type": "string", "contentMediaType": "application/octet-stream"}
_VISIT: Final = {"$ref": "#/components/schemas/Visit"}

ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/offices/{office}/submissions",
        handler=submit,
        permission=Permission("submit"),
        reveals="own",
        query=(
            Parameter(
                name="dry_run",
                about="`true`: only say what would happen.",
                schema={"type": "string", "enum": list(_BOOLEANS), "default": "false"},
            ),
            Parameter(
                name="mode",
                about="`partial`: take the good records beside rejected ones; `all`: all or none.",
                schema={"type": "string", "enum": list(_MODES), "default": "partial"},
            ),
            Parameter(
                name="name",
                about="The file's name, where Content-Disposition does not say it.",
                schema={"type": "string", "maxLength": 200},
            ),
        ),
        operation=Operation(
            about="Hand in visits: canonical reports, or the office's own files.",
            takes={
                _JSON: {"type": "array", "items": _VISIT},
                _NDJSON: {"type": "string", "description": "One canonical report per line."},
                _TOGETHER: {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": _BINARY}},
                },
                **dict.fromkeys(_FILE_TYPES, _BINARY),
            },
            answers={200: SubmissionReport},
            headers=(
                Parameter(
                    name="Idempotency-Key",
                    about="The same key and body again get the first answer again.",
                    schema={"type": "string", "minLength": 1, "maxLength": 255},
                ),
            ),
        ),
    ),
)
