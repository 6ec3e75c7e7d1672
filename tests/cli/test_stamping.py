"""Time stamps by a real authority: asked for, written, checked offline, and by openssl alone."""

from __future__ import annotations

import base64
import datetime as dt
import importlib
import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from an_authority import NONE_HERE, OPENSSL, Authority, openssl, serving
from audit.made_logs import OTHER_SIGNER, SIGNER, log, signed
from cli.test_host_commands import Host
from click.testing import Result

from visitsync.audit import Verdict
from visitsync.audit.time_stamp import TimeStamp, check, decode, encode, verify_time_stamp
from visitsync.cli.stamping.stamping import certificates, stamped
from visitsync.cli.terminal.running import run
from visitsync.errors import BadStamp, OperatorError

pytestmark = pytest.mark.skipif(OPENSSL is None, reason=NONE_HERE)

NOTE = signed(log(9))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    made = Host(tmp_path_factory.mktemp("host") / "data", "")
    assert made.run("migrate").exit_code == 0
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority of the same name."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def stamp(authority: Authority) -> TimeStamp:
    """Of `NOTE`."""
    return stamped_by(authority)


def stamped_by(authority: Authority) -> TimeStamp:
    about, asked = authority.folder / "note", authority.folder / "note.tsq"
    about.write_bytes(NOTE.encode())
    openssl("ts", "-query", "-data", about, "-sha256", "-cert", "-out", asked)
    return TimeStamp(authority.answer(asked.read_bytes()), NOTE)


@pytest.fixture
def url(authority: Authority) -> Iterator[str]:
    with serving(authority) as address:
        yield address
    authority.spoilt = ""


def verdict(stamp: TimeStamp, authority: Authority, key: str | None = SIGNER.vkey) -> Verdict:
    return verify_time_stamp(encode(stamp), key, certificates(authority.root))


def ask(host: Host, url: str, out: Path, *more: str) -> Result:
    return host.run("audit", "timestamp", "--tsa", url, *more, str(out))


def test_a_head_is_stamped_and_checked_offline_and_by_openssl(
    host: Host, authority: Authority, url: str, tmp_path: Path
) -> None:
    out, ca = tmp_path / "head.tst", str(authority.root)
    asked = ask(host, url, out, "--ca", ca)
    assert (asked.exit_code, asked.stderr) == (0, "")
    key = host.run("audit", "checkpoint", "--key").stdout.strip()
    verify = ["audit", "verify-timestamp", str(out), "--ca", ca]
    checked = host.run(*verify, "--key", key, LANG="C.UTF-8")
    assert checked.exit_code == 0
    assert f"existed at {dt.datetime.now(tz=dt.UTC):%Y-%m-%d}" in checked.stdout
    assert host.run(*verify).exit_code == 2

    _, answer, _, note = out.read_text().split("\n", 3)
    assert note == host.run("audit", "checkpoint").stdout
    (tmp_path / "note").write_text(note)
    (tmp_path / "answer").write_bytes(base64.b64decode(answer))
    files = ["-in", tmp_path / "answer", "-data", tmp_path / "note"]
    openssl("ts", "-verify", *files, "-CAfile", ca)


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize(
    ("spoilt", "said"),
    [
        ("nonce", "nonce"),
        ("imprint", "of another"),
        ("sha512", "not by SHA-256"),
        ("refused", "did not grant"),
        ("rubbish", "no time stamp"),
        ("large", "larger"),
        ("page", "no time-stamping authority"),
        ("busy", "status 503"),
        ("elsewhere", "status 302"),
    ],
)
def test_an_answer_that_is_not_ours_is_refused(
    authority: Authority, url: str, spoilt: str, said: str, *, checked: bool
) -> None:
    authority.spoilt, authority.other = spoilt, NOTE.encode()
    if spoilt == "imprint":
        authority.other += b"x"
    with pytest.raises((BadStamp, OperatorError), match=said):
        run(stamped(url, NOTE, authority.root if checked else None))


