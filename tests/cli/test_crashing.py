"""A crash leaves its class and its places behind, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

NAME = "試験 花子"
START = "from visitsync.cli.terminal import crashing; crashing.leave_nothing();"
CRASHES = {
    "uncaught": "raise KeyError(name)",
    "in a thread": (
        "import threading\ndef act():\n    raise KeyError(name)\n"
        "one = threading.Thread(target=act); one.start(); one.join()"
    ),
    "while it is let go": (
        "class One:\n    def __del__(self):\n        raise KeyError(name)\none = One(); del one"
    ),
    "with a cause": (
        "try:\n    int(name)\nexcept ValueError as error:\n    raise KeyError(0) from error"
    ),
}


def crash(start: str, how: str) -> str:
    program = f"import sys\nname = sys.argv[1]\n{start}\n{how}\n"
    run = subprocess.run([sys.executable, "-c", program, NAME], capture_output=True, check=False)
    return (run.stdout + run.stderr).decode()


@pytest.mark.parametrize("how", CRASHES.values(), ids=CRASHES)
def test_a_crash_is_told_by_class_and_place(how: str) -> None:
    (line,) = crash(START, how).splitlines()
    told = json.loads(line)
    assert line.isascii()
    assert told["event"] == "crashed"
    assert told["error"] == "KeyError"
    assert told["frames"][-1].startswith("<string>:")


@pytest.mark.parametrize("how", CRASHES.values(), ids=CRASHES)
def test_control_python_itself_repeats_the_value(how: str) -> None:
    assert NAME in crash("", how)


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="there is no /proc")
def test_no_core_is_written() -> None:
    show = "print([one for one in open('/proc/self/limits') if 'core' in one][0])"
    assert crash(START, show).split()[4:6] == ["0", "0"]


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is Linux's")
@pytest.mark.parametrize(("start", "dumpable"), [(START, "0"), ("", "1")])
def test_nor_is_the_memory_handed_to_who_collects_cores(start: str, dumpable: str) -> None:
    """The second is the control: without it, whoever collects cores gets one."""
    get = 3
    assert crash(start, f"import ctypes; print(ctypes.CDLL(None).prctl({get}))").strip() == dumpable
