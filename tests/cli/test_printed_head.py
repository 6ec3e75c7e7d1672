"""The newest head on paper: what the page says, what its code reads as, and reading it back."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import zxingcpp
from audit.made_logs import log, signed
from cli.test_host_commands import Host

from visitsync.audit import WordList, peek_checkpoint, printed_text, read_typed, words_of
from visitsync.cli.terminal.printed_head import code, page

LEAVES = log(9)
NOTE = signed(LEAVES)
TIME = "2026-09-30 18:05 JST"
PAGES = pytest.mark.parametrize("template", ["printed_head.html", "printed_head.svg"])


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    made = Host(tmp_path_factory.mktemp("host") / "data", "http://127.0.0.1:9")
    assert made.run("migrate").exit_code == 0
    return made


def read_code(rows: list[bytes]) -> str:
    """What an independent reader makes of a code, drawn with four points to a module."""
    width = 4 * len(rows)
    drawn = b"".join(
        bytes(0 if dark else 255 for dark in row for _ in range(4)) * 4 for row in rows
    )
    (found,) = zxingcpp.read_barcodes(memoryview(drawn).cast("B", (width, width)))
    text: str = found.text
    return text


def test_the_code_reads_as_the_signed_head_to_the_byte() -> None:
    rows = [bytes(row) for row in code(NOTE).matrix_iter(border=4)]
    assert read_code(rows) == NOTE
    # The control: the reader does not guess what was to be read.
    other = signed(LEAVES[:-1])
    assert read_code([bytes(row) for row in code(other).matrix_iter(border=4)]) == other != NOTE


@PAGES
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_page_says_all_that_is_typed_and_holds_no_script(
    template: str, language: WordList
) -> None:
    made = page(template, NOTE, language, TIME)
    head = peek_checkpoint(NOTE)
    pattern = r"<li>(\S+)</li>" if template.endswith("html") else r'monospace">(\S+)</text>\n'
    words = re.findall(pattern, made)[-25:]
    assert tuple(words) == words_of(head, language)
    assert read_typed(f"visitsync head v1\n{head.origin}\n{head.size}\n{' '.join(words)}") == head
    for said in (head.origin, f">{head.size}<", TIME, "visitsync/shiomi<", "保管", "Kept by"):
        assert said in made
    assert re.search(r"<script|javascript:|\son\w+=|https?://(?!www\.w3\.org)", made) is None


@PAGES
def test_the_code_on_a_page_is_the_signed_heads(template: str) -> None:
    made = page(template, NOTE, "en", TIME)
    (drawn,) = re.findall(r'(?:src|href)="(data:image/svg\+xml[^"]+)"', made)
    assert drawn == code(NOTE).svg_data_uri(border=4, scale=4).replace("'", "&#39;")


def test_a_page_fits_a_phone_too() -> None:
    """Its words are not cut off where it is narrow; the drawing shrinks as a whole."""
    made = page("printed_head.html", NOTE, "en", TIME)
    assert 'name="viewport" content="width=device-width' in made
    assert "@media (max-width: 150mm)" in made
    assert "max-width:100%" in page("printed_head.svg", NOTE, "en", TIME)


def test_a_page_is_well_formed_and_hides_no_markup_of_a_name() -> None:
    ET.fromstring(page("printed_head.svg", NOTE, "ja", TIME))  # noqa: S314 -- ours
    made = page("printed_head.html", NOTE, "en", "<b>")
    assert "<b>" not in made


def test_a_head_is_printed_kept_and_typed_again(host: Host, tmp_path: Path) -> None:
    html, svg, typed = tmp_path / "head.html", tmp_path / "head.svg", tmp_path / "typed.txt"
    pages = ["--html", str(html), "--svg", str(svg)]
    printed = host.run("audit", "checkpoint", "--print", *pages)
    assert printed.exit_code == 0
    note, key = (host.run("audit", "checkpoint", *more).stdout for more in ([], ["--key"]))
    head = peek_checkpoint(note)
    assert printed.stdout.startswith(printed_text(head))
    assert "▄" in printed.stdout
    assert "印刷日時" in html.read_text(encoding="utf-8")
    assert svg.read_text(encoding="utf-8").startswith("<svg")

    words = host.run("audit", "checkpoint", "--print", "--words", "ja").stdout
    bundle = tmp_path / "log.bundle"
    days = ["--from", "2020-04-01", "--to", "2100-04-01"]
    assert host.run("audit", "export", *days, str(bundle)).exit_code == 0
    for text, status, said in (
        (printed.stdout, 0, "those of the older checkpoint"),
        (words, 0, "typed from paper"),
        (printed.stdout.replace(f"\n{head.size}\n", "\n0\n"), 2, "the number of entries"),
        (printed.stdout.replace("head v1", "head v1 x"), 2, "not whole"),
    ):
        typed.write_text(text, encoding="utf-8")
        verify = ["audit", "verify", str(bundle), "--key", key.strip(), "--since", str(typed)]
        verified = host.run(*verify, LANG="C.UTF-8")
        assert (verified.exit_code, said in verified.output) == (status, True), verified.output


@pytest.mark.parametrize(
    "words", [["--html", "x.html"], ["--words", "ja"], ["--print", "--key"], ["--svg", "x.svg"]]
)
def test_what_does_not_go_together_is_wrong_use(tmp_path: Path, words: list[str]) -> None:
    asked = Host(tmp_path / "bare", "").run("audit", "checkpoint", *words)
    assert asked.exit_code == 2
    assert not (tmp_path / "bare").exists()


def test_a_page_that_cannot_be_written_is_wrong_use(host: Host, tmp_path: Path) -> None:
    asked = host.run("audit", "checkpoint", "--print", "--html", str(tmp_path / "none" / "x.html"))
    assert (asked.exit_code, "cannot be written" in asked.stderr) == (2, True)
