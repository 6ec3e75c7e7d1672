"""H29: nothing that is written to the service's log makes a line of its own, or looks like one."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Final

import aiohttp
import pytest
import structlog
from aiohttp import web
from web.conftest import Town
from web.serving import raw, serving

from visitsync import errors, logs
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.route import Route, open_to_all

MARK: Final = "PLANTED"
INJECTED: Final = {
    "line": f'x\n{{"event":"request","level":"info","where":"{MARK}"}}',
    "return": f"x\r{MARK} level=info",
    "both": f"x\r\n{MARK} level=info",
    "escape": f"\x1b[2K\x1b[1A{MARK}",
    "eight bits": f"\x9b2K{MARK}",
    "null": f"x\0{MARK}",
    "delete": f"x\x7f{MARK}",
    "form feed": f"x\x0b\x0c\x1c\x1d\x1e{MARK}",
    "next line": f"x\x85{MARK}",
    "line separator": f"x\u2028{MARK}\u2029",
    "bidi": f"\u202e\u2066{MARK}\u2069\u200f",
    "zero width": f"\ufeff\u200b{MARK}",
    "half a character": f"\ud800{MARK}",
}
PRETENDS: Final = "x level=info event=request"
"""Printable ASCII; it stays inside its quotes."""
FIELDS: Final = [*sorted(logs.ALLOWED), "person", "exc_info", "stack_info"]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    stream = io.StringIO()
    logs.set_up(stream)
    yield stream
    structlog.configure(**before[2])
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[:2]


def check_lines(text: str, events: int) -> list[dict[str, object]]:
    """Lines are events, whoever splits them; each is one object of printable ASCII."""
    assert text.isascii()
    assert text.replace("\n", "").isprintable() or not events
    lines = text.splitlines()
    assert len(lines) == text.count("\n") == events
    return [json.loads(one, parse_constant=pytest.fail) for one in lines]


@pytest.mark.parametrize("said", [*INJECTED.values(), PRETENDS], ids=[*INJECTED, "pretends"])
def test_h29_lines_are_events_whatever_a_field_holds(written: io.StringIO, said: str) -> None:
    log = structlog.get_logger()
    events = 0
    for name in FIELDS:
        for value in (said, [said], ("a", said), {said: said}, said.encode(errors="replace")):
            if name == "event":
                log.info(value)
            else:
                log.info("planted", **{name: value})
            events += 1
    log.info("planted %s", said)
    log.info("planted", **{said: said})
    with structlog.contextvars.bound_contextvars(request=said):
        log.info("planted")
    log.info("planted", milliseconds=float("nan"), count=float("inf"))

    lines = check_lines(written.getvalue(), events + 4)

    assert MARK not in written.getvalue()
    assert {one["level"] for one in lines} <= {"info"} | {PRETENDS}
    assert {one.get("event") for one in lines} == {"planted", None}


async def test_h29_lines_are_events_whatever_an_error_holds(written: io.StringIO) -> None:
    names = [said for said in INJECTED.values() if not {"\0", "\ud800"} & set(said)]
    kinds = [type(said, (Exception,), {}) for said in names]
    raised: list[Exception] = [kind(MARK) for kind in kinds]
    raised += [errors.DatabaseUnavailable(said, where=said) for said in INJECTED.values()]
    route = "/raise/{number}"

    async def handler(request: web.Request) -> web.Response:
        raise raised[int(request.match_info["number"])]

    limits = Limits()
    routes = (Route(method="GET", path=route, handler=handler, permission=open_to_all("a test")),)
    async with (
        serving(framed(routes, limits), limits) as url,
        aiohttp.ClientSession(url) as session,
    ):
        for number in range(len(raised)):
            async with session.get(f"/raise/{number}") as response:
                assert response.status >= 500
                assert MARK not in await response.text()

    lines = check_lines(written.getvalue(), 2 * len(raised))
    assert MARK not in written.getvalue()
    assert [one["event"] for one in lines] == ["failed", "request"] * len(raised)


async def test_h29_lines_are_events_whatever_is_asked(town: Town, written: io.StringIO) -> None:
    """In the path, its name of a household, the query, the method and the headers."""
    asked = 0
    for text in (*INJECTED.values(), PRETENDS):
        said = "".join(f"%{one:02X}" for one in text.encode("utf-8", "surrogatepass"))
        for path in (
            f"/{said}",
            f"/api/v1/households/{said}/timeline?purpose={said}",
            f"/api/v1/households/h/timeline?{said}=1",
            f"/api/v1/offices/{said}/submissions",
            f"/households/{said}?lang={said}",
        ):
            head = (
                f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: {said}\r\n"
                f"Authorization: {town.staff('u01')['Authorization']}\r\nCookie: a={said}\r\n"
                f"Referer: {said}\r\nX-Request-Id: {said}\r\nAccept-Language: {said}\r\n\r\n"
            )
            assert (await raw(town.url, head.encode())).startswith(b"HTTP/1.1 ")
            asked += 1
    lines = check_lines(written.getvalue(), asked)
    assert MARK not in written.getvalue()
    assert "level=info" not in written.getvalue()
    assert {one["event"] for one in lines} == {"request"}


def test_h29_control_a_log_of_words_and_values_has_lines_that_nobody_wrote(
    written: io.StringIO,
) -> None:
    processors = structlog.get_config()["processors"]
    structlog.configure(
        processors=[
            *(one for one in processors[:-1] if one is not logs.only_allowed),
            lambda _, __, event: " ".join(f"{name}={value}" for name, value in event.items()),
        ]
    )
    structlog.get_logger().info("planted", where=INJECTED["line"])
    with pytest.raises(AssertionError):
        check_lines(written.getvalue(), 1)


def test_h29_control_without_the_look_at_values_they_get_through(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_is_plain", lambda _: True)
    structlog.get_logger().info("planted", where=INJECTED["delete"])
    assert MARK in written.getvalue()
