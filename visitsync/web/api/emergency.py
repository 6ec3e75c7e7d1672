"""Emergency access over HTTP: asking, approving, reviewing, counting, and who was told."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import msgspec
from aiohttp import web

from visitsync.errors import BadParameter
from visitsync.schema.protection import MESSAGES
from visitsync.schema.silent import Struct
from visitsync.service import emergencies, emergency_reviews, messages
from visitsync.service.emergencies import EmergencyAccess, EmergencyDraft
from visitsync.service.emergency_reviews import EmergencyStatistics, ReviewDraft, Reviews
from visitsync.service.measures import RecordedMeasure
from visitsync.service.messages import Messages
from visitsync.web import language
from visitsync.web.api.json_answer import answer
from visitsync.web.api.json_body import JSON, read_as
from visitsync.web.callers import CALLER, CONTEXT
from visitsync.web.route import Operation, Parameter, Permission, Route

_NUMBER: Final = re.compile("[0-9]{1,9}")
_MOST: Final = 1000


class ToldMessage(Struct, frozen=True, kw_only=True):
    """A message with its sentence."""

    id: str
    to: str
    """``office:ID`` or ``staff:ID``."""
    kind: str
    text: str
    about: str
    """The id of an emergency access, invocation, shield, block or consent."""
    household: str | None
    """Whose consent or shield it is, for who answers for the household now."""
    at: dt.datetime
    read_at: dt.datetime | None
    """When somebody first read it; null: this is the first time."""


class MessageList(Struct, frozen=True, kw_only=True):
    """The newest first."""

    messages: tuple[ToldMessage, ...]
    cursor: str | None
    """Where the next page begins."""


async def ask_emergency(request: web.Request) -> web.Response:
    """Ask for emergency access."""
    draft = await read_as(request, EmergencyDraft)
    made = await emergencies.ask(
        request.app[CONTEXT], request[CALLER], request.match_info["household"], draft
    )
    return answer(made, status=201 if made.status == "granted" else 202)


async def approve_emergency(request: web.Request) -> web.Response:
    """Grant what waits for a second person."""
    return answer(
        await emergencies.approve(request.app[CONTEXT], request[CALLER], request.match_info["id"])
    )


async def review_emergency(request: web.Request) -> web.Response:
    """Say whether an access was justified."""
    draft = await read_as(request, ReviewDraft)
    made = await emergency_reviews.review(
        request.app[CONTEXT], request[CALLER], request.match_info["id"], draft
    )
    return answer(made)


async def emergency_reviews_waiting(request: web.Request) -> web.Response:
    """Accesses that wait for somebody."""
    return answer(await emergency_reviews.waiting(request.app[CONTEXT], request[CALLER]))


async def emergency_statistics(request: web.Request) -> web.Response:
    """How many accesses there were."""
    return answer(await emergency_reviews.statistics(request.app[CONTEXT], request[CALLER]))


async def my_messages(request: web.Request) -> web.Response:
    """What the caller and their office were told."""
    spoken = language.of(request)
    found = await messages.mine(
        request.app[CONTEXT],
        request[CALLER],
        cursor=request.query.get("cursor") or None,
        limit=_limit(request.query.get("limit")),
    )
    return answer(_told(found, spoken), spoken)


def _told(found: Messages, spoken: language.Language) -> MessageList:
    return MessageList(
        messages=tuple(
            ToldMessage(**msgspec.structs.asdict(one), text=getattr(MESSAGES[one.kind], spoken))
            for one in found.messages
        ),
        cursor=found.cursor,
    )


def _limit(written: str | None) -> int:
    if written is None:
        return 100
    limit = int(written) if _NUMBER.fullmatch(written) else 0
    if not 1 <= limit <= _MOST:
        raise BadParameter("must lie between 1 and 1000", where="limit")
    return limit


ROUTES: Final = (
    Route(
        method="POST",
        path="/api/v1/households/{household}/break-glass",
        handler=ask_emergency,
        permission=Permission("read"),
        reveals="measures",
        operation=Operation(
            about="Open a household in an emergency, for at most four hours.",
            takes={JSON: {"$ref": "#/components/schemas/EmergencyDraft"}},
            answers={201: EmergencyAccess, 202: EmergencyAccess},
            uses=(EmergencyDraft,),
        ),
    ),
    Route(
        method="POST",
        path="/api/v1/break-glass/{id}/approve",
        handler=approve_emergency,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about="Grant an emergency access that waits for a second person.",
            answers={200: EmergencyAccess},
        ),
    ),
    Route(
        method="POST",
        path="/api/v1/break-glass/{id}/review",
        handler=review_emergency,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about="Say whether an emergency access was justified.",
            takes={JSON: {"$ref": "#/components/schemas/ReviewDraft"}},
            answers={200: RecordedMeasure},
            uses=(ReviewDraft,),
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/break-glass/reviews",
        handler=emergency_reviews_waiting,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about="Emergency accesses that wait for a review or a second person.",
            answers={200: Reviews},
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/break-glass/statistics",
        handler=emergency_statistics,
        permission=Permission("audit"),
        reveals="measures",
        operation=Operation(
            about="Emergency accesses counted by month, agency, office, reason and outcome.",
            answers={200: EmergencyStatistics},
        ),
    ),
    Route(
        method="GET",
        path="/api/v1/messages",
        handler=my_messages,
        permission=Permission("read"),
        reveals="measures",
        query=(
            Parameter(name="cursor", about="Of the page before.", schema={"type": "string"}),
            Parameter(
                name="limit",
                about="Messages on a page.",
                schema={"type": "integer", "minimum": 1, "maximum": _MOST, "default": 100},
            ),
        ),
        operation=Operation(
            about="What the caller and their office were told.", answers={200: MessageList}
        ),
    ),
)
