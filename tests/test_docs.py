"""Facts in the documents are checked against the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from visitsync.consent import decide, read_scenario
from visitsync.schema.strict_json import loads

EXAMPLE = re.compile(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", flags=re.MULTILINE)
PAGES = [Path("README.md"), Path("README.ja.md"), Path("CHANGELOG.md")]
PAGES += [*sorted(Path("docs").rglob("*.md")), *sorted(Path("bench").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:bench|deploy|docs|migrations|tests|visitsync)/[\w./-]*)`")
EXPERIMENT = re.compile(r"^\| [A-Z]\d+ \|.*\| ((?:`test_\w+`(?:, )?)+) \|$", flags=re.MULTILINE)
PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;~ ]", one)[0] for one in requirements}


def test_every_dependency_is_explained_and_nothing_else() -> None:
    page = Path("docs/dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z0-9, -]+) \|", page, flags=re.MULTILINE)
    explained = {name.strip() for row in rows for name in row.split(",")} - {"package"}

    groups = PROJECT["dependency-groups"]
    wanted = names(PROJECT["project"]["dependencies"])
    for extra in PROJECT["project"]["optional-dependencies"].values():
        wanted |= names(extra)
    wanted |= names(groups["dev"]) | names(groups["postgres"]) | names(groups["go"])
    assert {name for name in explained if name.strip("-")} == wanted


def test_locks_pin_every_dependency_by_hash_and_name_no_index() -> None:
    for name in ("runtime", "dev", "build", "hsm", "tsa"):
        lock = Path(f"deploy/locks/{name}.txt").read_text(encoding="utf-8")
        assert "://" not in lock
        pins = re.findall(r"^[a-z0-9].*", lock, flags=re.MULTILINE)
        assert pins
        assert all("==" in pin for pin in pins)
        assert lock.count("--hash=sha256:") >= len(pins)


def test_every_room_stands_in_the_architecture_page() -> None:
    page = Path("docs/architecture.md").read_text(encoding="utf-8")
    rooms = {path.name for path in Path("visitsync").iterdir() if path.is_dir()}
    for room in rooms - {"__pycache__"}:
        assert f"  {room}/" in page
    for adr in Path("docs/adr").glob("*.md"):
        assert re.match(r"# \d+\. ", adr.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_what_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        assert (page.parent / link).exists(), link
    for named in NAMED.findall(text):
        assert Path(named).exists(), named


def test_the_examples_of_the_rules_are_answered_as_the_page_says() -> None:
    """In both languages: which categories are visible, and whether fields are withheld."""
    rows = EXAMPLE.findall(Path("docs/consent.md").read_text(encoding="utf-8"))
    files = {path.stem: path for path in Path("docs/examples").glob("*.json")}
    assert sorted(name for name, _ in rows) == sorted([*files, *files])
    for name, sees in rows:
        (answer,) = decide(read_scenario(loads(files[name].read_bytes())))
        assert list(answer.visible) == re.findall(r"`(\w+)`", sees), name
        withheld = "not the place, the office, who came" in sees or "場所・事業所・訪問者" in sees
        assert list(answer.withheld_fields) == (
            ["place", "source.office", "visitors"] if withheld else []
        )


def test_every_experiment_that_is_claimed_has_its_test() -> None:
    page = Path("docs/checks.md").read_text(encoding="utf-8")
    shown = EXPERIMENT.findall(page)
    assert len(shown) == len(re.findall(r"^\| [A-Z]\d+ \|", page, flags=re.MULTILINE)) > 0
    claimed = {name for names in shown for name in re.findall(r"test_\w+", names)}
    there = {
        name
        for path in Path("tests").rglob("test_*.py")
        for name in re.findall(
            r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }
    assert claimed <= there, claimed - there
