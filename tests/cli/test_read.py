"""``visitsync read`` and ``visitsync layout check``: what offices and checks call from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from an_office import LABELS, ROW, a_file, with_cells
from click.testing import CliRunner, Result

from visitsync.__main__ import visitsync
from visitsync.schema.problems import PROBLEMS

SHIOMI = Path("visitsync/shiomi")
SAMPLES = Path("tests/samples")

LAYOUT = """
office = "o-1"
program = "household_support"
title = "一覧"
[file]
kind = "csv"
[visit]
id = "番号"
date = "日"
start = "開始"
end = "終了"
outcome = { column = "結果", codes = { "済" = "done" } }
[[person]]
role = "guardian"
name = "氏名"
"""
DIRECTORY = """
[municipality]
name = "港市"
kana = "ミナトシ"
code = "999024"
[[agency]]
id = "a-1"
name = "港市"
kind = "public"
[[office]]
id = "o-1"
agency = "a-1"
name = "港の家"
number_in_files = "1"
program = "household_support"
local_program = "港の訪問"
contract_from = 2026-04-01
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(visitsync, [str(one) for one in arguments])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with another office's directory, layout and file."""
    (tmp_path / "directory.toml").write_text(DIRECTORY, encoding="utf-8")
    (tmp_path / "layout.toml").write_text(LAYOUT, encoding="utf-8")
    (tmp_path / "good.csv").write_bytes(a_file(ROW))
    (tmp_path / "bad.csv").write_bytes(a_file(with_cells(日="2026/2/30"), ROW))
    return tmp_path


def test_a_good_file_is_canonical_ndjson_and_status_0() -> None:
    done = run("read", "--office", "shiomi-mt-01", SHIOMI / "multiples/MT_2026-04.tsv")

    golden = SAMPLES / "multiples/expected/MT_2026-04.tsv.ndjson"
    assert done.exit_code == 0
    assert done.stdout_bytes == golden.read_bytes()
    assert done.stderr == ""


def test_rejected_rows_are_json_lines_on_stderr_and_status_1() -> None:
    done = run("read", "--office", "shiomi-sp-01", SAMPLES / "single_parent/bad/SP_bad_rows.csv")
    lines = [json.loads(line) for line in done.stderr.splitlines()]

    assert done.exit_code == 1
    golden = SAMPLES / "single_parent/expected/bad/SP_bad_rows.csv.ndjson"
    assert done.stdout_bytes == golden.read_bytes()
    assert {tuple(line) for line in lines} == {
        ("file", "row", "level", "code", "column", "message")
    }
    assert lines[0] == {
        "file": "SP_bad_rows.csv",
        "row": 3,
        "level": "reject",
        "code": "impossible_date",
        "column": "派遣日",
        "message": f"{PROBLEMS['impossible_date'].ja} / {PROBLEMS['impossible_date'].en}",
    }


def test_warnings_alone_are_status_0() -> None:
    path = SAMPLES / "household_support/bad/HS_bad_dimension.xlsx"
    done = run("read", "--office", "shiomi-hs-01", path)

    assert done.exit_code == 0
    assert json.loads(done.stderr)["code"] == "dimension_claim"


def test_a_refused_file_is_status_1_and_no_record() -> None:
    path = SAMPLES / "multiples/bad/MT_bad_wrong_office.tsv"
    done = run("read", "--office", "shiomi-mt-01", path)

    assert (done.exit_code, done.stdout) == (1, "")
    assert json.loads(done.stderr)["level"] == "file"


def test_files_named_together_are_read_together() -> None:
    folder = SHIOMI / "perinatal_helper"
    fees, visits = folder / "PH_202604_fees.csv", folder / "PH_202604.txt"
    done = run("read", "--office", "shiomi-ph-01", fees, visits)

    golden = SAMPLES / "perinatal_helper/expected/PH_202604_fees.csv.ndjson"
    assert done.exit_code == 0
    assert done.stdout_bytes == golden.read_bytes()


def test_another_directory_and_layout_are_used(own: Path) -> None:
    options = ["--directory", own / "directory.toml", "--layout", own / "layout.toml"]
    done = run("read", "--office", "o-1", *options, own / "good.csv")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["source"]["local_program"] == "港の訪問"


def test_a_column_nobody_reads_is_a_warning(own: Path) -> None:
    (own / "wide.csv").write_bytes(a_file((*ROW, "晴"), labels=(*LABELS, "天気")))
    options = ["--directory", own / "directory.toml", "--layout", own / "layout.toml"]
    done = run("read", "--office", "o-1", *options, own / "wide.csv")
    line = json.loads(done.stderr)

    assert done.exit_code == 0
    assert (line["level"], line["code"], line["column"]) == ("warn", "unread_column", "天気")


