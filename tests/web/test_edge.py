"""The outermost layer on a real server: errors, headers, bounds, methods, declarations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import LogCapture
from web.serving import raw, serving

from visitsync import errors
from visitsync.web import body, headers
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.problems import STATUSES
from visitsync.web.route import Parameter, Permission, Reveals, Route, of, open_to_all

LIMITS = Limits(
    body_bytes=1000, body_seconds=0.5, request_seconds=0.5, keepalive_seconds=0.5, bodies_at_once=1
)
NAME = "田中花子"
OPEN = open_to_all("a test")


async def fine(request: web.Request) -> web.Response:
    of(request).check_query(request.query.items())
    return web.json_response({"fine": True})


async def echo(request: web.Request) -> web.Response:
    async with body.slot(request, "somebody"):
        return web.Response(body=await body.read(request, most=request.app[body.LIMITS].body_bytes))


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(5)
    raise AssertionError


async def buggy(_: web.Request) -> web.Response:
    raise KeyError(NAME)


RAISED: dict[str, Exception] = {
    "signed": errors.NotSignedIn(NAME),
    "allowed": errors.NotAllowed(NAME),
    "office": errors.UnknownOffice(NAME, where=NAME),
    "household": errors.UnknownHousehold(NAME, where=NAME),
    "parameter": errors.BadParameter("x", where="from"),
    "many": errors.TooManyRequests("x", seconds=7),
    "key": errors.RepeatedKey(NAME, where=NAME),
    "layout": errors.LayoutError("x", where="HS.xlsx"),
    "locked": errors.DatabaseUnavailable(NAME, where=NAME),
    "keyfile": errors.KeyFileError(NAME, where="/secret/path"),
    "tampered": errors.Tampered(NAME, where=NAME),
}


def raising(name: str) -> Route:
    async def handler(_: web.Request) -> web.Response:
        raise RAISED[name]

    return Route(method="GET", path=f"/raise/{name}", handler=handler, permission=OPEN)


FROM = Parameter(name="from", about="", schema={}, required=True)
ROUTES = (
    Route(method="GET", path="/fine", handler=fine, permission=OPEN),
    Route(method="GET", path="/from", handler=fine, permission=OPEN, query=(FROM,)),
    Route(method="POST", path="/echo", handler=echo, permission=OPEN),
    Route(method="GET", path="/slow", handler=slow, permission=OPEN),
    Route(method="GET", path="/buggy", handler=buggy, permission=OPEN),
    *(raising(name) for name in RAISED),
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serving(framed(ROUTES, LIMITS), LIMITS) as address:
        yield address


@pytest.fixture
async def client(url: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(url) as session:
        yield session


EXPECTED = {
    "signed": (401, "not_signed_in"),
    "allowed": (403, "not_allowed"),
    "office": (403, "not_allowed"),
    "household": (404, "not_found"),
    "parameter": (400, "bad_parameter"),
    "many": (429, "too_many_requests"),
    "key": (422, "idempotency_key_reused"),
    "layout": (422, "bad_layout"),
    "locked": (503, "database_unavailable"),
    "keyfile": (503, "not_ready"),
    "tampered": (500, "integrity"),
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_an_exception_has_its_status_and_code(
    client: aiohttp.ClientSession, name: str
) -> None:
    status, code = EXPECTED[name]

    async with client.get(f"/raise/{name}") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:visitsync:problem:{code}"
    assert NAME not in await response.text()
    assert "/secret" not in await response.text()


def test_every_exception_of_visitsync_has_an_answer() -> None:
    def below(kind: type[errors.VisitsyncError]) -> Iterator[type[errors.VisitsyncError]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    for kind in below(errors.VisitsyncError):
        assert any(parent in STATUSES for parent in kind.__mro__), kind


async def test_waiting_is_told_in_seconds(client: aiohttp.ClientSession) -> None:
    async with client.get("/raise/many") as many, client.get("/raise/locked") as locked:
        assert many.headers["Retry-After"] == "7"
        assert int(locked.headers["Retry-After"]) > 0


async def test_a_missing_token_is_asked_for(client: aiohttp.ClientSession) -> None:
    async with client.get("/raise/signed") as response:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_texts_come_in_the_readers_language(client: aiohttp.ClientSession) -> None:
    async with client.get("/raise/allowed", headers={"Accept-Language": "en"}) as english:
        assert "Not allowed" in await english.text()
        assert english.headers["Content-Language"] == "en"
    async with client.get("/raise/allowed") as japanese:
        assert "許可" in await japanese.text()


async def test_a_bug_is_answered_with_a_number_that_the_log_has_and_nothing_else(
    client: aiohttp.ClientSession, log: LogCapture
) -> None:
    async with client.get("/buggy") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["code"]) == (500, "internal")
    assert problem["incident"] == response.headers["X-Request-Id"]
    assert NAME not in await response.text()
    assert any(entry["request"] == problem["incident"] for entry in log.entries)
    assert any("KeyError" in str(entry.get("error")) for entry in log.entries)
    assert NAME not in str(log.entries)


async def test_the_log_names_the_route_and_not_what_was_asked(
    client: aiohttp.ClientSession, log: LogCapture
) -> None:
    async with client.get(f"/nowhere/{NAME}?q={NAME}", headers={"Referer": "x", "User-Agent": "y"}):
        pass
    async with client.get("/from?from=secret"):
        pass

    assert NAME not in str(log.entries)
    assert "secret" not in str(log.entries)
    assert [entry["route"] for entry in log.entries] == ["-", "/from"]


@pytest.mark.parametrize(
    "path", ["/fine", "/nowhere", "/buggy", "/echo", "/raise/locked", "/raise/household"]
)
async def test_every_answer_carries_the_security_headers(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as response:
        assert headers.ALWAYS.items() <= dict(response.headers).items()
        assert response.headers["Cache-Control"] == "no-store"
        assert len(response.headers["X-Request-Id"]) == 16


async def test_request_ids_are_ours_and_differ(client: aiohttp.ClientSession) -> None:
    sent = {"X-Request-Id": "chosen-by-the-client"}
    async with client.get("/fine", headers=sent) as one, client.get("/fine") as other:
        assert one.headers["X-Request-Id"] != sent["X-Request-Id"]
        assert one.headers["X-Request-Id"] != other.headers["X-Request-Id"]


async def test_unknown_addresses_are_answered_like_any_problem(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/nowhere") as response:
        problem = await response.json(content_type="application/problem+json")
    assert (response.status, problem["code"]) == (404, "no_such_route")
    async with client.get("/nowhere", headers={"Accept": "text/html"}) as page:
        assert page.content_type == "text/html"
        assert page.status == 404


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST"])
async def test_only_declared_methods(client: aiohttp.ClientSession, method: str) -> None:
    async with client.request(
        method, "/fine", headers={"X-HTTP-Method-Override": "GET"}
    ) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "GET"


@pytest.mark.parametrize(
    ("query", "where"),
    [("", "from"), ("?from=1&from=2", "from"), ("?from=1&x=2", "query"), ("?from[]=1", "query")],
)
async def test_undeclared_parameters_are_refused(
    client: aiohttp.ClientSession, query: str, where: str
) -> None:
    async with client.get(f"/from{query}") as response:
        problem = await response.json(content_type="application/problem+json")

    assert (response.status, problem["where"]) == (400, where)


async def test_declared_parameters_pass(client: aiohttp.ClientSession) -> None:
    async with client.get("/from?from=1") as response:
        assert response.status == 200


async def test_a_body_at_the_limit_passes_and_a_larger_one_is_refused(
    client: aiohttp.ClientSession,
) -> None:
    async with client.post("/echo", data=b"x" * 1000) as response:
        assert await response.read() == b"x" * 1000
    async with client.post("/echo", data=b"x" * 1001) as response:
        assert response.status == 413


async def test_a_large_body_without_its_length_is_refused(url: str) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await raw(url, head, b"400\r\n" + b"x" * 1024 + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
async def test_compressed_bodies_are_refused_unopened(
    client: aiohttp.ClientSession, encoding: str
) -> None:
    async with client.post(
        "/echo", data=b"\x1f\x8b not opened", headers={"Content-Encoding": encoding}
    ) as response:
        assert response.status == 415
        assert response.headers["Accept-Encoding"] == "identity"


async def test_a_slow_body_is_cut_off(url: str) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
    answer = await raw(url, head, b"x")

    assert answer.startswith(b"HTTP/1.1 408")


async def test_slow_work_is_cut_off(client: aiohttp.ClientSession) -> None:
    async with client.get("/slow") as response:
        assert response.status == 503


async def test_more_bodies_at_once_than_allowed_are_told_to_come_again(
    client: aiohttp.ClientSession,
) -> None:
    async def never_ending() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(3)

    async def first() -> int:
        async with client.post("/echo", data=never_ending()) as response:
            return response.status

    waiting = asyncio.create_task(first())
    await asyncio.sleep(0.2)
    async with client.post("/echo", data=b"x") as response:
        assert response.status == 429
    assert await waiting == 408
    async with client.post("/echo", data=b"x") as response:
        assert response.status == 200


async def test_a_silent_connection_is_closed(url: str) -> None:
    assert await raw(url, b"GET /fine HTTP/1.1\r\nHo", seconds=5) == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 not http\r\n\r\n",
        b"GET /fine HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /fine HTTP/1.1\r\nHost: x\r\nA: " + b"secret" * 2000 + b"\r\n\r\n",
        b"GET /fine HTTP/1.1\r\nHost: x\r\n" + b"A: secret\r\n" * 200 + b"\r\n",
        b"GET /" + b"secret" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /fine HTTP/1.1\r\nHost: x\r\nSecret\x00: 1\r\n\r\n",
    ],
    ids=["no http", "smuggled", "long header", "many headers", "long line", "control"],
)
async def test_what_is_no_http_gets_one_quiet_answer(url: str, sent: bytes) -> None:
    answer = await raw(url, sent)

    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 431"))
    assert b"nosniff" in answer
    assert b'"where":"request line or headers"' in answer
    assert b"ecret" not in answer
    assert b"aiohttp" not in answer


async def test_a_route_without_a_permission_stops_start_up() -> None:
    app = framed(ROUTES, LIMITS)
    app.router.add_get("/forgotten", fine)

    with pytest.raises(errors.SettingsError, match="permission"):
        async with serving(app, LIMITS):
            pass


@pytest.mark.parametrize(
    ("permission", "reveals"), [(Permission("read"), None), (OPEN, "released")]
)
def test_a_route_that_does_not_say_what_it_reveals_stops_start_up(
    permission: Permission, reveals: Reveals | None
) -> None:
    silent = Route(
        method="GET", path="/silent", handler=fine, permission=permission, reveals=reveals
    )
    with pytest.raises(errors.SettingsError, match="reveals"):
        framed((silent,), LIMITS)


def test_a_permission_says_why_it_is_open_or_which_scope_it_needs() -> None:
    assert all(one.permission.why or one.permission.scope for one in ROUTES)
    assert Permission().scope is None


async def test_what_is_under_way_when_the_service_stops_is_answered() -> None:
    started = asyncio.Event()

    async def lasting(_: web.Request) -> web.Response:
        started.set()
        await asyncio.sleep(0.3)
        return web.Response(text="finished")

    routes = (Route(method="GET", path="/lasting", handler=lasting, permission=OPEN),)
    async with aiohttp.ClientSession() as session:

        async def ask(url: str) -> str:
            async with session.get(f"{url}/lasting") as response:
                return await response.text()

        async with serving(framed(routes, LIMITS), LIMITS) as url:
            asked = asyncio.create_task(ask(url))
            await started.wait()
        assert await asked == "finished"
