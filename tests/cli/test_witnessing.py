"""A witness keeps what it saw, and takes nothing that contradicts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, log, signed

from visitsync.audit import (
    HeadExtension,
    NoteVerifier,
    consistency_proof,
    leaf_hash,
    open_note,
    parse_head_extension,
    peek_checkpoint,
)
from visitsync.cli.office_client.witnessing import Fork, Witness
from visitsync.errors import BadNote, BadParameter, OperatorError

LEAVES = log(20)
LOG = NoteVerifier(SIGNER.vkey)


def sent(leaves: list[bytes], older: int) -> str:
    proof = consistency_proof([leaf_hash(one) for one in leaves], min(older, len(leaves)))
    return HeadExtension(older=older, proof=proof, note=signed(leaves)).text()


def test_what_is_sent_is_read_as_it_was() -> None:
    text = sent(LEAVES, 7)
    assert parse_head_extension(text).text() == text
    for broken in ("", "old x\n\n", text.replace("old 7", "old 07"), "old 7\nAAAA\n\nx"):
        with pytest.raises(BadNote):
            parse_head_extension(broken)


def test_it_takes_heads_that_extend_and_cosigns_them(tmp_path: Path) -> None:
    one = Witness(tmp_path / "witness", "office/one", SIGNER.vkey)
    note, saw = one.take(sent(LEAVES[:8], 0), 1)
    assert (saw.before, saw.size) == (0, 8)
    again = Witness(tmp_path / "witness", "another name", SIGNER.vkey)
    note, saw = again.take(sent(LEAVES, 8), 2)
    assert (saw.before, saw.size, saw.vkey) == (8, 20, one.vkey)
    assert open_note(note, [LOG, NoteVerifier(one.vkey)]).signed_by == (SIGNER.name, "office/one")
    assert again.take(sent(LEAVES, 20), 3)[1].size == 20


@pytest.mark.parametrize(
    "text",
    [
        sent(LEAVES[:5], 8),
        sent([*LEAVES[:3], *log(30)[10:27]], 8),
        HeadExtension(older=8, proof=(), note=signed(LEAVES)).text(),
    ],
    ids=["an older one", "another one", "no proof"],
)
def test_what_contradicts_is_kept_beside_and_not_taken(tmp_path: Path, text: str) -> None:
    one = Witness(tmp_path, "office/one", SIGNER.vkey)
    one.take(sent(LEAVES[:8], 0), 1)
    kept = one.kept(peek_checkpoint(signed(LEAVES)).origin)
    with pytest.raises(Fork):
        one.take(text, 2)
    assert one.kept(peek_checkpoint(signed(LEAVES)).origin) == kept
    (beside,) = (tmp_path / "heads").glob("*.contradicts-*")
    assert beside.read_text() == parse_head_extension(text).note


def test_what_the_log_did_not_sign_is_not_taken(tmp_path: Path) -> None:
    one = Witness(tmp_path, "office/one", SIGNER.vkey)
    text = HeadExtension(older=0, proof=(), note=signed(LEAVES, signer=OTHER_SIGNER)).text()
    with pytest.raises(BadNote):
        one.take(text, 1)
    assert one.newest_year() is None


def test_the_logs_key_is_named_once_and_then_kept(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="the first time"):
        Witness(tmp_path, "a name by mistake")
    with pytest.raises(BadParameter):
        Witness(tmp_path, "a name by mistake", "nonsense")
    one = Witness(tmp_path, "office/one", SIGNER.vkey)
    assert one.vkey.startswith("office/one+")
    assert Witness(tmp_path, "office/two").log.vkey == SIGNER.vkey
    with pytest.raises(OperatorError, match="in person"):
        Witness(tmp_path, "office/one", OTHER_SIGNER.vkey)
