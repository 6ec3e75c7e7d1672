"""The host's own commands, from an empty folder to a verified log, beside a running service."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from cli.test_serve import answers, serving
from click.testing import CliRunner, Result
from reference import tiles_reference
from service.a_service import free_port

from visitsync.__main__ import main, visitsync
from visitsync.cli.story.viewer import Viewer

SHIOMI = Path("visitsync/shiomi")
MULTIPLES = "shiomi-mt-01"
WRONG = "vst_wrong"
APRIL = SHIOMI / "multiples" / "MT_2026-04.tsv"


@dataclass(frozen=True)
class Host:
    folder: Path
    url: str

    def run(self, *arguments: str, **environment: str) -> Result:
        env = {"VISITSYNC_DATA_DIR": str(self.folder), "COLUMNS": "200", **environment}
        return CliRunner(env=env).invoke(visitsync, arguments)

    def token(self, kind: str, name: str) -> str:
        known = json.loads((self.folder / "dev-tokens.json").read_bytes())
        token: str = known[kind][name]
        return token


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder, port = tmp_path_factory.mktemp("host") / "data", free_port()
    with serving(folder, port) as process:
        answers(port)
        yield Host(folder, f"http://127.0.0.1:{port}")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.fixture
def bare(tmp_path: Path) -> Host:
    """A folder in which nothing was made yet."""
    return Host(tmp_path / "bare", "http://127.0.0.1:9")


def push(host: Host, *arguments: str, office: str = MULTIPLES, **environment: str) -> Result:
    environment.setdefault("VISITSYNC_TOKEN", host.token("offices", office))
    return host.run("push", "--office", office, "--url", host.url, *arguments, **environment)


# ── push ──────────────────────────────────────────────────────────────────────────────────────────
def test_pushing_takes_the_file_and_pushing_again_changes_nothing(host: Host) -> None:
    dry = push(host, "--dry-run", "--json", str(APRIL))
    first = push(host, "--json", str(APRIL))
    again = push(host, "--json", str(APRIL))

    assert (dry.exit_code, first.exit_code, again.exit_code) == (0, 0, 0)
    assert json.loads(dry.stdout)["submission"] is None
    assert json.loads(first.stdout)["counts"]["created"] > 0
    assert json.loads(again.stdout)["submission"] == json.loads(first.stdout)["submission"]
    assert json.loads(again.stdout)["repeated"]


def test_pushing_again_says_that_it_was_known(host: Host) -> None:
    push(host, str(APRIL))

    assert "known already" in push(host, str(APRIL)).stdout
    assert "known already" not in push(host, "--dry-run", str(APRIL)).stdout


def test_other_content_for_a_known_revision_is_status_1(host: Host, tmp_path: Path) -> None:
    push(host, str(APRIL))
    other = tmp_path / APRIL.name
    other.write_bytes(APRIL.read_bytes().replace("授乳".encode(), "洗濯".encode()))
    result = push(host, "--dry-run", str(other))

    assert " conflict" in result.stdout
    assert result.exit_code == 1


def test_a_token_can_stand_in_a_file(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    file.write_text(host.token("offices", MULTIPLES) + "\n")
    result = push(host, "--token-file", str(file), str(APRIL), VISITSYNC_TOKEN="")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{MULTIPLES}: ")


def test_rejected_rows_are_a_table_and_status_1(host: Host) -> None:
    bad = Path("tests/samples/multiples/bad/MT_bad_rows.tsv")
    result = push(host, "--dry-run", str(bad))

    assert result.exit_code == 1
    assert "rejected" in result.stdout
    assert bad.name in result.stdout
    assert "the office must" in result.stdout


def test_a_refusal_is_one_sentence_and_status_1(host: Host) -> None:
    result = push(host, str(APRIL), office=MULTIPLES, VISITSYNC_TOKEN=WRONG)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Ask the operator" in result.stderr


def test_no_token_is_wrong_use(host: Host) -> None:
    assert push(host, str(APRIL), VISITSYNC_TOKEN="").exit_code == 2
    assert push(host, "--token-file", "/nowhere", str(APRIL)).exit_code == 2


def test_a_service_that_is_not_there_is_one_sentence(
    bare: Host, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["visitsync", "push", "--office", MULTIPLES, "--url", bare.url, str(APRIL)]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.setenv("VISITSYNC_TOKEN", "vst_x")
    monkeypatch.setattr("visitsync.cli.office_client.handing_in.PAUSE", 0.0)
    # It changes this whole process.
    monkeypatch.setattr("visitsync.cli.terminal.crashing.leave_nothing", lambda: None)

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "visitsync: The service cannot be reached; check the address and that it runs"
        f" ({bare.url})\n"
    )


async def _find(host: Host) -> str:
    async with aiohttp.ClientSession() as session:
        viewer = Viewer(
            session=session,
            url=host.url,
            id="u13",
            name="",
            token=host.token("staff", "u13"),
            language="en",
        )
        return await viewer.find("F-013", "service_delivery")


# ── timeline ──────────────────────────────────────────────────────────────────────────────────────
def test_the_timeline_is_shown_as_that_user_sees_it(host: Host) -> None:
    assert push(host, str(APRIL)).exit_code == 0
    household = asyncio.run(_find(host))

    own = host.run("timeline", household, "--as", "u13", "--purpose", "service_delivery", "--json")
    told = host.run("timeline", household, "--as", "u13", "--purpose", "service_delivery")
    other = host.run("timeline", household, "--as", "u01", "--purpose", "care_coordination")
    nobody = host.run("timeline", household, "--as", "u99", "--purpose", "care_coordination")

    assert json.loads(own.stdout)["total"] > 0
    assert told.exit_code == 0
    assert "Multiples supporters" in told.stdout
    assert (other.exit_code, other.stdout) == (1, "")
    assert other.stderr.replace("u01", "u99") == nobody.stderr


# ── explain ───────────────────────────────────────────────────────────────────────────────────────
def test_who_can_see_a_household_is_explained_to_who_may_ask(host: Host) -> None:
    assert push(host, str(APRIL)).exit_code == 0
    household = asyncio.run(_find(host))
    officer = ("--as", "u19", "--purpose", "protection")

    found = host.run("explain", household, *officer, "--json")
    told = host.run("explain", household, *officer, "--lang", "en")
    then = host.run("explain", household, *officer, "--known-at", "2020-01-01", "--lang", "ja")
    other = host.run("explain", household, "--as", "u13", "--purpose", "service_delivery")
    nobody = host.run("explain", "h" + "a" * 26, "--as", "u13", "--purpose", "service_delivery")

    people = json.loads(found.stdout)["people"]
    assert "u13" in [one["viewer"] for one in people]
    assert "their own office's records" in told.stdout
    assert "Whoever is not listed sees nothing." in told.stdout
    assert "2020-01-01 00:00 の時点" in then.stdout
    assert (other.exit_code, other.stdout) == (1, "")
    assert other.stderr == nobody.stderr


# ── token, directory, migrate, doctor ─────────────────────────────────────────────────────────────
def test_a_token_is_issued_listed_and_revoked(host: Host) -> None:
    issued = host.run("token", "issue", "--office", MULTIPLES, "--days", "2", "--json")
    token = json.loads(issued.stdout)
    assert push(host, "--dry-run", str(APRIL), VISITSYNC_TOKEN=token["secret"]).exit_code == 0

    listed = host.run("token", "list")
    assert token["token"] in listed.stdout
    assert token["secret"] not in listed.stdout + host.run("token", "list", "--json").stdout

    assert host.run("token", "revoke", token["token"]).exit_code == 0
    assert push(host, "--dry-run", str(APRIL), VISITSYNC_TOKEN=token["secret"]).exit_code == 1
    assert host.run("token", "revoke", "nonsense").exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [[], ["--office", MULTIPLES, "--staff", "u01"], ["--staff", "u01", "--days", "0"]],
)
def test_tokens_for_nobody_or_two_are_wrong_use(host: Host, arguments: list[str]) -> None:
    assert host.run("token", "issue", *arguments).exit_code == 2


def test_the_directory_is_shown_before_it_is_applied(host: Host, tmp_path: Path) -> None:
    text = (SHIOMI / "directory.toml").read_text(encoding="utf-8")
    file = tmp_path / "directory.toml"
    file.write_text(text.replace('team = "こども家庭センター 家庭支援係"', 'team = "新しい係"'))
    (tmp_path / "households.json").write_bytes((SHIOMI / "households.json").read_bytes())
    (tmp_path / "layouts").mkdir()
    for layout in (SHIOMI / "layouts").glob("*.toml"):
        (tmp_path / "layouts" / layout.name).write_bytes(layout.read_bytes())

    declined = CliRunner(env={"VISITSYNC_DATA_DIR": str(host.folder), "COLUMNS": "200"}).invoke(
        visitsync, ["directory", "apply", str(file)], input="n\n"
    )
    applied = host.run("directory", "apply", "--yes", str(file))
    again = host.run("directory", "apply", "--yes", str(file))

    assert declined.exit_code == 1
    assert "u16" in declined.stdout
    assert "新しい係" not in declined.stdout + applied.stdout
    assert applied.exit_code == 0
    assert again.stdout == "Nothing differs.\n"
    assert host.run("directory", "apply", "--yes", str(SHIOMI / "directory.toml")).exit_code == 0


def test_migrate_makes_an_installation_and_says_where_it_stands(bare: Host) -> None:
    bare.folder.mkdir(mode=0o700)
    before = bare.run("migrate", "--check")
    made = bare.run("migrate")
    after = bare.run("migrate", "--check", "--json")

    assert (before.exit_code, made.exit_code, after.exit_code) == (1, 0, 0)
    assert json.loads(after.stdout)["standing"] == "current"
    assert (bare.folder / "master.key").stat().st_mode & 0o077 == 0


def test_the_doctor_finds_health_and_sickness(host: Host, bare: Host) -> None:
    well = host.run("doctor")
    sick = bare.run("doctor", "--json")

    assert well.exit_code == 0
    assert "✗" not in well.stdout
    assert sick.exit_code == 1
    assert [one["name"] for one in json.loads(sick.stdout) if not one["fit"]] == ["keys"]


# ── keys ──────────────────────────────────────────────────────────────────────────────────────────
def test_keys_are_shown_rotated_and_retired_beside_a_running_service(host: Host) -> None:
    assert push(host, str(APRIL)).exit_code == 0
    before = json.loads(host.run("keys", "status", "--json").stdout)
    (only,) = before["masters"]
    assert (before["provider"], only["epoch"], only["state"]) == ("file", 1, "newest")
    assert only["data_keys"] > 0
    assert host.run("keys", "rotate", "--retire", "1", "--second", "b").exit_code == 2

    rotated = host.run("keys", "rotate", "--master", "--json")
    told = host.run("keys", "status")
    alone = host.run("keys", "rotate", "--retire", "1")
    retired = host.run("keys", "rotate", "--retire", "1", "--second", "custodian")
    after = json.loads(host.run("keys", "status", "--json").stdout)

    assert (rotated.exit_code, json.loads(rotated.stdout)["wrapped"]) == (0, only["data_keys"])
    assert "may be retired" in told.stdout
    assert alone.exit_code == 2
    assert "second person" in alone.stderr
    assert retired.exit_code == 0
    assert [(one["epoch"], one["state"]) for one in after["masters"]] == [(2, "newest")]
    household = asyncio.run(_find(host))
    assert household, "the running service reads on"
    assert push(host, "--dry-run", str(APRIL)).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [[], ["--master", "--retire", "1"], ["--retire", "0"], ["--only-file", "--retire", "1"]],
)
def test_rotating_nothing_or_two_things_is_wrong_use(host: Host, arguments: list[str]) -> None:
    assert host.run("keys", "rotate", *arguments).exit_code == 2


def test_keys_are_sealed_under_a_passphrase(host: Host, tmp_path: Path) -> None:
    out = tmp_path / "master.sealed"
    (tmp_path / "unlock").write_text("correct horse battery staple")
    where = {"CREDENTIALS_DIRECTORY": str(tmp_path), "VISITSYNC_KEY_UNLOCK": "credential:unlock"}

    sealed = host.run("keys", "seal", str(out), **where)
    as_before = json.loads(host.run("keys", "status", "--json").stdout)
    now = {**where, "VISITSYNC_KEY_PROVIDER": "sealed", "VISITSYNC_KEY_FILE": str(out)}
    after = json.loads(host.run("keys", "status", "--json", **now).stdout)

    assert sealed.exit_code == 0
    assert (after["provider"], after["masters"]) == ("sealed", as_before["masters"])
    assert "✗" not in host.run("doctor", **now).stdout


# ── audit ─────────────────────────────────────────────────────────────────────────────────────────
def test_the_log_is_exported_and_verified_by_what_was_kept(host: Host, tmp_path: Path) -> None:
    kept, key, bundle = tmp_path / "old.txt", tmp_path / "key.pub", tmp_path / "log.bundle"
    kept.write_text(host.run("audit", "checkpoint").stdout)
    key.write_text(host.run("audit", "checkpoint", "--key").stdout)
    today = dt.datetime.now(tz=dt.UTC).date()
    period = ["--from", f"{today.year - 1}-01-01", "--to", f"{today.year + 2}-01-01"]
    push(host, "--dry-run", str(APRIL))
    exported = host.run("audit", "export", *period, str(bundle))
    assert exported.exit_code == 0

    def verify(file: Path, *arguments: str) -> Result:
        return host.run("audit", "verify", str(file), *arguments)

    good = verify(bundle, "--key", str(key), "--since", str(kept), "--json")
    assert good.exit_code == 0
    assert "older_agrees" in [one["code"] for one in json.loads(good.stdout)["findings"]]
    assert verify(bundle, "--key", key.read_text().strip()).exit_code == 0

    forged = tmp_path / "forged.bundle"
    forged.write_bytes(bundle.read_bytes().replace(b'"v":1}', b'"v":1,"x":1}', 1))
    assert verify(forged, "--key", str(key)).exit_code in {1, 2}
    assert verify(bundle).exit_code == 2
    assert verify(APRIL, "--key", str(key)).exit_code == 2


def test_the_log_is_written_as_tiles_into_an_empty_folder(host: Host, tmp_path: Path) -> None:
    key = host.run("audit", "checkpoint", "--key").stdout.strip()
    period = ["--from", "2020-01-01", "--to", "2099-01-01"]
    folder = tmp_path / "new" / "tiles"
    assert host.run("audit", "export", *period, "--tiles", str(folder)).exit_code == 0
    (year,) = folder.iterdir()
    assert tiles_reference.read(year, key)

    again = host.run("audit", "export", *period, "--tiles", str(folder))
    assert (again.exit_code, "is not empty" in again.stderr) == (2, True)
    assert host.run("audit", "export", *period).exit_code == 2
    both = [*period, "--tiles", str(tmp_path / "t"), str(tmp_path / "b")]
    assert host.run("audit", "export", *both).exit_code == 2


def test_one_entry_is_proved_and_verified_by_the_key_alone(host: Host, tmp_path: Path) -> None:
    shard = host.run("audit", "checkpoint").stdout.split("\n")[0]
    key = host.run("audit", "checkpoint", "--key").stdout.strip()
    proof = tmp_path / "1.tlog-proof"
    proof.write_bytes(host.run("audit", "prove", shard, "1").stdout_bytes)

    assert host.run("audit", "verify", str(proof), "--key", key).exit_code == 0
    assert host.run("audit", "verify", str(proof)).exit_code == 2
    proof.write_bytes(proof.read_bytes().replace(b"index 1", b"index 2"))
    assert host.run("audit", "verify", str(proof), "--key", key).exit_code == 1
    assert host.run("audit", "prove", shard, "99999999").exit_code == 2


def test_a_bundle_that_cannot_be_written_is_wrong_use_and_reads_nothing(
    host: Host, tmp_path: Path
) -> None:
    period = ["--from", "2026-04-01", "--to", "2026-10-01"]
    before = host.run("audit", "checkpoint").stdout
    result = host.run("audit", "export", *period, str(tmp_path / "missing" / "log.bundle"))

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
    assert host.run("audit", "checkpoint").stdout == before


def test_a_period_that_is_none_is_wrong_use(host: Host, tmp_path: Path) -> None:
    period = ["--from", "2026-10-01", "--to", "2026-04-01"]

    assert host.run("audit", "export", *period, str(tmp_path / "x")).exit_code == 2


# ── the access log for auditors ───────────────────────────────────────────────────────────────────
def test_the_operator_searches_the_log_and_that_is_logged(host: Host) -> None:
    push(host, str(APRIL))
    first = host.run("audit", "search", "--kind", "submission", "--json")
    again = host.run("audit", "search", "--kind", "log_read", "--json")
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert {one["office"] for one in json.loads(first.stdout)["entries"]} == {MULTIPLES}
    (found,) = [
        one
        for one in json.loads(again.stdout)["entries"]
        if one["private"].get("sought") == ["kind=submission"]
    ]
    assert found["actor"]["kind"] == "operator"
    shown = host.run("audit", "search", "--office", MULTIPLES, "--until", "2100-01-01")
    assert MULTIPLES in shown.stdout
    assert "submission" in shown.stdout


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_the_operator_takes_what_is_found_away_as_a_file(host: Host, form: str) -> None:
    result = host.run("audit", "search", "--kind", "token_issued", f"--{form}")
    assert result.exit_code == 0
    lines = result.stdout_bytes.decode("utf-8-sig").splitlines()
    page = json.loads(host.run("audit", "search", "--kind", "token_issued", "--json").stdout)
    assert len(lines) - (form == "csv") == len(page["entries"])
    exports = json.loads(host.run("audit", "search", "--kind", "log_exported", "--json").stdout)
    assert exports["entries"][-1]["private"]["form"] == form


def test_the_operator_counts_what_people_did(host: Host) -> None:
    days = ("--from", "2026-04-01", "--until", "2027-04-01")
    plain = host.run("audit", "statistics", *days)
    found = json.loads(host.run("audit", "statistics", *days, "--json").stdout)
    table = host.run("audit", "statistics", *days, "--csv").stdout_bytes.decode("utf-8-sig")
    lines = host.run("audit", "statistics", *days, "--ndjson").stdout.splitlines()
    assert "looks" in plain.stdout
    assert found["days_off"] == ["saturday", "sunday"]
    assert len(lines) == len(found["people"])
    assert table.splitlines()[0].startswith("actor,name,agency")


@pytest.mark.parametrize(
    "words",
    [
        ("search", "--actor", "x"),
        ("search", "--kind", "x"),
        ("search", "--purpose", "x"),
        ("search", "--from", "yesterday"),
        ("search", "--cursor", "x"),
        ("search", "--cursor", "2026-1", "--csv"),
        ("search", "--name", "x"),
        ("statistics", "--from", "2026-04-01"),
        ("statistics", "--from", "2026-04-01", "--until", "2026-04-01"),
    ],
)
def test_what_cannot_be_asked_of_the_log_is_status_2(host: Host, words: tuple[str, ...]) -> None:
    assert host.run("audit", *words).exit_code == 2