def test_what_cannot_be_had_is_a_sentence_and_a_status(
    host: Host, authority: Authority, stranger: Authority, url: str, tmp_path: Path
) -> None:
    out = tmp_path / "head.tst"
    away = ask(host, "http://127.0.0.1:9/", out)
    assert (away.exit_code, "cannot be reached" in away.stderr) == (2, True)
    other = ask(host, url, out, "--ca", str(stranger.root))
    assert (other.exit_code, "no authority under" in other.stderr) == (1, True)
    none = ask(host, url, out, "--ca", str(stranger.folder / "serial"))
    assert (none.exit_code, "no certificate" in none.stderr) == (2, True)
    authority.spoilt, authority.other = "nonce", host.run("audit", "checkpoint").stdout.encode()
    again = ask(host, url, out)
    assert (again.exit_code, "its nonce is another" in again.stderr) == (1, True)
    assert not out.exists()
    # The control: without --ca it is written, and said that nobody checked.
    authority.spoilt = ""
    unchecked = ask(host, url, out)
    assert (unchecked.exit_code, "was not checked" in unchecked.stderr) == (0, True)


@pytest.mark.parametrize(
    ("kept", "codes"),
    [
        ({}, ("stamped",)),
        ({"between": "may"}, ("stamped",)),
        ({"between": "may not"}, ("stamp_untrusted",)),
        ({"days": (-30, -1)}, ("stamp_untrusted",)),
        ({"days": (1, 30)}, ("stamp_untrusted",)),
    ],
    ids=["good", "a chain", "a broken chain", "expired", "not yet"],
)
def test_a_stamp_counts_only_by_a_chain_that_held_when_it_was_made(
    kept: dict[str, Any], codes: tuple[str, ...], tmp_path: Path
) -> None:
    made = Authority(tmp_path / "authority", **kept)
    stamp = stamped_by(made)
    found = verdict(stamp, made)
    assert (found.codes(), found.exit_code) == (codes, 0 if codes == ("stamped",) else 2)
    if codes != ("stamped",):
        with pytest.raises(BadStamp, match="no authority under"):
            check(stamp.answer, NOTE, certificates(made.root))


def test_an_answer_that_cannot_be_read_here_accuses_nobody(tmp_path: Path) -> None:
    """Some authorities leave their certificates unsorted; others read what they write."""
    made = Authority(tmp_path / "authority", between="unsorted")
    stamp = stamped_by(made)
    found = verdict(stamp, made)
    assert (found.exit_code, found.codes()) == (2, ("stamp_unreadable",))
    assert "openssl" in found.sentences()[0]
    assert "openssl" in found.sentences("ja")[0]
    answer = tmp_path / "answer"
    answer.write_bytes(stamp.answer)
    openssl("ts", "-verify", "-in", answer, "-data", made.folder / "note", "-CAfile", made.root)


def test_a_stamp_by_another_sum_is_refused_and_says_so(
    authority: Authority, tmp_path: Path
) -> None:
    """Also of the very head: the form has one algorithm, so that none can be chosen."""
    about, asked = tmp_path / "note", tmp_path / "note.tsq"
    about.write_bytes(NOTE.encode())
    for digest, codes in (("-sha512", ("stamp_algorithm",)), ("-sha256", ("stamped",))):
        openssl("ts", "-query", "-data", about, digest, "-cert", "-out", asked)
        found = verdict(TimeStamp(authority.answer(asked.read_bytes()), NOTE), authority)
        assert found.codes() == codes
        assert found.exit_code == (0 if codes == ("stamped",) else 2)


