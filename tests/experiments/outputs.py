"""Every kind of output, asked for by one person: each route of the table, and the terminal."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from click.testing import CliRunner
from web.conftest import Town
from web.family import CASE_NO

from visitsync.__main__ import visitsync
from visitsync.audit import fiscal_year, origin
from visitsync.web.app import ROUTES

HEEDS: Final = {"Accept-Protected": "address"}
NONE: Final = "none"
PURPOSES: Final = ("care_coordination", "service_delivery", "eligibility", "protection")


class About(NamedTuple):
    """The family, and the ids of what protects it."""

    household: str
    shield: str = NONE
    block: str = NONE
    lift: str = NONE


class Asked(NamedTuple):
    """A way to ask; what ends a protection is asked of none, so that it stands."""

    query: tuple[dict[str, str], ...] = ({},)
    body: Any = None
    form: Mapping[str, str] | None = None


_ENTRY: Final = (
    {"shard": origin("visitsync", fiscal_year(dt.datetime.now(tz=dt.UTC))), "seq": "1"},
)
_DAYS: Final = ({"from": "2026-01-01", "until": "2027-01-01"},)
_PURPOSES: Final = tuple({"purpose": one} for one in PURPOSES)
_DIRECTIVE: Final = {
    "grantor": "guardian",
    "effect": "deny",
    "sources": ["program:perinatal_helper"],
    "recipients": ["office:shiomi-ph-01"],
    "purposes": ["billing"],
    "categories": ["economy"],
    "notice_version": "2026-04",
}
_LIFT: Final = {"recipient": "viewer:u01", "document": "court_document", "reason": "提出"}
_MEMBERS: Final = {"members": ["office:shiomi-ph-01"]}
_INVOCATION: Final = {
    "basis": "child_abuse_13_4",
    "recipients": ["office:shiomi-ph-01"],
    "categories": ["notes"],
    "valid_until": (dt.datetime.now(dt.UTC) + dt.timedelta(days=30)).isoformat(),
    "reason": "通報があり連絡がとれない",
}
_GUARDIAN: Final = {
    "person": "guardian",
    "authority": "joint",
    "basis": "register",
    "from": "2026-04-01",
}
_ERASURE: Final = {"ground": "family_request", "reason": "転出と請求"}
_ORDER: Final = {"order": "protection_order", "against": "other", "from": "2026-04-01"}


def shape(path: str) -> str:
    """A path without the names of its ids."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


