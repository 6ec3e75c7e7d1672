"""What docs/verify.md tells an auditor to do, done on a real installation with what it says."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from an_authority import NONE_HERE, OPENSSL, Authority
from an_authority import serving as stamping
from build import OFFICE, a_visit, applied, consented, handed_in, home_of
from cli.test_host_commands import Host
from cli.test_serve import answers, serving
from reference import tiles_reference
from service.a_service import free_port

from visitsync.audit import fiscal_year
from visitsync.service.context import open_context
from visitsync.service.migration import migrate
from visitsync.settings import load

pytestmark = pytest.mark.skipif(OPENSSL is None or shutil.which("sh") is None, reason=NONE_HERE)

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "verify.md"
TENANT: Final = {"VISITSYNC_TENANT": "shiomi", "LANG": "C.UTF-8"}
BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
STATUS: Final = re.compile(r"  # exit status ([0-9])$")
OFFLINE: Final = ("audit verify", "audit verify-timestamp", "receipt verify")
"""What auditors and families run, who have no installation."""
SHOWN: Final = re.compile("\\\\?(…|[0-9]+(?:,[0-9]{3})*)")


@dataclass(frozen=True)
class Reader:
    """Somebody who does what the page says, in a folder of their own."""

    folder: Path
    operator: Host
    auditor: Host
    """Who has no installation."""

    def do(self, line: str) -> str:
        """What a command says; it must end as the page says."""
        stated = STATUS.search(line)
        command, _, into = STATUS.sub("", line).partition(" > ")
        status = int(stated[1]) if stated else 0
        program, *words = shlex.split(command)
        if program == "visitsync":
            host = self.auditor if command.startswith(self._offline()) else self.operator
            ended = host.run(*words, **TENANT)
            assert ended.exit_code == status, (line, ended.output)
            said, shown = ended.stdout, ended.output
        else:
            if program == "python3":
                command = shlex.join([sys.executable, str(ROOT / words[0]), *words[1:]])
            shell = ["sh", "-c", f"set -e; {command} > {into}" if into else command]
            plain = subprocess.run(shell, check=False, capture_output=True, text=True)
            assert plain.returncode == status, (line, plain.stderr)
            return plain.stdout
        if into:
            Path(into).write_text(said, encoding="utf-8")
            return ""
        return shown

    def _offline(self) -> tuple[str, ...]:
        return tuple(f"visitsync {one} " for one in OFFLINE)


async def a_family(folder: Path) -> str:
    """An installation with a consent; answers the family's receipt."""
    known = load(TENANT, data_dir=folder)
    await migrate(known)
    async with open_context(known) as context:
        await applied(context)
        await handed_in(context, [a_visit(1)])
        made = await consented(context, await home_of(context))
    assert made.receipt is not None
    return made.receipt


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """In the folder with what the page takes as given: a receipt, a token, a root certificate."""
    folder, port, desk = tmp_path / "data", free_port(), tmp_path / "desk"
    desk.mkdir()
    (desk / "receipt.txt").write_text(asyncio.run(a_family(folder)), encoding="utf-8")
    authority = Authority(tmp_path / "authority")
    shutil.copy(authority.root, desk / "root.pem")
    monkeypatch.chdir(desk)
    with serving(folder, port, **TENANT) as process, stamping(authority) as tsa:
        answers(port, 120.0)  # where the machine is busy with other tests
        operator = Host(folder, f"http://127.0.0.1:{port}")
        issued = operator.run("token", "issue", "--office", OFFICE, "--scope", "submit", **TENANT)
        assert issued.exit_code == 0, issued.output
        (desk / "token.txt").write_text(issued.stdout.strip().splitlines()[-1])
        (desk / "tsa").write_text(tsa)
        yield Reader(desk, operator, replace(operator, folder=tmp_path / "nowhere"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    # With the files alone: no installation was needed, and none made.
    assert not (tmp_path / "nowhere").exists()


def blocks(reader: Reader) -> list[tuple[str, str]]:
    """The page's blocks, with the year, the addresses and the place of this installation."""
    year = fiscal_year(dt.datetime.now(tz=dt.UTC))
    text = PAGE.read_text(encoding="utf-8")
    for written, here in (
        ("2027", str(year + 1)),
        ("2026", str(year)),
        ("https://visitsync.example.jp", reader.operator.url),
        ("https://tsa.example.jp", Path("tsa").read_text()),
        ("visitsync/shiomi/2026 4711", f"visitsync/shiomi/{year} 3"),
        (f"visitsync/shiomi/{year} 4711", f"visitsync/shiomi/{year} 3"),
    ):
        text = text.replace(written, here)
    return BLOCK.findall(text)


def shape(shown: str) -> str:
    """A pattern of what is shown: numbers are any, … is the rest of a line, alone any lines."""
    lines = []
    for line in shown.rstrip("\n").split("\n"):
        if line == "…":
            lines.append("(?s:.*)")
        else:
            lines.append(SHOWN.sub(_any, re.escape(line)))
    return "\n".join(lines)


def _any(shown: re.Match[str]) -> str:
    return "[^\\n]*" if "…" in shown[0] else "[0-9]+(?:,[0-9]{3})*"


def test_all_that_the_page_says_comes_true(reader: Reader) -> None:
    """Each command in its order, with the status and the words that stand on the page."""
    said, ran = "", 0
    for kind, block in blocks(reader):
        if kind == "sh":
            said = "".join(map(reader.do, block.strip().split("\n")))
            ran += block.count("\n")
        elif kind == "text":
            assert re.fullmatch(shape(block), said.rstrip("\n")), said
        else:
            assert kind == "typed"
            printed = Path("head.txt").read_text(encoding="utf-8")
            assert re.match(shape(block.partition("cave")[0].rstrip("\n")), printed)
            Path("typed.txt").write_text(printed.partition("----")[0].upper(), encoding="utf-8")
    assert ran > 20
    (year,) = Path("tiles").iterdir()
    assert tiles_reference.read(year, Path("key.pub").read_text().strip())