def test_wrong_use_is_status_2_and_says_what(own: Path) -> None:
    wrong = own / "wrong.toml"
    wrong.write_text(LAYOUT + "\ncolour = 1\n", encoding="utf-8")
    sjis = own / "sjis.toml"
    sjis.write_bytes(LAYOUT.encode("cp932"))
    good, directory = own / "good.csv", own / "directory.toml"
    for arguments, said in (
        (["read", good], "--office"),
        (["read", "--office", "nobody", good], "nobody"),
        (["read", "--office", "shiomi-ph-00", good], "shiomi-ph-00"),
        (["read", "--office", "o-1", own / "none.csv"], "none.csv"),
        (["read", "--office", "o-1", "--directory", good, good], "directory"),
        (["read", "--office", "o-1", "--directory", directory, "--layout", wrong, good], "colour"),
        (["read", "--office", "o-1", "--directory", directory, "--layout", sjis, good], "UTF-8"),
        (["layout", "check", wrong, good], "colour"),
    ):
        done = run(*arguments)
        assert done.exit_code == 2
        assert said in done.output
        assert "Traceback" not in done.output


def test_an_unread_column_is_reported_with_its_own_file(own: Path) -> None:
    (own / "wide.csv").write_bytes(a_file((*ROW, "晴"), labels=(*LABELS, "天気")))
    options = ["--directory", own / "directory.toml", "--layout", own / "layout.toml"]
    done = run("read", "--office", "o-1", *options, own / "good.csv", own / "wide.csv")
    lines = [json.loads(line) for line in done.stderr.splitlines()]

    assert [(one["file"], one["code"]) for one in lines] == [
        ("wide.csv", "duplicate_identical"),
        ("wide.csv", "unread_column"),
    ]


def test_a_layout_may_begin_with_a_byte_order_mark(own: Path) -> None:
    layout = own / "layout.toml"
    layout.write_bytes(b"\xef\xbb\xbf" + layout.read_bytes())

    assert run("layout", "check", layout, own / "good.csv").exit_code == 0


def test_what_the_title_should_say_is_tried_too(own: Path) -> None:
    layout = own / "layout.toml"
    more = '\n[title_says]\noffice_number = "事業所番号"\nmonth = { row = 1, cell = 4 }\n'
    layout.write_text(layout.read_text(encoding="utf-8") + more, encoding="utf-8")
    (own / "titled.csv").write_bytes(
        "事業所番号,9990200018,対象月,2026-04\n".encode() + a_file(ROW)
    )
    done = run("layout", "check", "--json", layout, own / "titled.csv")
    assert json.loads(done.stdout)["bound"][:2] == [
        {"place": "title_says.office_number", "label": "事業所番号", "found": "9990200018"},
        {"place": "title_says.month", "label": "row 1, cell 4", "found": "2026-04"},
    ]

    silent = run("layout", "check", layout, own / "good.csv")
    assert silent.exit_code == 1
    assert "no_office_number" in silent.output


def test_a_layout_is_tried_on_a_sample(own: Path) -> None:
    done = run("layout", "check", own / "layout.toml", own / "good.csv")

    assert done.exit_code == 0
    for shown in ("visit.date", "2: 日", "persons[1].name", "架空 花子", "1 visits, 0 rejected"):
        assert shown in done.output


def test_what_a_layout_cannot_read_is_shown(own: Path) -> None:
    done = run("layout", "check", own / "layout.toml", own / "bad.csv")

    assert done.exit_code == 1
    for shown in ("impossible_date", "日", "1 visits, 1 rejected"):
        assert shown in done.output


def test_a_layout_check_is_json_for_programs(own: Path) -> None:
    (own / "wide.csv").write_bytes(a_file((*ROW, "晴"), labels=(*LABELS, "天気")))
    done = run("layout", "check", "--json", own / "layout.toml", own / "wide.csv")
    checked = json.loads(done.stdout)

    assert done.exit_code == 0
    assert {"place": "visit.date", "label": "日", "found": "2: 日"} in checked["bound"]
    assert checked["unread"] == ["天気"]
    assert checked["visits"] == 1
    assert checked["first"][0]["persons"][0]["name"] == "架空 花子"
    assert checked["problems"] == []


def test_a_missing_column_is_shown_beside_those_found(own: Path) -> None:
    labels = tuple("おわり" if one == "終了" else one for one in LABELS)
    (own / "other.csv").write_bytes(a_file(ROW, labels=labels))
    done = run("layout", "check", own / "layout.toml", own / "other.csv")

    assert done.exit_code == 1
    assert "not in this file" in done.output
    assert "missing_column" in done.output
    assert "2: 日" in done.output


def test_a_layout_of_fees_is_tried_on_fees_alone() -> None:
    layout = SHIOMI / "layouts/shiomi-ph-01-fees.toml"
    done = run("layout", "check", layout, SHIOMI / "perinatal_helper/PH_202604_fees.csv")

    assert done.exit_code == 0
