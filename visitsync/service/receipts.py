"""The receipt that a family is given, made of what was stored and where its entry stands."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import structlog

from visitsync.audit import Receipt, instant
from visitsync.errors import VisitsyncError
from visitsync.service.consents import Body
from visitsync.service.context import Context
from visitsync.store import clock
from visitsync.store.access_log import Row
from visitsync.store.facts import Fact

_LOG: Final = structlog.get_logger()

What: TypeAlias = Literal["recorded", "confirmed", "withdrawn"]
Effective: TypeAlias = Literal["at_once", "once_confirmed"]


async def signed(  # noqa: PLR0913, PLR0917 -- all that a receipt says
    context: Context, what: What, fact: Fact, body: Body, row: Row, effective: Effective
) -> str | None:
    """A signed receipt; to be called once `row`, the entry, is durable.

    None where the signer does not sign now: what was recorded holds all the same.
    """
    told = Receipt(
        tenant=context.settings.tenant,
        what=what,
        directive=f"{fact.id}@{fact.version}",
        effective=effective,
        notice=body["notice_version"],
        effect=body["effect"],
        sources=_items(body["sources"]),
        recipients=_items(body["recipients"]),
        purposes=_items(body["purposes"]),
        categories=_items(body["categories"]),
        registrations=_items(body["registrations"]),
        valid=(body["valid"]["from"], body["valid"]["until"]),
        visits=(body["data"]["from"], body["data"]["until"]),
        at=instant(clock.instant(fact.recorded_at)),
        shard=row.shard,
        index=row.seq,
    )
    try:
        return await context.log.receipt(told)
    except VisitsyncError as error:
        _LOG.error("receipt_not_signed", error=error.code)
        return None


def _items(listed: Any) -> Any:  # noqa: ANN401 -- a list, or one word for all
    return listed if isinstance(listed, str) else tuple(listed)
