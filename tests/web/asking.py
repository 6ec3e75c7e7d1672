"""How every route that takes an id is asked, and a household with one of each kind to ask for.

A route that is not here fails the tests that go through the route table, so a new one is covered or
its author is told.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

import aiohttp
from web.conftest import Town
from web.family import AUDITOR, OFFICE_STAFF, STRANGER, WORKER, consent, settle
from yarl import URL

from visitsync.cli.installation import first_start
from visitsync.service.context import Context
from visitsync.web.app import ROUTES
from visitsync.web.limits import Limits
from visitsync.web.route import Route
from visitsync.web.serving import served

OFFICER, SUPERVISOR, BLOCKED, IN_NEED = "u19", "u16", "u17", "u03"
OTHER_OFFICE, OTHER_CLERK = "u12", "u08"
"""Of an office without records of the family, and of the section that pays for its program."""
UNKNOWN: Final = "h" + "a" * 26

_DRAFT: Final[dict[str, Any]] = {
    "grantor": "guardian",
    "effect": "permit",
    "sources": ["program:multiples"],
    "recipients": ["role:case_worker@agency:shiomi-city"],
    "purposes": ["care_coordination"],
    "categories": ["attendance"],
    "notice_version": "2026-04",
}
_SAID: Final = {
    "kind": "electronic",
    "media_type": "text/plain",
    "content": base64.b64encode(b"yes").decode(),
}
_GONE: Final = {"reason": "changed_mind", "by": "guardian"}
_EMERGENCY: Final = {
    "reason": "child_in_danger",
    "text": "通報があり連絡がとれない",
    "categories": ["notes"],
}
_GUARDIAN: Final = {
    "person": "guardian",
    "authority": "joint",
    "basis": "register",
    "from": "2026-04-01",
}
_ORDER: Final = {"order": "protection_order", "against": "other", "from": "2026-04-01"}
_MEMBERS: Final = {"members": ["agency:shiomi-city"]}
_ERASURE: Final = {"ground": "family_request", "reason": "転出と請求"}
_INVOCATION: Final = {
    "basis": "child_abuse_13_4",
    "recipients": ["office:shiomi-ns-01"],
    "categories": ["notes", "contact"],
    "valid_until": (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat(),
    "reason": "通報があり連絡がとれない",
}


class Way(NamedTuple):
    """One way to ask a route."""

    may: str
    """A member of staff for whom the thing is there."""
    refused: tuple[str, ...]
    """For whom it is as if it were not: it is not theirs, or a block names them."""
    body: Mapping[str, Any] | None = None
    query: str = ""

    def about(self, home: Home) -> Way:
        """The same with ``{kind}`` in the body replaced by the id of that kind."""
        if self.body is None or self.body is _EMERGENCY:
            return self
        filled = {
            key: home.ids[said[1:-1]] if isinstance(said, str) and said[:1] == "{" else said
            for key, said in self.body.items()
        }
        return self._replace(body=filled)


_OF_ITS_OWN: Final = {"x-request-id", "date"}
_CARE: Final = "?purpose=care_coordination"
_NOT_THEIRS: Final = (STRANGER, BLOCKED)

# In an order in which each is still there for who may ask: a lift is used while the consent stands.
WAYS: Final[Mapping[str, tuple[Way, ...]]] = {
    "POST /api/v1/lifts/{id}/approve": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/lifts/{id}/use": (Way(WORKER, _NOT_THEIRS, {"purpose": "care_coordination"}),),
    "GET /api/v1/households/{household}/timeline": (
        Way(WORKER, (*_NOT_THEIRS, OTHER_OFFICE), query=_CARE),
        Way(OFFICE_STAFF, (OTHER_CLERK, OTHER_OFFICE), query="?purpose=service_delivery"),
        Way(WORKER, _NOT_THEIRS, query=f"{_CARE}&limit=1&program=multiples"),
    ),
    "GET /households/{household}": (Way(WORKER, _NOT_THEIRS, query=_CARE),),
    "GET /api/v1/households/{household}/explain": (Way(WORKER, _NOT_THEIRS, query=_CARE),),
    "POST /api/v1/households/{household}/explain": (
        Way(WORKER, _NOT_THEIRS, {"purpose": "care_coordination", "draft": _DRAFT}),
    ),
    "GET /api/v1/households/{household}/directives": (Way(WORKER, _NOT_THEIRS, query=_CARE),),
    "POST /api/v1/households/{household}/directives": (
        Way(WORKER, _NOT_THEIRS, _DRAFT, "?preview=true"),
        Way(WORKER, _NOT_THEIRS, _DRAFT),
    ),
    "GET /api/v1/directives/{directive}/evidence": (Way(WORKER, _NOT_THEIRS, query=_CARE),),
    "POST /api/v1/directives/{directive}/confirm": (Way(WORKER, _NOT_THEIRS),),
    "POST /api/v1/directives/{directive}/withdraw": (
        Way(WORKER, _NOT_THEIRS, _GONE, "?preview=true"),
        Way(WORKER, _NOT_THEIRS, _GONE),
    ),
    "GET /api/v1/households/{household}/accesses": (
        Way(OFFICER, (), query="?purpose=protection"),
        Way(OFFICER, (AUDITOR,), query="?purpose=audit"),
    ),
    "POST /api/v1/households/{household}/shields": (Way(WORKER, (*_NOT_THEIRS, OTHER_OFFICE), {}),),
    "GET /api/v1/households/{household}/guardians": (Way(WORKER, _NOT_THEIRS, query=_CARE),),
    "POST /api/v1/households/{household}/guardians": (Way(WORKER, _NOT_THEIRS, _GUARDIAN),),
    "POST /api/v1/households/{household}/court-orders": (Way(WORKER, _NOT_THEIRS, _ORDER),),
    "POST /api/v1/guardians/{id}/end": (Way(WORKER, _NOT_THEIRS, {"until": "2026-10-01"}),),
    "POST /api/v1/court-orders/{id}/end": (Way(WORKER, _NOT_THEIRS, {"until": "2026-10-01"}),),
    "GET /api/v1/households/{household}/council-cases": (
        Way(OFFICER, (BLOCKED,), query="?purpose=protection"),
    ),
    "POST /api/v1/households/{household}/council-cases": (Way(OFFICER, (BLOCKED,), _MEMBERS),),
    "POST /api/v1/council-cases/{id}/members": (Way(OFFICER, (BLOCKED,), _MEMBERS),),
    "POST /api/v1/council-cases/{id}/close": (Way(OFFICER, (BLOCKED,)),),
    "GET /api/v1/households/{household}/invocations": (
        Way(OFFICER, (BLOCKED,), query="?purpose=protection"),
    ),
    "POST /api/v1/households/{household}/invocations": (Way(WORKER, _NOT_THEIRS, _INVOCATION),),
    "POST /api/v1/invocations/{id}/approve": (Way(SUPERVISOR, (BLOCKED,)),),
    "POST /api/v1/invocations/{id}/shield": (Way(OFFICER, (BLOCKED,), {"shield": "{shields}"}),),
    "POST /api/v1/invocations/{id}/end": (Way(WORKER, _NOT_THEIRS),),
    "POST /api/v1/break-glass/{id}/shield": (Way(OFFICER, (BLOCKED,), {"shield": "{shields}"}),),
    "GET /api/v1/households/{household}/erasures": (
        Way(OFFICER, (BLOCKED,), query="?purpose=protection"),
    ),
    "POST /api/v1/households/{household}/holds": (Way(WORKER, _NOT_THEIRS, {"reason": "調査"}),),
    "POST /api/v1/holds/{id}/lift": (Way(WORKER, _NOT_THEIRS),),
    "POST /api/v1/holds/{id}/lift/approve": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/erasures/{id}/approve": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/erasures/{id}/withdraw": (Way(WORKER, _NOT_THEIRS),),
    "POST /api/v1/households/{household}/erasures": (Way(WORKER, _NOT_THEIRS, _ERASURE),),
    "POST /api/v1/households/{household}/blocks": (
        Way(OFFICER, (BLOCKED,), {"who": ["viewer:u04"]}),
    ),
    "POST /api/v1/households/{household}/break-glass": (Way(WORKER, (BLOCKED,), _EMERGENCY),),
    "POST /api/v1/shields/{id}/lifts": (
        Way(
            WORKER,
            _NOT_THEIRS,
            {"recipient": f"viewer:{WORKER}", "document": "court_document", "reason": "提出"},
        ),
    ),
    "POST /api/v1/shields/{id}/confirm": (Way(OFFICER, (BLOCKED,), {}),),
    "POST /api/v1/shields/{id}/close": (Way(WORKER, _NOT_THEIRS),),
    "POST /api/v1/shields/{id}/close/approve": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/blocks/{id}/close": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/blocks/{id}/close/approve": (Way(SUPERVISOR, (BLOCKED,)),),
    "POST /api/v1/break-glass/{id}/approve": (Way(OFFICER, (BLOCKED,)),),
    "POST /api/v1/break-glass/{id}/review": (
        Way(OFFICER, (BLOCKED,), {"outcome": "justified", "text": "確認した"}),
    ),
}
OF_OFFICES: Final = frozenset(
    {"POST /api/v1/offices/{office}/submissions", "GET /api/v1/offices/{office}/uses"}
)
"""Of an office's own token: any other office, one that there is or not, is refused before."""


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def with_ids() -> dict[str, Route]:
    """The routes of the table that take an id, by name."""
    return {name_of(one): one for one in ROUTES if "{" in one.path}


