"""One family of the test city, served over HTTP, to be asked for while something is wrong."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from build import (
    CARE,
    FAMILY,
    OFFICE,
    OPERATOR,
    a_visit,
    applied,
    consented,
    handed_in,
    home_of,
    ndjson,
)

from visitsync.service import tokens
from visitsync.service.context import Context, open_context
from visitsync.settings import Settings
from visitsync.store import access_log
from visitsync.web.limits import Limits
from visitsync.web.serving import served

TOLD: Final = {"type", "title", "status", "detail", "code", "incident"}
"""The members of a refusal; none holds anything of a record."""


DAYS: Final = 2
"""For which the tokens are good."""


class Family(NamedTuple):
    """One family, and the tokens of who asks for it."""

    home: str
    worker: str
    office: str


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def tells_nothing(self) -> bool:
        """Whether it is a refusal and nothing else."""
        told: Any = msgspec.json.decode(self.body)
        names = [one.name for one in FAMILY if one.name]
        text = self.body.decode()
        return set(told) <= TOLD and not any(name in text for name in names)


class Asked(NamedTuple):
    """A served installation, and who may ask it for what."""

    context: Context
    url: str
    session: aiohttp.ClientSession
    home: str
    worker: str
    office: str

    def reads(self) -> tuple[str, ...]:
        """The worker's ways to the family."""
        about = f"/api/v1/households/{self.home}"
        return tuple(
            f"{about}/{what}?purpose={CARE}" for what in ("timeline", "explain", "directives")
        )

    async def read(self, path: str | None = None) -> Answer:
        """Ask for the timeline, or for something else."""
        headers = {"Authorization": f"Bearer {self.worker}"}
        async with self.session.get(path or self.reads()[0], headers=headers) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def hand_in(self, *numbers: int, key: str | None = None) -> Answer:
        """Hand in these visits as their office."""
        headers = {
            "Authorization": f"Bearer {self.office}",
            "Content-Type": "application/x-ndjson",
        } | ({} if key is None else {"Idempotency-Key": key})
        async with self.session.post(
            f"/api/v1/offices/{OFFICE}/submissions",
            data=ndjson(map(a_visit, numbers)).content,
            headers=headers,
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())


@asynccontextmanager
async def asked(settings: Settings, **changed: Any) -> AsyncIterator[Asked]:
    """The installation with some settings changed, served; two visits are handed in."""
    known = msgspec.structs.replace(settings, **changed)
    limits = Limits(requests_per_minute=100_000_000)
    async with AsyncExitStack() as stack:
        context = await stack.enter_async_context(open_context(known))
        family = await a_family(context)
        url = await stack.enter_async_context(served(context, "127.0.0.1", 0, time.time, limits))
        session = await stack.enter_async_context(aiohttp.ClientSession(url))
        yield Asked(context, url, session, *family)


async def a_family(context: Context) -> Family:
    """A family of two visits and one consent, in an installation that is empty."""
    await applied(context)
    await handed_in(context, [a_visit(1), a_visit(2)])
    home = await home_of(context)
    await consented(context, home)
    subjects = ("staff:worker", f"office:{OFFICE}")
    issued = [await tokens.issue(context, OPERATOR, subject=one, days=DAYS) for one in subjects]
    return Family(home, issued[0].secret, issued[1].secret)


async def leaves(context: Context) -> list[dict[str, Any]]:
    """The entries of this year's log."""
    async with context.database.reading() as connection:
        head = await access_log.head(connection)
        found = access_log.entries(connection, head.shard, head.size)
        return [msgspec.json.decode(leaf) async for _, _, leaf in found]


async def kinds(context: Context, kind: str) -> int:
    """How many entries of a kind there are."""
    return [one["kind"] for one in await leaves(context)].count(kind)