REQUESTS: Final[Mapping[tuple[str, str], Asked]] = {
    ("POST", "/api/v1/households/{household}/break-glass"): Asked(
        body=[
            {
                "reason": "child_in_danger",
                "text": "通報があり連絡がとれない",
                "categories": ["notes", "health", "child_protection", "contact", "identity"],
                "hours": 1,
                "proof": "{proof}",
            }
        ]
    ),
    ("POST", "/api/v1/offices/{office}/submissions"): Asked(body=[]),
    ("POST", "/api/v1/households/search"): Asked(
        body=[{"purpose": one, "case_no": CASE_NO} for one in PURPOSES]
    ),
    ("GET", "/api/v1/households/{household}/timeline"): Asked(_PURPOSES),
    ("GET", "/api/v1/households/{household}/explain"): Asked(_PURPOSES[:1]),
    ("POST", "/api/v1/households/{household}/explain"): Asked(
        body=[{"purpose": "care_coordination", "draft": _DIRECTIVE}]
    ),
    ("POST", "/api/v1/households/{household}/directives"): Asked(body=[_DIRECTIVE]),
    ("GET", "/api/v1/households/{household}/directives"): Asked(_PURPOSES[:1]),
    ("GET", "/api/v1/directives/{directive}/evidence"): Asked(_PURPOSES[:1]),
    ("POST", "/api/v1/directives/{directive}/confirm"): Asked(),
    ("POST", "/api/v1/directives/{directive}/withdraw"): Asked(
        body=[{"reason": "changed_mind", "by": "guardian"}]
    ),
    ("POST", "/api/v1/households/{household}/council-cases"): Asked(body=[_MEMBERS]),
    ("GET", "/api/v1/households/{household}/council-cases"): Asked(_PURPOSES),
    ("POST", "/api/v1/council-cases/{none}/members"): Asked(body=[_MEMBERS]),
    ("POST", "/api/v1/council-cases/{none}/close"): Asked(),
    ("POST", "/api/v1/households/{household}/invocations"): Asked(body=[_INVOCATION]),
    ("GET", "/api/v1/households/{household}/invocations"): Asked(_PURPOSES),
    ("POST", "/api/v1/invocations/{none}/approve"): Asked(),
    ("POST", "/api/v1/invocations/{none}/end"): Asked(),
    ("POST", "/api/v1/invocations/{none}/shield"): Asked(body=[{"shield": NONE}]),
    ("POST", "/api/v1/break-glass/{none}/shield"): Asked(body=[{"shield": NONE}]),
    ("POST", "/api/v1/households/{household}/guardians"): Asked(body=[_GUARDIAN]),
    ("GET", "/api/v1/households/{household}/guardians"): Asked(_PURPOSES),
    ("POST", "/api/v1/guardians/{none}/end"): Asked(body=[{"until": "2027-04-01"}]),
    ("POST", "/api/v1/households/{household}/court-orders"): Asked(body=[_ORDER]),
    ("POST", "/api/v1/court-orders/{none}/end"): Asked(body=[{"until": "2027-04-01"}]),
    ("POST", "/api/v1/households/{household}/shields"): Asked(body=[{}]),
    ("POST", "/api/v1/shields/{shield}/confirm"): Asked(body=[{}]),
    ("POST", "/api/v1/shields/{shield}/close"): Asked(),
    ("POST", "/api/v1/shields/{none}/close/approve"): Asked(),
    ("GET", "/api/v1/shields/ageing"): Asked(),
    ("POST", "/api/v1/households/{household}/blocks"): Asked(body=[{"who": ["viewer:u04"]}]),
    ("POST", "/api/v1/blocks/{block}/close"): Asked(),
    ("POST", "/api/v1/blocks/{none}/close/approve"): Asked(),
    ("POST", "/api/v1/shields/{shield}/lifts"): Asked(body=[_LIFT]),
    ("POST", "/api/v1/lifts/{none}/approve"): Asked(),
    ("POST", "/api/v1/households/{household}/erasures"): Asked(body=[_ERASURE]),
    ("GET", "/api/v1/households/{household}/erasures"): Asked(_PURPOSES),
    ("POST", "/api/v1/erasures/{none}/approve"): Asked(),
    ("POST", "/api/v1/erasures/{none}/withdraw"): Asked(),
    ("POST", "/api/v1/households/{household}/holds"): Asked(body=[{"reason": "訴訟のため"}]),
    ("POST", "/api/v1/holds/{none}/lift"): Asked(),
    ("POST", "/api/v1/holds/{none}/lift/approve"): Asked(),
    ("POST", "/api/v1/lifts/{lift}/use"): Asked(body=[{"purpose": one} for one in PURPOSES]),
    ("POST", "/api/v1/break-glass/{none}/approve"): Asked(),
    ("POST", "/api/v1/break-glass/{none}/review"): Asked(
        body=[{"outcome": "justified", "text": "確認した"}]
    ),
    ("GET", "/api/v1/break-glass/reviews"): Asked(),
    ("GET", "/api/v1/break-glass/statistics"): Asked(),
    ("GET", "/api/v1/messages"): Asked(),
    ("GET", "/api/v1/offices/{office}/uses"): Asked(),
    ("GET", "/api/v1/households/{household}/accesses"): Asked(
        ({"purpose": "audit"}, {"purpose": "protection"})
    ),
    ("GET", "/api/v1/access-log"): Asked(({}, {"household": "{household}"})),
    ("POST", "/api/v1/access-log/search"): Asked(body=[{}, {"kind": "search"}]),
    ("POST", "/api/v1/access-log/export"): Asked(({"format": "csv"}, {"format": "ndjson"}), [{}]),
    ("GET", "/api/v1/access-log/statistics"): Asked(_DAYS),
    ("GET", "/api/v1/access-log/checkpoint"): Asked(),
    ("GET", "/api/v1/access-log/bundle"): Asked(_DAYS),
    ("GET", "/api/v1/access-log/proof"): Asked(_ENTRY),
    ("GET", "/api/v1/log-heads/newest"): Asked(),
    ("POST", "/api/v1/log-heads/cosignatures"): Asked(body=[{"note": "-", "key": "-"}]),
    ("GET", "/search"): Asked(),
    ("POST", "/search"): Asked(form={"purpose": "care_coordination", "case_no": CASE_NO}),
    ("GET", "/households/{household}"): Asked(_PURPOSES),
}
"""By method and path; where a path has `none`, the id is one that there is not.

What opens a household in an emergency is asked first, so that all others are asked with it.
"""
RELEASING: Final = frozenset(
    (method, path)
    for method, path in REQUESTS
    for one in ROUTES
    if one.reveals == "released" and (one.method, shape(one.path)) == (method, shape(path))
)


