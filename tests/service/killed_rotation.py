"""A whole rotation of keys that ends by SIGKILL at a chosen line of our code.

python killed_rotation.py LINE KEY      0 never: prints how many lines there are; KEY is master,
                                        data or index
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from visitsync.service import data_rotation, index_rotation, resealing, rotation
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.settings import load

OURS = {
    "service/rotation.py",
    "service/keyring.py",
    "service/writing.py",
    "service/data_rotation.py",
    "service/index_rotation.py",
    "service/new_keys.py",
    "service/resealing.py",
    "service/terms.py",
    "store/index_keys.py",
    "store/master_keys.py",
    "store/rotations.py",
    "store/sealed_rows.py",
    "store/data_keys.py",
    "store/database.py",
    "envelope/keyfile.py",
    "envelope/master_keys.py",
}
OPERATOR = Caller.operator("killed")


class Killer:
    """Counts the lines that were begun, and ends the process before a chosen one."""

    def __init__(self, line: int) -> None:
        self._line = line
        self.lines = 0
        self.counts = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> Killer | None:
        if "/".join(Path(frame.f_code.co_filename).parts[-2:]) not in OURS:
            return None
        if event == "line" and self.counts:
            self.lines += 1
            if self.lines == self._line:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


async def rotate(context: Context, key: str) -> None:
    if key == "data":
        await data_rotation.rotate(context, OPERATOR, grace=0)
    elif key == "index":
        await index_rotation.rotate(context, OPERATOR, grace=0)
    else:
        begun = await rotation.begin(context, OPERATOR)
        await rotation.wrap_anew(context)
        await rotation.retire(context, OPERATOR, begun.epoch - 1, "second")


async def main(killer: Killer, key: str) -> None:
    # So that a small city has several transactions.
    rotation._BATCH = 3  # type: ignore[misc] # noqa: SLF001
    data_rotation._PLACES = 3  # type: ignore[misc] # noqa: SLF001
    resealing.MOST = 3  # type: ignore[misc]
    index_rotation._BATCH = 1  # type: ignore[misc] # noqa: SLF001
    threading.settrace(killer)  # before any thread begins: the key file is changed in one
    sys.settrace(killer)
    async with open_context(load()) as context:
        killer.counts = True
        await rotate(context, key)
        killer.counts = False


if __name__ == "__main__":
    one = Killer(int(sys.argv[1]))
    asyncio.run(main(one, sys.argv[2]))
    print(one.lines)
