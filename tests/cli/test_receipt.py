"""``visitsync receipt verify``: offline, in words a family understands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from audit.test_receipt import SIGNER, a_receipt
from click.testing import CliRunner

from visitsync.__main__ import visitsync
from visitsync.audit import Checkpoint, NoteSigner, sign_checkpoint, sign_receipt

NOTE = sign_receipt(a_receipt(), SIGNER)
NEWER = SIGNER.sign(a_receipt().text().replace("receipt v1", "receipt v2"))
OTHER = NoteSigner("visitsync/other", bytes(32))
CHECKPOINT = sign_checkpoint(Checkpoint("visitsync/shiomi/2026", 1, bytes(32)), SIGNER)


def verified(
    folder: Path, note: str, *options: str, language: str = "en_US.UTF-8"
) -> tuple[int, str]:
    file = folder / "receipt.txt"
    file.write_text(note, encoding="utf-8")
    result = CliRunner(env={"LC_ALL": language}).invoke(
        visitsync, ["receipt", "verify", str(file), *options]
    )
    return result.exit_code, result.output


def test_a_good_one_is_told_in_words(tmp_path: Path) -> None:
    status, told = verified(tmp_path, NOTE, "--key", SIGNER.vkey)
    assert status == 0
    assert "a consent was recorded" in told
    assert "Multiples supporters" in told
    assert "visitsync/shiomi/2026 12" in told

    status, told = verified(tmp_path, NOTE, "--key", SIGNER.vkey, language="ja_JP.UTF-8")
    assert status == 0
    assert "同意を記録しました" in told
    assert "多胎妊産婦サポーター等事業" in told


@pytest.mark.parametrize(
    ("note", "key", "status", "code"),
    [
        (NOTE, SIGNER.vkey, 0, "as_signed"),
        (NOTE.replace("permit", "denied"), SIGNER.vkey, 1, "wrong_signature"),
        (NOTE[:-3], SIGNER.vkey, 1, "malformed"),
        (NOTE, OTHER.vkey, 2, "not_signed"),
        (NOTE, "key", 2, "bad_key"),
        (NOTE, None, 2, "no_key"),
        (NEWER, SIGNER.vkey, 2, "unknown_version"),
        (CHECKPOINT, SIGNER.vkey, 2, "no_receipt"),
        ("", SIGNER.vkey, 2, "no_receipt"),
    ],
)
def test_each_finding_has_its_status(
    tmp_path: Path, note: str, key: str | None, status: int, code: str
) -> None:
    options = [] if key is None else ["--key", key]
    given, told = verified(tmp_path, note, "--json", *options)

    assert given == status
    assert json.loads(told)["code"] == code


def test_the_key_may_stand_in_a_file(tmp_path: Path) -> None:
    key = tmp_path / "key.pub"
    key.write_text(f"{SIGNER.vkey}\n", encoding="utf-8")
    assert verified(tmp_path, NOTE, "--key", str(key))[0] == 0