def unasked() -> set[tuple[str, str]]:
    """Routes of the table that say what they reveal, and are not asked above."""
    known = {(method, shape(path)) for method, path in REQUESTS}
    return {
        (one.method, one.path)
        for one in ROUTES
        if one.reveals is not None and (one.method, shape(one.path)) not in known
    }


class Given(NamedTuple):
    """What came out."""

    method: str
    path: str
    status: int
    text: str


async def everything(
    town: Town,
    actor: str,
    about: About,
    headers: Mapping[str, str] = HEEDS,
    among: Collection[tuple[str, str]] = REQUESTS,
) -> list[Given]:
    """All that comes out for a member of staff, in JSON, on pages and in the terminal."""
    token = town.tokens.staff[actor]
    given = []
    cookie = await _signed_in(town, token)
    for (method, path), asked in REQUESTS.items():
        if (method, path) not in among:
            continue
        at = path.format(
            **about._asdict(), office="shiomi-hs-01", directive=NONE, id=NONE, none=NONE
        )
        page = not path.startswith("/api/")
        sent = {"Cookie": cookie, "Origin": town.url, "Sec-Fetch-Site": "same-origin"}
        if not page:
            sent = {**town.staff(actor), **headers}
        for each in asked.query:
            query = {name: said.format(**about._asdict()) for name, said in each.items()}
            for body in asked.body or [None]:
                written = None if body is None else json.dumps(body).replace("{proof}", token)
                if written is not None:
                    sent["Content-Type"] = "application/json"
                async with town.session.request(
                    method, at, params=query, data=asked.form or written, headers=sent
                ) as response:
                    given.append(Given(method, path, response.status, await response.text()))
    for arguments in ([], ["--json"], ["--json", "--accept-protected"]):
        heeds = "--accept-protected" in arguments
        if heeds and not headers:
            continue
        for purpose in ("care_coordination", "protection") if heeds else PURPOSES[:1]:
            words = ["timeline", about.household, "--as", actor, "--purpose", purpose, *arguments]
            status, text = await asyncio.to_thread(_in_terminal, town, words)
            given.append(Given("terminal", " ".join(arguments), status, text))
    words = ["explain", about.household, "--as", actor, "--purpose", "care_coordination"]
    given.append(Given("terminal", "explain", *await asyncio.to_thread(_in_terminal, town, words)))
    return given


async def _signed_in(town: Town, token: str) -> str:
    origin = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    async with town.session.post(
        "/sign-in", data={"token": token}, headers=origin, allow_redirects=False
    ) as response:
        return response.headers.get("Set-Cookie", "").split(";")[0]


def _in_terminal(town: Town, words: list[str]) -> tuple[int, str]:
    environment = {"VISITSYNC_DATA_DIR": str(town.folder)}
    result = CliRunner().invoke(visitsync, words, env=environment)
    return result.exit_code, result.output
