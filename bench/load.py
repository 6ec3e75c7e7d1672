"""A small load client: keep-alive connections that send prepared requests back to back.

It runs in a process of its own and does as little as possible, so that what is measured is the
service. Targets are loopback addresses only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Figures:
    """What one run of requests took: seconds each, and the statuses seen."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wall: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Rate per second and percentiles in milliseconds."""
        ordered = sorted(self.seconds)
        count = len(ordered)
        return {
            "requests": count,
            "wall_s": round(self.wall, 3),
            "per_s": round(count / self.wall, 1),
            "p50_ms": round(1000 * ordered[count // 2], 2),
            "p99_ms": round(1000 * ordered[min(count - 1, count * 99 // 100)], 2),
            "statuses": self.statuses,
        }


def request_bytes(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """One HTTP/1.1 request, ready to be written."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


async def run(port: int, requests: list[bytes], clients: int) -> Figures:
    """Send every request once, `clients` at a time."""
    figures = Figures()
    waiting = iter(requests)
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_client(port, waiting, figures))
    figures.wall = time.perf_counter() - begin
    return figures


async def _client(port: int, waiting: Any, figures: Figures) -> None:  # noqa: ANN401 -- one shared iterator
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in waiting:
        begin = time.perf_counter()
        writer.write(request)
        await writer.drain()
        status, closed = await answer(reader)
        figures.seconds.append(time.perf_counter() - begin)
        figures.statuses[status] = figures.statuses.get(status, 0) + 1
        if closed:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status of the next answer, and whether the connection closes after it."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    closed = False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        lowered = name.lower()
        if lowered == b"content-length":
            length = int(value)
        elif lowered == b"connection":
            closed = value.strip().lower() == b"close"
    await reader.readexactly(length)
    return int(head[9:12]), closed


def main() -> None:
    """Read a plan as JSON from stdin, print the figures as JSON.

    The plan: ``{"port", "clients", "times", "requests": [{"method", "path", "headers", "file"}]}``.
    """
    plan = json.load(sys.stdin)
    requests = []
    for one in plan["requests"]:
        body = open(one["file"], "rb").read() if one.get("file") else b""  # noqa: SIM115, PTH123 -- a plan's few files
        requests.append(request_bytes(one["method"], one["path"], one["headers"], body))
    figures = asyncio.run(run(plan["port"], requests * plan.get("times", 1), plan["clients"]))
    print(json.dumps(figures.as_json()))


if __name__ == "__main__":
    main()
