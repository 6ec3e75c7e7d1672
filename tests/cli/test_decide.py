"""``visitsync decide`` as it is called from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from visitsync.cli.decide import command

CASES = Path("tests/consent/cases")


def run(*paths: Path) -> Result:
    return CliRunner().invoke(command, [str(path) for path in paths])


def test_the_contracts_example_comes_out_byte_for_byte() -> None:
    answered = subprocess.run(
        [sys.executable, "-m", "visitsync", "decide", str(CASES / "example.json")],
        capture_output=True,
        check=True,
    )
    assert answered.stdout == (CASES / "example.expected").read_bytes()
    assert answered.stderr == b""


def test_a_directory_gives_the_lines_of_every_scenario_in_it_by_name() -> None:
    result = run(CASES)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    files = sorted(CASES.glob("*.json"))
    assert list(dict.fromkeys(line["scenario"] for line in lines)) == [file.name for file in files]
    for file in files:
        mine = [line for line in lines if line["scenario"] == file.name]
        alone = [json.loads(line) for line in run(file).stdout.splitlines()]
        assert mine == [{"scenario": file.name} | line for line in alone]


def test_several_files_are_answered_in_the_order_given() -> None:
    result = run(CASES / "c6-break-glass.json", CASES / "c3-an-empty-list-covers-nothing.json")
    assert [json.loads(line)["scenario"] for line in result.stdout.splitlines()] == [
        "c6-break-glass.json",
        "c3-an-empty-list-covers-nothing.json",
    ]


def test_a_directory_with_one_file_still_names_it(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes((CASES / "example.json").read_bytes())
    assert json.loads(run(tmp_path).stdout)["scenario"] == "one.json"


def test_unreadable_facts_are_one_line_each_without_content(tmp_path: Path) -> None:
    scenario = json.loads((CASES / "example.json").read_bytes())
    hidden = "ひみつ\n二行目"
    consent = scenario["directives"][0]
    scenario["directives"] = [
        consent | {"grantor": None, "notice_version": hidden},
        consent | {"id": "d2", hidden: 1},
        consent | {"id": "d2", hidden: 1},
        consent | {"id": "d3\nd4", "effect": hidden},
    ]
    scenario["shields"] = [hidden]
    scenario["blocks"] = hidden
    file = tmp_path / "s.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    result = run(file)
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        f"visitsync: s.json: The {what} cannot be read, so less is shown; correct how it is stored."
        for what in (
            'directive "d1"',
            'directive "d2"',
            'directive "d3\\nd4"',
            "shield",
            "block",
        )
    ]


def test_a_consent_without_attendance_is_reported() -> None:
    result = run(CASES / "c3-without-attendance-it-covers-nothing.json")
    assert result.exit_code == 0
    assert result.stderr.count("\n") == 1
    assert "does not name attendance" in result.stderr


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'"x"', b"null", b"{", b'{"a": NaN}', b"\xff{}", b'{"a": 1} x'],
)
def test_what_is_no_json_object_gives_status_2_after_the_others(
    tmp_path: Path, content: bytes
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(content)
    result = run(bad, CASES / "example.json")
    assert result.exit_code == 2
    assert [json.loads(line)["scenario"] for line in result.stdout.splitlines()] == ["example.json"]
    assert result.stderr.startswith("visitsync: bad.json: is no JSON")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "part", ["1e999", "9" * 5_000, '"\\ud800"', '{"\\udfff": 1}', "[" * 100 + "]" * 100]
)
def test_json_that_is_not_strict_spoils_only_the_fact_it_stands_in(
    tmp_path: Path, part: str
) -> None:
    scenario = json.loads((CASES / "example.json").read_bytes())
    consent = scenario["directives"][0]
    scenario["directives"] = [consent | {"household": "h2", "grantor": "PART"}]
    scenario["records"].append(scenario["records"][0] | {"id": "r2", "office": "PART"})
    file = tmp_path / "s.json"
    file.write_text(json.dumps(scenario).replace('"PART"', part), encoding="utf-8")
    result = run(file)
    assert result.exit_code == 0
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["record"], first["reasons"]) == ("r1", [])
    assert (second["record"], second["reasons"][0]["rule"]) == ("r2", "C10")
    assert result.stderr.count("\n") == 2


def test_a_version_of_many_digits_is_a_version(tmp_path: Path) -> None:
    scenario = json.loads((CASES / "example.json").read_bytes())
    scenario["directives"][0]["version"] = 10**100
    file = tmp_path / "s.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    result = run(file)
    assert json.loads(result.stdout)["reasons"][0]["ref"] == f"d1@{10**100}"
    assert result.stderr == ""


def test_a_file_that_is_not_there_and_an_empty_directory_give_status_2(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        result = run(path, CASES / "example.json")
        assert result.exit_code == 2
        assert result.stdout.count("\n") == 1
        assert result.stderr.count("\n") == 1


def test_help_shows_an_example() -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "visitsync decide scenario.json" in result.stdout
