"""What processes wrote, synced and answered, in order, read from a trace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

CALLS: Final = "pwrite64,ftruncate,fdatasync,fsync,rename,write,sendto,sendmsg"
OPTIONS: Final = ("-e", f"trace={CALLS}", "-e", "signal=none")
_CALL: Final = re.compile(
    r"^(?P<thread>\d+) +(?P<name>\w+)\((?:\d+<(?P<path>[^>]*)>(?:, )?)?(?P<rest>.*)"
)
_RESUMED: Final = re.compile(r"^(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_LAST: Final = re.compile(r", (\d+)(?:\)| <unfinished)")
_REQUEST: Final = re.compile(rb"X-Request-Id: (\w+)\r\n")
_SYNCS: Final = frozenset({"fdatasync", "fsync"})
_ANSWERS: Final = frozenset({"sendto", "sendmsg", "write"})
_COMMITTED: Final = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""How PostgreSQL's protocol says that a transaction is committed."""


class Step(NamedTuple):
    """One thing that a process did."""

    kind: str
    """``write``, ``cut``, ``rename``, ``sync`` (it has returned), ``commit`` (PostgreSQL says so)
    or ``answer``."""
    file: str
    """Its path; after a rename."""
    offset: int = 0
    data: bytes = b""
    request: str = ""
    begun: int = 0
    """Of a sync: before which step it began; it covers what was written before that."""
    thread: int = 0


def steps_of(trace: Path) -> list[Step]:
    """The steps of a trace whose strings are all in hex."""
    steps: list[Step] = []
    begun: dict[str, tuple[str, int]] = {}
    with trace.open(encoding="ascii") as lines:
        for line in lines:
            if found := _RESUMED.match(line):
                if found["name"] in _SYNCS and found["thread"] in begun:
                    file, at = begun.pop(found["thread"])
                    if found["rest"].rstrip().endswith("= 0"):
                        steps.append(Step("sync", file, begun=at))
            elif found := _CALL.match(line):
                path = _bytes(found["path"] or "").decode(errors="replace")
                if found["name"] in _SYNCS and "unfinished" in line:
                    begun[found["thread"]] = (path, len(steps))
                else:
                    steps += _steps(found, path, len(steps))
    return steps


def _steps(call: re.Match[str], path: str, at: int) -> Iterator[Step]:
    name, rest, thread = call["name"], call["rest"], int(call["thread"])
    texts = [_bytes(one) for one in _TEXT.findall(rest)]
    data = b"".join(texts)
    if name in _SYNCS:
        if rest.rstrip().endswith("= 0"):
            yield Step("sync", path, begun=at)
    elif name == "ftruncate":
        yield Step("cut", path, int(re.split(r"[ )]", rest)[0]))
    elif name == "rename":
        yield Step("rename", texts[1].decode(), data=texts[0])
    elif name == "pwrite64":
        last = _LAST.search(rest.split('"')[-1].partition(",")[2])
        assert last is not None, "a write says where"
        yield Step("write", path, int(last[1]), data, thread=thread)
    elif name in _ANSWERS and data.startswith(b"HTTP/1.1 200 "):
        found = _REQUEST.search(data)
        assert found is not None
        yield Step("answer", path, data=data, request=found[1].decode())
    elif name in _ANSWERS and _COMMITTED in data:
        yield Step("commit", path, thread=thread)
    elif name == "write" and path.startswith("/"):
        yield Step("write", path, data=data, thread=thread)


def _bytes(written: str) -> bytes:
    if "\\x" not in written:
        return written.encode()
    return bytes.fromhex(written.replace("\\x", ""))
