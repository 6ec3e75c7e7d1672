"""Heads on paper: what is printed is read back, and a slip is told from a changed log."""

from __future__ import annotations

import msgspec
import pytest
from audit.made_logs import SIGNER, entry, exported, log, signed
from hypothesis import given
from hypothesis import strategies as st
from mnemonic import Mnemonic

from visitsync.audit import (
    Checkpoint,
    PlaceProof,
    Verdict,
    WordList,
    encode_place,
    inclusion_proof,
    leaf,
    leaf_hash,
    peek_checkpoint,
    printed_text,
    read_typed,
    verify_bundle,
    verify_place,
    words_of,
)
from visitsync.audit.printed import is_typed
from visitsync.errors import LogBroken, NotTyped

LEAVES = log(9)
OLD = peek_checkpoint(signed(LEAVES[:6]))
BOTH = pytest.mark.parametrize("language", ["en", "ja"])


def verify(since: str, leaves: list[bytes] = LEAVES) -> Verdict:
    return verify_bundle(exported(leaves), SIGNER.vkey, since)


def retyped(words: list[str]) -> str:
    return "\n".join([*printed_text(OLD).split("\n")[:3], " ".join(words)])


@BOTH
@given(
    root=st.binary(min_size=32, max_size=32),
    size=st.integers(min_value=1, max_value=2**62),
    year=st.integers(min_value=2000, max_value=2099),
)
def test_what_is_printed_is_read_back(
    language: WordList, root: bytes, size: int, year: int
) -> None:
    head = Checkpoint(f"visitsync/shiomi/{year}", size, root)
    assert read_typed(printed_text(head, language)) == head


@pytest.mark.parametrize(("language", "name"), [("en", "english"), ("ja", "japanese")])
def test_the_words_are_those_of_bip39(language: WordList, name: str) -> None:
    book = Mnemonic(name)
    words = words_of(OLD, language)
    assert book.check(" ".join(words[:24]))
    assert bytes(book.to_entropy(list(words[:24]))) == OLD.root
    assert words_of(Checkpoint("visitsync/a/2026", 1, bytes(32)))[:24] == ("abandon",) * 23 + (
        "art",
    )


@BOTH
def test_case_spaces_and_line_breaks_do_not_matter(language: WordList) -> None:
    first, shard, size, *words, _, _ = printed_text(OLD, language).split("\n")
    for typed in (
        f"\n  {first.upper()}\r\n{shard}\r\n {size}\r\n" + "\r\n".join(" ".join(words).split()),
        f"{first}\n{shard}\n{size}\n" + "\u3000".join(" ".join(words).upper().split()),
        f"Visitsync  Head V1\n{shard}\n６\n" + "  ".join(words),
    ):
        assert is_typed(typed)
        assert read_typed(typed) == OLD


@BOTH
def test_a_rewritten_log_is_caught_with_the_words_alone(language: WordList) -> None:
    """Signed again by its own key, so that nothing else could tell."""
    typed = printed_text(OLD, language)
    honest = verify(typed)
    assert (honest.exit_code, honest.codes()) == (0, ("older_typed", "whole", "older_agrees"))

    rewritten = [*LEAVES[:2], leaf(entry(2, 2026, decision="refused")), *LEAVES[3:]]
    found = verify(typed, rewritten)
    assert (found.exit_code, found.codes()) == (1, ("older_typed", "whole", "rewritten"))
    assert verify(typed, LEAVES[:5]).codes() == ("older_typed", "whole", "shorter")
    # The control: without the words the same log is whole.
    assert verify_bundle(exported(rewritten), SIGNER.vkey).exit_code == 0


def test_another_words_head_is_a_split_view() -> None:
    there = [*LEAVES[:5], leaf(entry(5, 2026, decision="refused"))]
    typed = printed_text(peek_checkpoint(signed(there)))
    assert verify(typed, LEAVES[:6]).codes()[-1] == "split_view"


@pytest.mark.parametrize("at", [1, 12, 24, 25])
def test_a_word_that_is_none_is_named_by_its_place(at: int) -> None:
    words = list(words_of(OLD))
    words[at - 1] = "visitsink"
    found = verify(retyped(words))
    assert (found.exit_code, found.codes()) == (2, ("older_unusable", "whole"))
    assert f"Word {at} of" in found.sentences()[0]
    assert f"{at}番目" in found.sentences("ja")[0]
    assert "visitsink" not in "".join([*found.sentences(), *found.sentences("ja")])


def test_a_head_that_no_log_can_have_is_refused_though_its_words_are_right() -> None:
    """An empty log has one root only."""
    text = printed_text(Checkpoint("visitsync/shiomi/2026", 0, bytes(32)))
    with pytest.raises(LogBroken):
        read_typed(text)
    found = verify(text)
    assert (found.exit_code, found.codes()[0]) == (2, "older_unusable")


def test_words_in_another_order_fail_their_check() -> None:
    words = list(words_of(OLD))
    words[3], words[4] = words[4], words[3]
    found = verify(retyped(words))
    assert (found.exit_code, found.codes()[0]) == (2, "older_unusable")
    assert "fail their own check" in found.sentences()[0]


def test_no_slip_in_the_number_or_the_name_looks_like_a_rewritten_log() -> None:
    """Without the check word each of these would accuse the operator."""
    text = printed_text(OLD)
    for slip in (text.replace("\n6\n", "\n5\n"), text.replace("\n6\n", "\n60\n")):
        found = verify(slip)
        assert (found.exit_code, found.codes()[0]) == (2, "older_unusable")
        assert "the number of entries" in found.sentences()[0]
    assert verify(text.replace("2026", "2025")).codes()[0] == "older_unusable"
    words = list(words_of(OLD))
    assert verify(retyped([*words[:24], words[0]])).codes()[0] == "older_unusable"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("visitsync head v1", "malformed"),
        ("visitsync head v2\nvisitsync/shiomi/2026\n6\nzoo", "malformed"),
        ("visitsync head v1\nvisitsync/shiomi/2026\nsix\nzoo", "malformed"),
        (retyped(list(words_of(OLD)[:24])), "count"),
        (retyped([*words_of(OLD), "zoo"]), "count"),
    ],
)
def test_what_is_not_whole_says_so(text: str, reason: str) -> None:
    with pytest.raises(NotTyped) as refused:
        read_typed(text)
    assert refused.value.reason == reason
    found = verify(text)
    assert (found.exit_code, found.codes()[0]) == (2, "older_unusable")
    assert found.sentences()[0] != found.sentences("ja")[0]


@given(st.text())
def test_any_text_is_a_head_or_refused(rest: str) -> None:
    for text in (rest, f"visitsync head v1\nvisitsync/shiomi/2026\n6\n{rest}"):
        try:
            assert msgspec.structs.astuple(read_typed(text))
        except LogBroken:
            assert verify(text).exit_code == 2


def test_a_proof_of_one_entry_takes_typed_heads_too() -> None:
    path = inclusion_proof([leaf_hash(line) for line in LEAVES[:6]], 3)
    proof = PlaceProof(line=LEAVES[3], index=3, path=path, note=signed(LEAVES[:6]))
    data = encode_place(proof)
    found = verify_place(data, SIGNER.vkey, printed_text(OLD))
    assert (found.exit_code, found.codes()) == (0, ("older_typed", "older_agrees", "included"))
    other = printed_text(peek_checkpoint(signed([*LEAVES[:5], LEAVES[8]])))
    assert verify_place(data, SIGNER.vkey, other).codes() == ("older_typed", "split_view")
