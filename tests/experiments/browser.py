"""A real browser, driven by its own debugging protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NONE_FOUND = "no chromium on the PATH: what a browser keeps was not looked at"
PATIENCE = 60.0


def binary() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Tab:
    """One page, and the protocol's connection to it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; what the browser tells meanwhile is passed over."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE):
            while True:
                told: dict[str, Any] = await self._socket.receive_json()
                if told.get("id") == number:
                    assert "error" not in told, told
                    result: dict[str, Any] = told["result"]
                    return result

    async def tell(self, script: str) -> Any:
        """The value of an expression on the page."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        told = await self.call("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    async def until(self, condition: str) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not await self._holds(condition):
            assert asyncio.get_running_loop().time() < end, condition
            await asyncio.sleep(0.05)

    async def _holds(self, condition: str) -> bool:
        told = await self.call("Runtime.evaluate", expression=condition, returnByValue=True)
        return bool(told["result"].get("value"))


@asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Tab]:
    """A browser that keeps what it keeps in `profile`; it ends in order, and writes all of it."""
    program = binary()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        program,
        *("--headless=new", "--remote-debugging-port=0", f"--user-data-dir={profile}"),
        *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
        *(("--no-sandbox",) if os.geteuid() == 0 else ()),
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as got:
                pages = json.loads(await got.read())
            page = next(one for one in pages if one["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                yield tab
                await socket.send_json({"id": 0, "method": "Browser.close"})
        async with asyncio.timeout(PATIENCE):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _port(file: Path) -> int:
    end = asyncio.get_running_loop().time() + PATIENCE
    while not (text := _written(file)).endswith("\n"):
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.05)
    return int(text.split()[0])


def _written(file: Path) -> str:
    # The port, a line's end, and a path.
    return f"{file.read_text()}\n" if file.exists() and "\n" in file.read_text() else ""