def test_nothing_is_asked_of_a_network_but_by_the_command_that_stamps(
    host: Host, stamp: TimeStamp, authority: Authority, tmp_path: Path
) -> None:
    """No address is known by default, and checking opens no connection at all."""
    file = tmp_path / "kept.tst"
    file.write_bytes(encode(stamp))
    reached: list[object] = []

    def no_network(_socket: socket.socket, address: object) -> None:
        reached.append(address)
        raise OSError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", no_network)
        ca = ["--ca", str(authority.root)]
        checked = host.run("audit", "verify-timestamp", str(file), *ca, "--key", SIGNER.vkey)
        assert checked.exit_code == 0
        unnamed = host.run("audit", "timestamp", *ca, str(tmp_path / "x.tst"))
        assert (unnamed.exit_code, "--tsa" in unnamed.stderr) == (2, True)
    assert reached == []


def test_what_was_exchanged_is_told_apart(
    stamp: TimeStamp, authority: Authority, stranger: Authority
) -> None:
    good = verdict(stamp, authority)
    assert (good.exit_code, good.codes()) == (0, ("stamped",))
    later = TimeStamp(stamp.answer, signed(log(8)))
    forged = TimeStamp(stamp.answer, NOTE.replace("\n9\n", "\n8\n"))
    for found, status, codes in (
        (verdict(later, authority), 1, ("stamp_of_another",)),
        (verdict(forged, authority), 1, ("wrong_signature", "stamp_of_another")),
        (verdict(stamp, stranger), 2, ("stamp_untrusted",)),
        (verdict(stamp, authority, OTHER_SIGNER.vkey), 1, ("not_signed", "stamped")),
        (verdict(stamp, authority, None), 2, ("no_key", "stamped")),
        (verdict(stamp, authority, "x"), 2, ("bad_key", "stamped")),
    ):
        assert (found.exit_code, found.codes()) == (status, codes)


def test_no_flipped_bit_of_an_answer_gives_another_time(
    stamp: TimeStamp, authority: Authority
) -> None:
    """What cannot be parsed is refused too, never an error of the library."""
    roots = certificates(authority.root)
    time = check(stamp.answer, NOTE, roots)
    refused = 0
    for at in range(0, len(stamp.answer) * 8, 101):
        changed = bytearray(stamp.answer)
        changed[at // 8] ^= 1 << at % 8
        try:
            assert check(bytes(changed), NOTE, roots) == time
        except BadStamp:
            refused += 1
    assert refused > len(stamp.answer) * 8 // 101 * 0.8
    for end in range(0, len(stamp.answer), 29):
        with pytest.raises(BadStamp):
            check(stamp.answer[:end], NOTE, roots)


def test_a_stamps_file_is_read_as_it_was_written(stamp: TimeStamp, authority: Authority) -> None:
    data = encode(stamp)
    assert decode(data) == stamp
    roots = certificates(authority.root)
    for changed, code in (
        (b"nonsense", "not_a_stamp"),
        (data.replace(b"v1", b"v2", 1), "unknown_stamp_version"),
        (data[: len(data) // 2], "stamp_damaged"),
        (data.replace(b"\n\n", b"\n", 1), "stamp_damaged"),
        (data + b"\xff", "stamp_damaged"),
        (encode(TimeStamp(bytes(2**20), NOTE)), "stamp_damaged"),
        (encode(TimeStamp(b"rubbish", NOTE)), "stamp_unreadable"),
    ):
        assert verify_time_stamp(changed, SIGNER.vkey, roots).codes() == (code,)


def test_without_the_extra_both_commands_say_what_to_install(
    host: Host, stamp: TimeStamp, authority: Authority, tmp_path: Path
) -> None:
    file, out = tmp_path / "kept.tst", tmp_path / "x.tst"
    file.write_bytes(encode(stamp))
    verify = ["audit", "verify-timestamp", str(file), "--ca", str(authority.root)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib, "import_module", _without_the_extra)
        for asked in (host.run(*verify), ask(host, "http://127.0.0.1:9", out)):
            assert (asked.exit_code, "extra tsa" in asked.stderr) == (2, True)


_IMPORT = importlib.import_module


def _without_the_extra(name: str) -> ModuleType:
    if name == "visitsync.cli.stamping.stamping":
        raise ModuleNotFoundError(name, name="rfc3161_client")
    return _IMPORT(name)
