"""Signed notes: the published parser table, key strings, and any flipped bit."""

from __future__ import annotations

import pickle
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from vectors import load, needs_vectors, wycheproof

from visitsync.audit import NoteSigner, NoteVerifier, open_note
from visitsync.errors import BadNote, BadParameter

SIGNER = NoteSigner("visitsync/shiomi", bytes(range(32)))
VERIFIER = NoteVerifier(SIGNER.vkey)
TEXT = "one line\n\nand another\n"
REASONS = {
    "malformed note": "malformed",
    "note has no verifiable signatures": "not_signed",
    "invalid signature for key": "wrong_signature",
    "ambiguous key": "ambiguous_key",
}


def signer_of(skey: str) -> NoteSigner:
    """From the notation in which Go's tools write test keys."""
    _, _, name, _, material = skey.split("+", 4)
    return NoteSigner(name, b64decode(material)[1:])


@needs_vectors
def test_published_parser_table() -> None:
    cases = load("tlog/go-sumdb-note.json")["open_cases"]
    for case in cases:
        verifiers = [NoteVerifier(key) for key in case["verifiers"]]
        note = bytes.fromhex(case["note_hex"])
        if case["ok"]:
            opened = open_note(note, verifiers)
            assert list(opened.signed_by) == case["verified"], case["name"]
            assert opened.others == case["unverified"], case["name"]
        else:
            with pytest.raises(BadNote) as caught:
                open_note(note, verifiers)
            expected = next(v for k, v in REASONS.items() if case["err"].startswith(k))
            assert caught.value.reason == expected, case["name"]
    assert len(cases) == 15


@needs_vectors
def test_published_keys_and_signatures() -> None:
    published = load("tlog/go-sumdb-note.json")
    signer = signer_of(published["skey"])
    assert signer.vkey == published["vkey"]
    assert signer.sign(published["text"]) == published["signed"]

    for vkey, skey in load("tlog/formats-checkpoints.json")["ed25519_keypairs"]:
        assert signer_of(skey).vkey == vkey

    example = load("tlog/c2sp-examples.json")["signed_note_with_key"]
    opened = open_note(example["note"], [NoteVerifier(example["vkey"])])
    assert opened.text == "This is an example message.\n"


@needs_vectors
def test_every_part_of_a_key_and_every_damaged_key_is_refused() -> None:
    published = load("tlog/go-sumdb-note.json")
    vkey = published["vkey"]
    parts = {vkey[i:j] for i in range(len(vkey)) for j in range(i, len(vkey) + 1)} - {vkey}
    damaged = {vkey[:i] + chr(ord(vkey[i]) + 1) + vkey[i + 1 :] for i in range(len(vkey))}
    ecdsa = {one["vkey"] for one in load("tlog/formats-checkpoints.json")["ecdsa_checkpoints"]}
    for bad in (*parts, *damaged, *published["bad_vkeys"], *ecdsa):
        with pytest.raises(BadParameter):
            NoteVerifier(bad)
    assert NoteVerifier(vkey).name == "PeterNeumann"


@needs_vectors
def test_published_ed25519_vectors() -> None:
    for group, test in wycheproof("ed25519"):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"]))
        try:
            key.verify(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]))
        except InvalidSignature:
            assert test["result"] == "invalid", test["tcId"]
        else:
            assert test["result"] == "valid", test["tcId"]


def test_what_is_signed_opens() -> None:
    note = SIGNER.sign(TEXT)
    opened = open_note(note, [VERIFIER])
    assert (opened.text, opened.signed_by, opened.others) == (TEXT, (SIGNER.name,), 0)
    assert open_note(note.encode(), [VERIFIER]) == opened
    assert SIGNER.sign(TEXT) == note


def test_any_flipped_bit_is_noticed() -> None:
    note = SIGNER.sign(TEXT).encode()
    for bit in range(len(note) * 8):
        flipped = bytearray(note)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadNote):
            open_note(bytes(flipped), [VERIFIER])


def test_every_truncation_is_refused() -> None:
    note = SIGNER.sign(TEXT)
    for end in range(len(note)):
        with pytest.raises(BadNote):
            open_note(note[:end], [VERIFIER])


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadNote):
        open_note(data, [VERIFIER])


def test_another_key_of_the_same_name_is_not_trusted() -> None:
    forged = NoteSigner(SIGNER.name, bytes(32)).sign(TEXT)
    with pytest.raises(BadNote) as caught:
        open_note(forged, [VERIFIER])
    assert caught.value.reason == "not_signed"

    # Nor if it claims the trusted key's id.
    claimed = SIGNER.sign("x\n").rsplit(" ", 1)[1]
    raw = b64decode(claimed)[:4] + b64decode(forged.rsplit(" ", 1)[1])[4:]
    with pytest.raises(BadNote) as caught:
        open_note(f"{TEXT}\n— {SIGNER.name} {b64encode(raw).decode()}\n", [VERIFIER])
    assert caught.value.reason == "wrong_signature"


