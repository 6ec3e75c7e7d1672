"""Heads of the access log for whoever keeps them outside, and their cosignatures."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.errors import BadParameter
from visitsync.schema.silent import Struct
from visitsync.service import witnesses
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Parameter, Permission, Route

_PLAIN: Final = "text/plain"
_DIGITS: Final = 15
_PATH: Final = "/api/v1/log-heads"
_WITNESSES: Final = Permission("submit", or_scope="audit")


class CosignedHead(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A head with the signatures of the log and of one witness."""

    note: str
    key: str
    """The witness's public key."""


async def newest_head(request: web.Request) -> web.Response:
    """The newest head, with the proof that it extends an older one."""
    written = request.query.get("older", "0")
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        raise BadParameter("must be a number", where="older")
    shard = request.query.get("shard") or None
    text = await witnesses.newest(request.app[CONTEXT], request[CALLER], shard, int(written))
    return web.Response(text=text, content_type=_PLAIN)


async def keep_cosigned(request: web.Request) -> web.Response:
    """Keep a cosigned head for the auditors."""
    said = await read_as(request, CosignedHead)
    await witnesses.cosigned(request.app[CONTEXT], request[CALLER], said.note, said.key)
    return web.Response(status=204)


ROUTES: Final = (
    Route(
        method="GET",
        path=f"{_PATH}/newest",
        handler=newest_head,
        permission=_WITNESSES,
        reveals="nothing",
        query=(
            Parameter(
                name="older",
                about="How many entries the head covers that you keep; 0 where you keep none.",
                schema={"type": "integer", "minimum": 0, "default": 0},
            ),
            Parameter(
                name="shard",
                about="The year's log; by default the present one.",
                schema={"type": "string", "maxLength": 256},
            ),
        ),
        operation=Operation(
            about="The newest signed head, with the proof that it extends an older one.",
            answers={},
            files=(_PLAIN,),
        ),
    ),
    Route(
        method="POST",
        path=f"{_PATH}/cosignatures",
        handler=keep_cosigned,
        permission=_WITNESSES,
        reveals="nothing",
        operation=Operation(
            about="Hand in a head that you checked and cosigned.",
            takes={JSON: {"$ref": "#/components/schemas/CosignedHead"}},
            answers={204: None},
            uses=(CosignedHead,),
        ),
    ),
)
