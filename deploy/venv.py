"""Set up this checkout and run a command in it, with nothing but Python and git.

    python3 deploy/venv.py visitsync demo        what a user needs
    python3 deploy/venv.py --dev pytest          what a developer needs

The first run makes `.venv` and installs the hash-locked packages of `deploy/locks/`; later runs see
by the locks' digest that nothing changed and start at once. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "deploy" / "locks"
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST = (3, 11)


def main(arguments: list[str]) -> int:
    """Prepare `.venv`, then become the command; answers its exit status."""
    dev = arguments[:1] == ["--dev"]
    command = arguments[1:] if dev else arguments
    if not command:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.version_info < OLDEST:
        have = ".".join(map(str, sys.version_info[:3]))
        print(f"visitsync needs Python 3.11 or newer; this is {have}.", file=sys.stderr)
        return 2
    try:
        _prepare(dev=dev)
    except subprocess.CalledProcessError as error:
        print(f"Setting up .venv failed at: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        print("Whoever runs this machine must mend that, then repeat the command.", file=sys.stderr)
        return 1
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "PATH": _path()}
    program = BIN / command[0]
    executable = str(program) if program.exists() else command[0]
    return subprocess.call([executable, *command[1:]], env=environment)


def _path() -> str:
    return os.pathsep.join([str(BIN), os.environ.get("PATH", "")])


def _prepare(*, dev: bool) -> None:
    # `--dev` is a superset, so a checkout set up for development also serves the plain commands.
    stamp = VENV / "installed.txt"
    states = [_digest(["build.txt", "dev.txt"])]
    if not dev:
        states.append(_digest(["build.txt", "runtime.txt"]))
    if stamp.exists() and stamp.read_text() in states:
        return
    python = BIN / "python"
    if not python.exists():
        print("Setting up .venv (once) …", file=sys.stderr)
        _run(sys.executable, "-m", "venv", VENV)
    stamp.unlink(missing_ok=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lock = "dev.txt" if dev else "runtime.txt"
    _run(*pip, "--require-hashes", "-r", LOCKS / "build.txt", "-r", LOCKS / lock)
    _run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    stamp.write_text(states[0] if dev else states[1])


def _digest(names: list[str]) -> str:
    parts = [(LOCKS / name).read_bytes() for name in names]
    parts.append((ROOT / "pyproject.toml").read_bytes())
    parts.append(f"{sys.version_info[:2]} {ROOT}".encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
