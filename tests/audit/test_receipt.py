"""Receipts: one form, one signature, never to be taken for a checkpoint or the other way round."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.audit import (
    Checkpoint,
    NoteSigner,
    NoteVerifier,
    Receipt,
    open_receipt,
    open_signed,
    sign_checkpoint,
    sign_receipt,
)
from visitsync.audit.receipt import parse
from visitsync.errors import BadNote

SIGNER = NoteSigner("visitsync/shiomi", bytes(range(32)))
VERIFIER = NoteVerifier(SIGNER.vkey)
TEXT = """\
visitsync receipt v1
tenant shiomi
what recorded
directive d1@1
effective at_once
notice 2026-04
effect permit
sources program:multiples office:shiomi-mt-01
recipients role:case_worker@agency:shiomi-city
purposes care_coordination
categories attendance services
registrations household
valid 2026-04-01T00:00:00+00:00 open
visits 2000-01-01 2027-01-01
at 2026-04-01T00:00:00.000000Z
shard visitsync/shiomi/2026
index 12
"""


def a_receipt(**changed: Any) -> Receipt:
    return msgspec.structs.replace(parse(TEXT), **changed)


def test_its_form_is_fixed() -> None:
    assert a_receipt().sources == ("program:multiples", "office:shiomi-mt-01")
    assert a_receipt().text() == TEXT
    assert a_receipt(sources="*").text().splitlines()[7] == "sources *"


def test_what_was_signed_opens() -> None:
    assert open_receipt(sign_receipt(a_receipt(), SIGNER), [VERIFIER]) == a_receipt()


def test_any_changed_byte_is_refused() -> None:
    note = sign_receipt(a_receipt(), SIGNER).encode()
    for place in range(len(note)):
        for flipped in (1, 2, 0x80):
            changed = bytearray(note)
            changed[place] ^= flipped
            with pytest.raises(BadNote):
                open_receipt(bytes(changed), [VERIFIER])
    for end in range(len(note)):
        with pytest.raises(BadNote):
            open_receipt(note[:end], [VERIFIER])
    with pytest.raises(BadNote):
        open_receipt(note + b"x", [VERIFIER])


def test_another_key_signs_nothing() -> None:
    other = NoteSigner("visitsync/shiomi", bytes(32))
    with pytest.raises(BadNote):
        open_receipt(sign_receipt(a_receipt(), other), [VERIFIER])


def test_a_receipt_is_no_checkpoint_and_a_checkpoint_no_receipt() -> None:
    receipt = sign_receipt(a_receipt(), SIGNER)
    checkpoint = sign_checkpoint(Checkpoint("visitsync/shiomi/2026", 1, bytes(32)), SIGNER)

    with pytest.raises(BadNote):
        open_signed(receipt, [VERIFIER])
    with pytest.raises(BadNote):
        open_receipt(checkpoint, [VERIFIER])
    # Not even where somebody could choose the first line of a log.
    named_alike = Checkpoint("visitsync receipt v1", 1, bytes(32))
    with pytest.raises(BadNote):
        open_receipt(sign_checkpoint(named_alike, SIGNER), [VERIFIER])


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_no_value_begins_another_line(items: list[str]) -> None:
    made = a_receipt(sources=tuple(items), notice=items[0])

    assert len(made.text().splitlines()) == len(TEXT.splitlines())
    assert parse(made.text()).text() == made.text()
    if items != ["*"]:
        assert parse(made.text()).sources == tuple(items)


@pytest.mark.parametrize(
    "changed",
    [
        ("receipt v1", "receipt v2"),
        ("index 12", "index 012"),
        ("what recorded", "what shown"),
        ("effect permit\n", ""),
        ("effect permit", "effect  permit"),
        ("tenant shiomi\nwhat recorded", "what recorded\ntenant shiomi"),
        ("index 12\n", "index 12\nmore 1\n"),
    ],
)
def test_only_the_one_form_is_read(changed: tuple[str, str]) -> None:
    with pytest.raises(BadNote):
        parse(TEXT.replace(*changed))
