"""What a verifier says of witnesses: who vouches how far, and what contradicts them."""

from __future__ import annotations

import msgspec
import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, log, section, signed
from reference import bundle_reference as reference

from visitsync.audit import (
    Cosigner,
    NoteVerifier,
    Section,
    Verdict,
    encode_bundle,
    open_note,
    verify_bundle,
)
from visitsync.errors import BadNote

LEAVES = log(20)
ONE, OTHER = Cosigner("office/one", bytes(32)), Cosigner("office/other", bytes(range(32)))
SECONDS = 1_790_000_000


def bundle(*witnessed: str, of: Section | None = None) -> bytes:
    made = section(LEAVES, 0, 20) if of is None else of
    return encode_bundle([msgspec.structs.replace(made, witnessed=witnessed)])


def verify(data: bytes, *witnesses: str) -> Verdict:
    verdict = verify_bundle(data, SIGNER.vkey, None, witnesses)
    if "witness_absent" not in verdict.codes():  # the reference knows no witnesses
        assert reference.verify(data, SIGNER.vkey) == verdict.exit_code
    return verdict


def test_a_cosignature_is_its_witnesss_over_text_and_time() -> None:
    note = ONE.cosign(signed(LEAVES[:8]), SECONDS)
    opened = open_note(note, [NoteVerifier(SIGNER.vkey), NoteVerifier(ONE.vkey)])
    assert opened.signed_by == (SIGNER.name, ONE.name)
    line = note.splitlines()[-1]
    assert line.startswith("— office/one ")
    later = ONE.cosign(signed(LEAVES[:8]), SECONDS + 1)
    mixed = later.replace(later.splitlines()[-1], line)
    assert open_note(mixed, [NoteVerifier(ONE.vkey)]).signed_by == (ONE.name,)
    other = ONE.cosign(signed(LEAVES[:9]), SECONDS)
    with pytest.raises(BadNote, match="not this key's"):
        open_note(other.replace(other.splitlines()[-1], line), [NoteVerifier(ONE.vkey)])


def test_only_a_checkpoint_is_cosigned() -> None:
    with pytest.raises(BadNote):
        ONE.cosign("a text\n\n— x AAAAAAA=\n", SECONDS)


def test_it_is_said_who_vouches_how_far() -> None:
    first = ONE.cosign(signed(LEAVES[:8]), SECONDS)
    second = OTHER.cosign(signed(LEAVES[:15]), SECONDS)
    verdict = verify(bundle(first, second), ONE.vkey, OTHER.vkey)
    assert verdict.exit_code == 0
    told = [dict(one.facts) for one in verdict.findings if one.code.startswith("witness")]
    shard = told[0]["shard"]
    assert told == [
        {"shard": shard, "witness": "office/one", "size": 8},
        {"shard": shard, "witness": "office/other", "size": 15},
        {"shard": shard, "count": 2, "size": 8},
    ]


def test_whose_key_was_not_given_does_not_count() -> None:
    data = bundle(ONE.cosign(signed(LEAVES[:8]), SECONDS))
    assert verify(data).codes() == ("no_older", "whole", "witnesses_unnamed")
    other = verify(data, OTHER.vkey)
    assert "witnesses" not in other.codes()
    # Who is named and vouches for nothing is not passed over: it cannot be decided.
    assert ("witness_absent" in other.codes(), other.exit_code) == (True, 2)


def test_a_log_that_was_rewritten_and_signed_anew_is_caught_by_one_witness() -> None:
    rewritten = [*LEAVES[:3], *log(21)[4:21]]
    forged = [
        line.replace(b'"seq":%d,' % (at + 1), b'"seq":%d,' % at)
        for at, line in enumerate(rewritten)
    ]
    whole = section([*LEAVES[:3], *forged[3:]], 0, 20)
    assert verify(bundle(of=whole)).exit_code == 0  # the control: nobody notices
    seen = ONE.cosign(signed(LEAVES[:8]), SECONDS)
    verdict = verify(bundle(seen, of=whole), ONE.vkey)
    assert (verdict.exit_code, "witnessed_disagrees" in verdict.codes()) == (1, True)
    assert verdict.notes == (seen, whole.note)  # both, as the proof
    assert verify(bundle(seen, of=whole)).exit_code == 1  # also for who knows no witness's key


@pytest.mark.parametrize("size", [21, 30])
def test_a_log_that_is_shorter_than_what_was_witnessed_is_caught(size: int) -> None:
    seen = ONE.cosign(signed(log(size)), SECONDS)
    assert verify(bundle(seen), ONE.vkey).exit_code == 1


def test_a_head_that_the_log_did_not_sign_is_no_head() -> None:
    stranger = ONE.cosign(signed(LEAVES[:8], signer=OTHER_SIGNER), SECONDS)
    assert verify(bundle(stranger), ONE.vkey).exit_code == 1


def test_a_forged_cosignature_is_told() -> None:
    note = ONE.cosign(signed(LEAVES[:8]), SECONDS)
    other = ONE.cosign(signed(LEAVES[:9]), SECONDS)
    forged = note.replace(note.splitlines()[-1], other.splitlines()[-1])
    verdict = verify_bundle(bundle(forged), SIGNER.vkey, None, [ONE.vkey])
    assert (verdict.exit_code, "witness_forged" in verdict.codes()) == (1, True)


def test_what_is_no_key_leaves_it_undecided() -> None:
    verdict = verify_bundle(bundle(), SIGNER.vkey, None, ["nonsense"])
    assert (verdict.exit_code, verdict.codes()[:2]) == (2, ("no_older", "bad_witness_key"))
