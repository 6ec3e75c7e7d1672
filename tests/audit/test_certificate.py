"""Certificates of erasure: one form, one signature, never to be taken for anything else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from visitsync.audit import (
    Certificate,
    NoteSigner,
    NoteVerifier,
    open_certificate,
    open_receipt,
    open_signed,
    sign_certificate,
)
from visitsync.audit.certificate import parse
from visitsync.errors import BadNote

SIGNER = NoteSigner("visitsync/shiomi", bytes(range(32)))
VERIFIER = NoteVerifier(SIGNER.vkey)
TEXT = """\
visitsync erasure certificate v1
tenant shiomi
erasure eabc
ground family_request
asked_by staff:u01
decided_by operator:%E8%8A%B1%20a
asked_at 2026-04-01T00:00:00.000000Z
decided_at 2026-04-02T00:00:00.000000Z
at 2026-05-02T00:00:00.000000Z
keys 5
reports 12
registrations 2
facts 3
evidence 1
log by_rule
shard visitsync/shiomi/2026
index 40
"""


def a_certificate(**changed: Any) -> Certificate:
    return msgspec.structs.replace(parse(TEXT), **changed)


def test_its_form_is_fixed_and_what_was_signed_opens() -> None:
    assert a_certificate().text() == TEXT
    assert a_certificate().decided_by == "operator:花 a"
    assert (
        open_certificate(sign_certificate(a_certificate(), SIGNER), [VERIFIER]) == a_certificate()
    )


def test_it_is_no_receipt_and_no_checkpoint() -> None:
    note = sign_certificate(a_certificate(), SIGNER)
    for opener in (open_receipt, open_signed):
        with pytest.raises(BadNote):
            opener(note, [VERIFIER])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v1", "v2"),
        ("keys 5", "keys 05"),
        ("keys 5", "keys -5"),
        ("keys 5\n", ""),
        ("log by_rule", "log kept"),
        ("index 40\n", "index 40\nmore 1\n"),
        ("at 2026-05-02", "at 2026-02-30"),
        ("operator:%E8%8A%B1%20a", "operator:花 a"),
    ],
)
def test_another_text_is_none(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(BadNote):
        open_certificate(SIGNER.sign(TEXT.replace(old, new)), [VERIFIER])


def test_a_value_cannot_begin_another_line() -> None:
    made = a_certificate(decided_by="staff:u01\nkeys 0")
    assert parse(made.text()) == made
    assert made.text().count("\n") == TEXT.count("\n")
