"""An answer that rests on a logged look leaves in time or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from structlog.testing import LogCapture
from web.conftest import Town
from web.family import CASE_NO, WORKER, consent, settle
from web.serving import raw, serving

from visitsync.service import leaving
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.route import Route, open_to_all
from visitsync.web.server import LEAVES_BY

OPEN = open_to_all("a test")
BIG = b"x" * 32 * 1024 * 1024
"""More than the kernel holds for a client that does not fetch."""
WITHIN = 0.3


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "SECONDS", WITHIN)


async def looked(_: web.Request) -> web.Response:
    leaving.logged(asyncio.get_running_loop().time())
    return web.Response(body=BIG)


async def small(_: web.Request) -> web.Response:
    leaving.logged(asyncio.get_running_loop().time())
    return web.Response(body=b"small")


async def late(_: web.Request) -> web.Response:
    leaving.logged(asyncio.get_running_loop().time() - WITHIN)
    return web.Response(body=b"secret")


async def twice(_: web.Request) -> web.Response:
    """A second look does not give the first one more time."""
    leaving.logged(asyncio.get_running_loop().time() - WITHIN)
    leaving.logged(asyncio.get_running_loop().time())
    return web.Response(body=b"secret")


async def held_up(request: web.Request) -> web.Response:
    """As if the process had been stopped between the last check and the sending."""
    request[LEAVES_BY] = asyncio.get_running_loop().time() - 1
    return web.Response(body=b"secret")


async def nothing_looked_at(_: web.Request) -> web.Response:
    return web.Response(body=BIG)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    handlers = (looked, small, late, twice, held_up, nothing_looked_at)
    routes = [
        Route(method="GET", path=f"/{one.__name__}", handler=one, permission=OPEN)
        for one in handlers
    ]
    async with serving(framed(routes, Limits()), Limits()) as address:
        yield address


def request(path: str) -> bytes:
    return f"GET /{path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()


async def fetched_slowly(url: str, path: str, pause: float) -> int:
    """How many bytes of the answer come to a client that fetches nothing for a while."""
    host, _, port = url.removeprefix("http://").partition(":")
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    own.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(own, (host, int(port)))
    await loop.sock_sendall(own, request(path))
    await asyncio.sleep(pause)
    count = 0
    try:
        async with asyncio.timeout(20):
            while piece := await loop.sock_recv(own, 1 << 20):
                count += len(piece)
    except ConnectionError:
        pass
    finally:
        own.close()
    return count


async def test_what_a_client_does_not_fetch_in_time_is_cut_off(url: str, log: LogCapture) -> None:
    assert await fetched_slowly(url, "looked", 2 * WITHIN) < len(BIG)
    assert [one["event"] for one in log.entries].count("answer_cut") == 1


async def test_control_the_same_answer_without_a_look_is_fetched_whole(url: str) -> None:
    """The test above would pass for any reason to close the connection otherwise."""
    assert await fetched_slowly(url, "nothing_looked_at", 2 * WITHIN) > len(BIG)


async def test_an_answer_that_left_in_time_cuts_nothing(url: str, log: LogCapture) -> None:
    both = request("small").replace(b"close", b"keep-alive") + request("nothing_looked_at")
    assert len(await raw(url, both)) > len(BIG)
    await asyncio.sleep(WITHIN)
    assert "answer_cut" not in [one["event"] for one in log.entries]


@pytest.mark.parametrize("path", ["late", "twice"])
async def test_an_answer_that_is_late_does_not_leave(url: str, path: str) -> None:
    answer = await raw(url, request(path))
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"secret" not in answer


async def test_an_answer_that_was_held_up_is_cut_off(url: str) -> None:
    with contextlib.suppress(ConnectionError):
        assert await raw(url, request("held_up")) == b""


LOOKS = (
    ("GET", "/api/v1/households/{}/timeline?purpose=care_coordination", None),
    ("GET", "/api/v1/households/{}/explain?purpose=care_coordination", None),
    ("GET", "/api/v1/households/{}/directives?purpose=care_coordination", None),
    ("POST", "/api/v1/households/search", {"purpose": "care_coordination", "case_no": CASE_NO}),
)


async def test_the_answer_to_every_look_has_its_last_moment(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the real log through the real routes: past that moment nothing of a household leaves."""
    household = await settle(town)
    await consent(town, household, "multiples", categories=("identity",))

    async def answers() -> list[tuple[int, bool]]:
        found = []
        for method, path, body in LOOKS:
            async with town.session.request(
                method, path.format(household), json=body, headers=town.staff(WORKER)
            ) as response:
                told = household in await response.text()
                found.append((response.status, told))
        return found

    monkeypatch.setattr(leaving, "SECONDS", 60.0)
    assert await answers() == [(200, True)] * len(LOOKS)
    monkeypatch.setattr(leaving, "SECONDS", -1.0)  # as if each had been held up for longer
    assert await answers() == [(503, False)] * len(LOOKS)