class Home(NamedTuple):
    """A household and one thing of each kind that stands beside it."""

    household: str
    ids: Mapping[str, str]
    """By the first word of the route's path."""

    def id_for(self, name: str) -> str:
        """What a route is asked about."""
        return self.ids[name.partition(" ")[2].removeprefix("/api/v1").split("/")[1]]


class Answer(NamedTuple):
    """All that leaves but the request's own number and the second in which it did."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


async def ask(town: Town, name: str, way: Way, staff: str, one: str) -> Answer:
    """Ask a route as a member of staff; `one` stands in the address as it is written."""
    method, _, path = name.partition(" ")
    before, _, rest = path.partition("{")
    url = URL(f"{before}{one}{rest.partition('}')[2]}{way.query}", encoded=True)
    headers = {
        "Authorization": f"Bearer {town.tokens.staff[staff]}",
        "Accept-Language": "en",
        "Accept-Protected": "address",
    }
    if not path.startswith("/api/"):
        headers = {"Cookie": await _cookie(town, staff), "Accept": "text/html"}
    data = None
    if way.body is not None:
        proof = {"proof": town.tokens.staff[staff]} if way.body is _EMERGENCY else {}
        data = json.dumps({**way.body, **proof}).encode()
        headers["Content-Type"] = "application/json"
    async with town.session.request(
        method, URL(town.url).join(url), data=data, headers=headers
    ) as response:
        told = {k: v for k, v in response.headers.items() if k.lower() not in _OF_ITS_OWN}
        return Answer(response.status, tuple(sorted(told.items())), await response.read())


async def _cookie(town: Town, staff: str) -> str:
    async with town.session.post(
        "/sign-in",
        data={"token": town.tokens.staff[staff]},
        headers={"Origin": town.url},
        allow_redirects=False,
    ) as response:
        (morsel,) = response.cookies.values()
        return f"{morsel.key}={morsel.value}"


@asynccontextmanager
async def a_town(context: Context) -> AsyncIterator[Town]:
    """The invented city on whichever engine `context` is of, without a limit on how often."""
    file = await first_start.settle(context)
    assert file is not None
    limits = Limits(requests_per_minute=100_000_000)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(context, "127.0.0.1", 0, time.time, limits))
        session = await stack.enter_async_context(aiohttp.ClientSession(url))
        tokens = first_start.tokens_of(file)
        yield Town(context, url, tokens, session, context.settings.data_dir)


async def a_home(town: Town) -> Home:
    """A household with a consent, a shield, a block, a lift and an emergency access."""
    home = await settle(town)
    await consent(town, home, "multiples", "household_support", categories=("contact", "identity"))

    async def made(path: str, staff: str, body: Mapping[str, Any]) -> str:
        async with town.session.post(
            f"/api/v1/{path}", json=body, headers=town.staff(staff)
        ) as response:
            assert response.status in {201, 202}
            return str((await response.json())["id"])

    proof = {"proof": town.tokens.staff[IN_NEED]}
    access = await made(f"households/{home}/break-glass", IN_NEED, {**_EMERGENCY, **proof})
    directive = await made(f"households/{home}/directives", WORKER, {**_DRAFT, "evidence": _SAID})
    allowed = ["role:child_protection_worker@agency:shiomi-city", f"viewer:{WORKER}"]
    shield = await made(f"households/{home}/shields", WORKER, {"allowed": allowed})
    lift = await made(
        f"shields/{shield}/lifts",
        OFFICE_STAFF,
        {"recipient": f"viewer:{WORKER}", "document": "court_document", "reason": "提出"},
    )
    who = {"who": [f"viewer:{BLOCKED}", f"viewer:{AUDITOR}"]}
    block = await made(f"households/{home}/blocks", OFFICER, who)
    guardian = await made(f"households/{home}/guardians", WORKER, _GUARDIAN)
    order = await made(f"households/{home}/court-orders", WORKER, _ORDER)
    case = await made(f"households/{home}/council-cases", OFFICER, _MEMBERS)
    invocation = await made(f"households/{home}/invocations", WORKER, _INVOCATION)
    erasure = await made(f"households/{home}/erasures", SUPERVISOR, _ERASURE)
    hold = await made(f"households/{home}/holds", OFFICER, {"reason": "調査のため"})
    ids = {
        "erasures": erasure,
        "holds": hold,
        "guardians": guardian,
        "court-orders": order,
        "council-cases": case,
        "invocations": invocation,
        "households": home,
        "directives": directive,
        "shields": shield,
        "blocks": block,
        "lifts": lift,
        "break-glass": access,
    }
    return Home(home, ids)