@pytest.mark.parametrize("text", ["", "no line feed", "a\tb\n", "a\rb\n", "\x00\n"])
def test_what_is_no_text_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        SIGNER.sign(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "wide\u3000space"])
def test_a_key_name_has_no_space_and_no_plus(name: str) -> None:
    with pytest.raises(BadParameter):
        NoteSigner(name, bytes(32))


@pytest.mark.parametrize("length", [0, 1, 63, 65])
def test_a_signature_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(BadNote):
        VERIFIER.verify(TEXT, bytes(length))


def line_of(length: int, name: str = "other") -> str:
    return f"— {name} {b64encode(bytes(length)).decode()}\n"


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (line_of(68), "malformed"),
        (f"{TEXT}{line_of(68)}", "malformed"),
        (f"{TEXT}\n{line_of(4)}", "malformed"),
        (f"{TEXT}\n{line_of(5)}", "not_signed"),
        (f"{TEXT}\n{line_of(68)}", "not_signed"),
        (f"{TEXT}\n{line_of(68) * 100}", "not_signed"),
        (f"{TEXT}\n{line_of(68) * 101}", "malformed"),
    ],
)
def test_signature_lines_have_one_form(note: str, reason: str) -> None:
    with pytest.raises(BadNote) as caught:
        open_note(note, [VERIFIER])
    assert caught.value.reason == reason


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_public_key_of_another_length_is_refused(length: int) -> None:
    material = b"\x01" + bytes(length)
    key_id = sha256(b"log\n" + material).hexdigest()[:8]
    with pytest.raises(BadParameter):
        NoteVerifier(f"log+{key_id}+{b64encode(material).decode()}")


def test_a_huge_note_is_refused() -> None:
    with pytest.raises(BadNote) as caught:
        open_note("x\n" * 200_000 + "\n— a AAAAAAA=\n", [VERIFIER])
    assert caught.value.reason == "malformed"


def test_keys_are_not_printed_or_pickled() -> None:
    assert repr(SIGNER) == "<NoteSigner visitsync/shiomi>"
    assert repr(VERIFIER) == "<NoteVerifier visitsync/shiomi>"
    with pytest.raises(TypeError):
        pickle.dumps(SIGNER)


@needs_vectors
def test_a_cosignature_is_of_one_body_and_one_time() -> None:
    made = load("tlog/derived-misbehaviour.json")
    witness = NoteVerifier(made["witness_vkey_type4"])
    opened = open_note(made["accept"]["with_cosignature"], [witness])
    assert (opened.signed_by, opened.others) == (("Wit1",), 1)
    for bad in ("cosignature_timestamp_changed", "cosignature_of_another_body"):
        with pytest.raises(BadNote) as caught:
            open_note(made["reject_or_alarm"][bad], [witness])
        assert caught.value.reason == "wrong_signature"


def test_a_log_key_is_no_witness_key() -> None:
    """The kind of a key is part of its id, so one cannot speak in the other's place."""
    public = b64decode(SIGNER.vkey.split("+", 2)[2])[1:]
    material = b"\x04" + public
    key_id = sha256(SIGNER.name.encode() + b"\n" + material).digest()[:4]
    witness = NoteVerifier(f"{SIGNER.name}+{key_id.hex()}+{b64encode(material).decode()}")
    with pytest.raises(BadNote) as caught:
        open_note(SIGNER.sign(TEXT), [witness])
    assert caught.value.reason == "not_signed"


def test_a_note_has_a_hundred_signatures_at_most() -> None:
    note = SIGNER.sign("text\n")
    other = f"— other {b64encode(bytes(68)).decode()}\n"
    assert open_note(note + 99 * other, [NoteVerifier(SIGNER.vkey)]).text == "text\n"
    with pytest.raises(BadNote) as caught:
        open_note(note + 100 * other, [NoteVerifier(SIGNER.vkey)])
    assert caught.value.reason == "malformed"


def test_a_signature_of_5_kb_is_passed_over_unless_its_key_is_known() -> None:
    verifier = NoteVerifier(SIGNER.vkey)
    note = SIGNER.sign("text\n")
    long = b64encode(bytes(4) + bytes(5_000)).decode()
    assert open_note(f"{note}— other {long}\n", [verifier]).others == 1

    own = b64encode(verifier.key_id + bytes(5_000)).decode()
    with pytest.raises(BadNote) as caught:
        open_note(f"text\n\n— {SIGNER.name} {own}\n", [verifier])
    assert caught.value.reason == "wrong_signature"
