"""``docs/layouts.md``: its example runs, and its reference is that of the types."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from visitsync.__main__ import visitsync
from visitsync.fields import cells, layout
from visitsync.fields.dates import Style
from visitsync.fields.layout_file import parse

PAGE = Path("docs/layouts.md")
BEGIN = (
    "<!-- reference: written by tests/fields/test_layouts_page.py, REWRITE_GOLDEN=1 renews it -->"
)
END = "<!-- end of reference -->"

PLACES = {
    "Layout": "The top of the file",
    "FileForm": "`[file]`",
    "TitleForm": "`[title_says]`",
    "Place": "A place",
    "Months": "`months`",
    "RowForm": "`[rows]`",
    "VisitForm": "`[visit]`",
    "PersonForm": "`[[person]]`",
    "VisitorForm": "`[[visitor]]`",
    "Services": "`[[service]]`",
    "FeeForm": "`[fee]`",
    "HealthForm": "A health value",
    "Text": "A text",
    "Day": "A date",
    "Time": "A time",
    "Number": "A number",
    "Units": "Units",
    "Code": "A code",
}
"""Each type of a layout and what it is called in the page."""

TYPES = {
    "str": "text",
    "bool": "true or false",
    "int": "number",
    "Style": "style",
    "Span": "[first byte, width]",
    "Kind": "kind",
    "Encoding": "encoding",
}


def blocks(kind: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the worked example, in the folder where the commands run."""
    (tmp_path / "nanairo-01.toml").write_text("\n".join(blocks("toml")), encoding="utf-8")
    (tmp_path / "directory.toml").write_text(blocks("toml directory")[0], encoding="utf-8")
    (tmp_path / "nanairo_2026-04.csv").write_bytes(blocks("csv")[0].encode("cp932"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commands() -> list[list[str]]:
    return [block.strip().removeprefix("$ visitsync ").split() for block in blocks("console")]


def run(arguments: list[str]) -> Result:
    return CliRunner().invoke(visitsync, arguments)


def holds(whole: object, part: dict[str, object]) -> bool:
    return isinstance(whole, dict) and part.items() <= whole.items()


def test_the_worked_example_runs_as_told() -> None:
    assert [command[0] for command in commands()] == ["layout", "read"]
    assert len(blocks("toml")) >= 6
    assert len(blocks("json")) == 2


def test_the_example_layout_is_checked_as_told(example: Path) -> None:
    assert example.exists()
    told = [json.loads(line) for line in _told_problems]
    done = run(_commands[0])
    asked = run([*_commands[0][:2], "--json", *_commands[0][2:]])
    problems = json.loads(asked.stdout)["problems"]

    assert done.exit_code == 1
    assert len(problems) == len(told)
    assert all(holds(problem, part) for problem, part in zip(problems, told, strict=True))


def test_the_example_file_is_read_as_told(example: Path) -> None:
    assert example.exists()
    done = run(_commands[1])
    visits = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(visits) == 3
    assert holds(visits[1], json.loads(_told_visit))
    assert visits[1]["persons"] == visits[0]["persons"]
    assert [person["name"] for person in visits[0]["persons"]] == ["架空　花子", "波", "凪"]
    assert [person["birth_date"] for person in visits[0]["persons"]] == [None, "2024-05", None]
    assert visits[0]["fee"]["class"] == "standard"


# Read before a test changes the folder.
_commands = commands()
_told_problems = blocks("json")[0].splitlines()
_told_visit = blocks("json")[1]


def test_the_fragments_are_right() -> None:
    for fragment in blocks("toml fragment"):
        top = 'office = "o"\nprogram = "multiples"\ntitle = "t"\n'
        rest = (
            '\n[visit]\nid = "伝票番号"\ndate = "伝票番号"\noutcome = { always = "done" }\n'
            '[[person]]\nrole = "guardian"\nname = "住所"\n'
        )
        parse(top + fragment + rest)


def structs(module: ModuleType) -> Iterator[ast.ClassDef]:
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef) and node.name in PLACES:
            yield node


def type_of(annotation: ast.expr) -> str:
    text = ast.unparse(annotation).replace(" | None", "")
    text = re.sub(r"str \| (\w+)", r"label or \1", text)
    text = re.sub(
        r"Literal\[(.*)\]", lambda m: " or ".join(m[1].replace("'", "`").split(", ")), text
    )
    text = re.sub(r"tuple\[(.*), \.\.\.\]", r"list of \1", text)
    text = re.sub(r"dict\[str, (.*)\]", r"table of \1", text)
    for name, words in PLACES.items():
        text = re.sub(rf"\b{name}\b", words.lower().removeprefix("a "), text)
    return re.sub(r"\b\w+\b", lambda m: TYPES.get(m[0], m[0]), text)


def default_of(node: ast.AnnAssign) -> str:
    if node.value is None:
        return "must be given"
    text = ast.unparse(node.value)
    if "name='class'" in text:
        return "must be given"
    if text in {"None", "()", "{}"} or text.endswith("()") or "default_factory" in text:
        return ""
    text = re.sub(r"\((.*),\)", r"[\1]", text)
    return "`" + {"True": "true", "False": "false"}.get(text, text.replace("'", '"')) + "`"


def reference() -> str:
    parts = []
    found = {node.name: node for module in (layout, cells) for node in structs(module)}
    assert set(found) == set(PLACES)
    for name, title in PLACES.items():
        node = found[name]
        docstring = " ".join((ast.get_docstring(node) or "").replace("``", "`").split())
        lines = [
            f"### {title}",
            "",
            docstring,
            "",
            "| member | type | default | meaning |",
            "|---|---|---|---|",
        ]
        for member, said in pairwise(node.body[1:]):
            if isinstance(member, ast.AnnAssign):
                assert isinstance(said, ast.Expr), f"{name} has a member without docstring"
                meaning = " ".join(ast.literal_eval(said.value).replace("``", "`").split())
                target = ast.unparse(member.target).rstrip("_")
                cells_of = (f"`{target}`", type_of(member.annotation), default_of(member), meaning)
                lines.append("| " + " | ".join(one.replace("|", "\\|") for one in cells_of) + " |")
        parts.append("\n".join(lines))
    lines = ["### Styles of dates", ""]
    source = inspect.getsource(__import__("visitsync.fields.dates", fromlist=["x"]))
    lines += re.findall(r"^- ``.*", source, flags=re.MULTILINE)
    text = "\n\n".join([*parts, "\n".join(lines)]).replace("``", "`")
    assert all(f"`{style}`" in text for style in get_args(Style))
    return text


def test_the_reference_is_that_of_the_types() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("REWRITE_GOLDEN"):
        PAGE.write_text(f"{before}{BEGIN}\n\n{reference()}\n\n{END}{after}", encoding="utf-8")
        return

    assert written.strip() == reference()
