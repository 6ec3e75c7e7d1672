"""What the verifier finds, what it cannot know, and that a second verifier agrees."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from base64 import b64decode, b64encode
from pathlib import Path
from string import Formatter

import msgspec
import pytest
from audit.made_logs import OTHER_SIGNER, SIGNER, TENANT, entry, exported, log, section, signed
from reference import bundle_reference as reference
from vectors import load, needs_vectors

from visitsync.audit import (
    EMPTY_ROOT,
    Checkpoint,
    Leaf,
    NoteSigner,
    Section,
    Verdict,
    encode_bundle,
    leaf,
    leaf_hash,
    origin,
    root_of,
    sign_checkpoint,
    stored_leaves,
    verify_bundle,
)
from visitsync.audit.verdict import FINDINGS

LEAVES = log(20)
KEPT = signed(LEAVES[:8])
"""A checkpoint that an auditor kept from when the log had eight entries."""


def verify(data: bytes, key: str | None = SIGNER.vkey, since: str | None = None) -> Verdict:
    """The verdict, after asking the second verifier too."""
    verdict = verify_bundle(data, key, since)
    assert reference.verify(data, key, since) == verdict.exit_code
    return verdict


def renumbered(leaves: list[bytes]) -> list[bytes]:
    """Leaves to which a careful forger gave the numbers of their places."""
    changed = []
    for place, line in enumerate(leaves):
        fields = json.loads(line)
        fields["seq"] = place
        plain = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        changed.append(plain.encode())
    return changed


# ── good ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("first", "end"), [(0, 20), (0, 8), (5, 12), (19, 20), (7, 7)])
def test_any_period_of_an_honest_log_is_good(first: int, end: int) -> None:
    data = encode_bundle([section(LEAVES, first, end)])
    assert verify(data).codes() == ("no_older", "whole")
    verdict = verify(data, since=KEPT)
    assert verdict.codes() == ("whole", "older_agrees")
    assert (verdict.exit_code, verdict.first_bad, verdict.entries) == (0, None, end - first)
    assert verdict.notes == (KEPT, signed(LEAVES))


def test_every_prefix_is_consistent() -> None:
    data = exported(LEAVES)
    for size in range(len(LEAVES) + 1):
        assert verify(data, since=signed(LEAVES[:size])).exit_code == 0


def test_an_empty_log_is_good() -> None:
    assert verify(exported([])).exit_code == 0


def test_disclosed_private_parts_are_checked() -> None:
    assert verify(encode_bundle([section(LEAVES, 2, 9, disclosed=[2, 5])])).exit_code == 0
    made = section(LEAVES, 2, 9, disclosed=[2, 5])
    for change in ({"salt": bytes(16)}, {"private": b"another"}, {"place": 3}, {"place": 9}):
        opened = (msgspec.structs.replace(made.opened[0], **change),)
        verdict = verify(encode_bundle([msgspec.structs.replace(made, opened=opened)]))
        assert verdict.codes() == ("no_older", "bad_disclosure")


def test_without_an_older_checkpoint_the_verifier_says_so() -> None:
    assert "--since" in verify(exported(LEAVES)).sentences()[0]


# ── tampered with, without the log's key ──────────────────────────────────────────────────────────
def test_an_edited_entry_is_found_and_named() -> None:
    data = exported(LEAVES).replace(b'"records":5', b'"records":6')
    verdict = verify(data)
    assert (verdict.exit_code, verdict.codes()) == (1, ("not_as_exported", "no_older", "altered"))
    assert verdict.first_bad is not None
    assert verdict.first_bad.facts["entry"] == 5
    assert verdict.sentences()[-1] == (
        "visitsync/shiomi/2026: entry 5 is not what was hashed when it was written."
    )


def test_a_disclosure_left_out_on_the_way_is_noticed() -> None:
    data = encode_bundle([section(LEAVES, 2, 9, disclosed=[2, 5])])
    at = data.index(b"open 5")
    without = data[:at] + data[data.index(b"\n", at) + 1 :]
    assert verify(without).codes() == ("not_as_exported", "no_older", "whole")


def test_an_edit_with_its_hash_made_anew_is_found() -> None:
    changed = [*LEAVES[:5], leaf(entry(5, 2026, records=6)), *LEAVES[6:]]
    assert verify(exported(changed, note=signed(LEAVES))).codes() == ("no_older", "wrong_root")


def test_an_edited_hash_outside_the_period_is_found() -> None:
    made = section(LEAVES, 5, 10)
    for change in (
        {"before": (*tuple(made.before)[:4], leaf_hash(b"x"))},
        {"after": (leaf_hash(b"x"), *tuple(made.after)[1:])},
        {"before": tuple(reversed(tuple(made.before)))},
    ):
        verdict = verify(encode_bundle([msgspec.structs.replace(made, **change)]))
        assert verdict.codes() == ("no_older", "wrong_root")


def test_a_stored_hash_that_is_not_its_entrys_is_found() -> None:
    made = section(LEAVES)
    leaves = tuple(made.leaves)
    wrong = (*leaves[:3], Leaf(leaf_hash(b"x"), LEAVES[3]), *leaves[4:])
    verdict = verify(encode_bundle([msgspec.structs.replace(made, leaves=wrong)]))
    assert verdict.exit_code == 1
    assert "altered" in verdict.codes()


@pytest.mark.parametrize("careful", [False, True], ids=["plain", "renumbered"])
@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ([*LEAVES[:7], *LEAVES[8:]], {"wrong_place", "wrong_count"}),
        ([*LEAVES[:7], leaf(entry(7, 2026)), *LEAVES[7:]], {"wrong_place", "wrong_count"}),
        ([*LEAVES[:3], LEAVES[4], LEAVES[3], *LEAVES[5:]], {"wrong_place", "time_backwards"}),
        (LEAVES[:12], {"wrong_count"}),
        ([*LEAVES, leaf(entry(20, 2026))], {"wrong_count"}),
        ([*LEAVES[:19], leaf(entry(19, 2026, actor="staff-9"))], {"wrong_root"}),
    ],
    ids=["deletion", "insertion", "reordering", "truncation", "addition", "exchange"],
)
def test_a_changed_list_of_entries_is_found(
    changed: list[bytes], codes: set[str], *, careful: bool
) -> None:
    leaves = renumbered(changed) if careful else changed
    verdict = verify(exported(leaves, note=signed(LEAVES)))
    assert verdict.exit_code == 1
    if careful:
        assert {"wrong_count", "wrong_root"} & set(verdict.codes())
    else:
        assert codes <= set(verdict.codes())


def test_a_log_signed_by_another_key_is_found() -> None:
    forged = [*LEAVES[:5], leaf(entry(5, 2026, records=6)), *LEAVES[6:]]
    assert verify(exported(forged, note=signed(forged, signer=OTHER_SIGNER))).codes() == (
        "no_older",
        "not_signed",
    )
    # Nor does it help to claim the log's key id, or to leave its signature of another text.
    raw = b64decode(signed(forged, signer=OTHER_SIGNER).split(" ")[2])
    claimed = b64decode(signed(LEAVES).split(" ")[2])[:4] + raw[4:]
    text = signed(forged).split("\n\n")[0]
    note = f"{text}\n\n— {SIGNER.name} {b64encode(claimed).decode()}\n"
    assert "wrong_signature" in verify(exported(forged, note=note)).codes()


def test_a_checkpoint_with_another_size_or_root_is_found() -> None:
    note = signed(LEAVES)
    for old, new in (("\n20\n", "\n19\n"), ("\n20\n", "\n21\n")):
        verdict = verify(exported(LEAVES, note=note.replace(old, new)))
        assert {"wrong_signature", "wrong_count"} <= set(verdict.codes())


def test_a_checkpoint_of_another_log_is_found() -> None:
    for other in (origin(TENANT, 2027), origin("oki", 2026)):
        head = Checkpoint(other, 20, root_of([leaf_hash(line) for line in LEAVES]))
        verdict = verify(exported(LEAVES, note=sign_checkpoint(head, SIGNER)))
        assert "bad_checkpoint" in verdict.codes()


def test_a_log_that_is_no_access_log_is_found() -> None:
    head = Checkpoint("example.com/log", 0, EMPTY_ROOT)
    made = Section(origin=head.origin, leaves=(), note=sign_checkpoint(head, SIGNER))
    assert verify(encode_bundle([made])).codes() == ("no_older", "bad_checkpoint")


def test_a_checkpoint_that_is_none_is_found() -> None:
    for note in ("", "x\n", "\n\n\n", signed(LEAVES).replace("\n\n", "\n")):
        for since in (None, KEPT):
            assert verify(exported(LEAVES, note=note), since=since).exit_code == 1


# ── tampered with by whoever holds the log's key: only an older checkpoint tells ──────────────────
def test_a_rewritten_log_signed_by_its_own_key_is_noticed_only_against_an_older_one() -> None:
    """The fork that a verifier without a consistency check lets through."""
    forged = [*LEAVES[:5], leaf(entry(5, 2026, records=6)), *LEAVES[6:]]
    data = exported(forged)
    assert verify(data).exit_code == 0
    verdict = verify(data, since=KEPT)
    assert (verdict.exit_code, verdict.codes()) == (1, ("whole", "rewritten"))
    assert verdict.notes == (KEPT, signed(forged))


def test_a_split_view_is_proved_by_both_notes() -> None:
    forged = [*LEAVES[:19], leaf(entry(19, 2026, actor="staff-9"))]
    verdict = verify(exported(forged), since=signed(LEAVES))
    assert (verdict.exit_code, verdict.codes()) == (1, ("whole", "split_view"))
    assert verdict.notes == (signed(LEAVES), signed(forged))


def test_an_end_cut_off_is_noticed() -> None:
    verdict = verify(exported(LEAVES[:12]), since=signed(LEAVES))
    assert (verdict.exit_code, verdict.codes()) == (1, ("whole", "shorter"))


def test_an_end_cut_off_and_grown_again_is_noticed() -> None:
    regrown = [*LEAVES[:12], *(leaf(entry(n, 2026, actor="staff-9")) for n in range(12, 21))]
    assert verify(exported(regrown), since=signed(LEAVES)).codes() == ("whole", "rewritten")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"seq": 8}, "wrong_place"),
        ({"seq": 6}, "wrong_place"),
        ({"time": entry(5, 2026).time}, "time_backwards"),
        ({"time": "2026-03-31T14:59:59.999999Z"}, "outside_year"),
        ({"time": "2027-03-31T15:00:00.000000Z"}, "outside_year"),
        ({"shard": origin("oki", 2026)}, "wrong_shard"),
        ({"kind": "year_opened"}, "bad_opening"),
        ({"previous": "x"}, "bad_opening"),
    ],
)
def test_an_entry_that_cannot_stand_there_is_found_even_if_signed(
    changes: dict[str, str | int], code: str
) -> None:
    forged = [*LEAVES[:7], leaf(msgspec.structs.replace(entry(7, 2026), **changes)), *LEAVES[8:]]
    verdict = verify(exported(forged))
    assert code in verdict.codes()
    assert verdict.exit_code == 1
    assert verdict.first_bad is not None
    assert verdict.first_bad.facts["entry"] == 7


def test_equal_times_are_no_step_backwards() -> None:
    same = [*LEAVES[:7], leaf(entry(7, 2026, time=entry(6, 2026).time)), *LEAVES[8:]]
    assert verify(exported(same)).exit_code == 0


def test_a_year_that_does_not_open_is_found() -> None:
    forged = [leaf(entry(0, 2026)), *LEAVES[1:]]
    assert verify(exported(forged)).codes() == ("no_older", "bad_opening")


@pytest.mark.parametrize("line", [b"", b"{}", b"one", LEAVES[7] + b" ", b'{"v":"1"}'])
def test_an_entry_in_another_form_is_found_even_if_signed(line: bytes) -> None:
    forged = [*LEAVES[:7], line, *LEAVES[8:]]
    verdict = verify(exported(forged))
    assert (verdict.exit_code, verdict.codes()) == (1, ("no_older", "not_canonical"))


# ── cannot decide ─────────────────────────────────────────────────────────────────────────────────
def test_what_cannot_be_decided_is_said() -> None:
    data = exported(LEAVES)
    newer = data.replace(b"bundle/v1", b"bundle/v2")
    for verdict, code in (
        (verify(b""), "not_a_bundle"),
        (verify(b"PK\x03\x04"), "not_a_bundle"),
        (verify(newer), "unknown_version"),
        (verify(data, key=None), "no_key"),
        (verify_bundle(data, "nonsense"), "bad_key"),
        (verify(data, since="nonsense"), "older_unusable"),
        (verify(data, since=signed(LEAVES[:8], signer=OTHER_SIGNER)), "older_unusable"),
        (verify(data, since=signed(log(3, 2025), 2025)), "older_of_another_log"),
    ):
        assert (
            verdict.exit_code,
            verdict.codes()[0 if code != "older_of_another_log" else -1],
        ) == (
            2,
            code,
        )


def test_an_entry_of_a_newer_version_cannot_be_judged() -> None:
    forged = [*LEAVES[:7], LEAVES[7].replace(b'"v":1', b'"v":2'), *LEAVES[8:]]
    verdict = verify(exported(forged))
    assert verdict.codes() == ("no_older", "unknown_entry_version")
    assert verdict.first_bad is None


def test_tampering_outweighs_what_cannot_be_decided() -> None:
    data = exported(LEAVES).replace(b'"records":5', b'"records":6')
    assert verify(data, key=None).exit_code == 1
    assert verify(data, since="nonsense").exit_code == 1


def test_a_key_with_a_line_feed_is_as_it_stands_in_its_file() -> None:
    assert verify_bundle(exported(LEAVES), f"{SIGNER.vkey}\n").exit_code == 0


def test_the_second_verifier_runs_alone_where_it_was_copied_to(tmp_path: Path) -> None:
    copy = tmp_path / "second.py"
    copy.write_bytes(Path("tests/reference/bundle_reference.py").read_bytes())
    given = [tmp_path / name for name in ("log.bundle", "key.pub", "old.txt")]
    given[1].write_text(f"{SIGNER.vkey}\n")
    given[2].write_text(KEPT)

    def exit_status(bundle: bytes) -> int:
        given[0].write_bytes(bundle)
        return subprocess.run([sys.executable, "-I", copy, *given], check=False).returncode

    assert exit_status(exported(LEAVES)) == 0
    assert exit_status(exported(LEAVES).replace(b'"records":5', b'"records":6')) == 1


def test_no_more_memory_is_held_for_more_entries(tmp_path: Path) -> None:
    def most(size: int) -> int:
        file = tmp_path / str(size)
        file.write_bytes(exported(log(size)))
        with file.open("rb") as source:
            tracemalloc.start()
            try:
                assert verify_bundle(source, SIGNER.vkey).exit_code == 0
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    most(20)  # what is made once
    assert most(2_000) < most(200) + 20_000


# ── the published misbehaviours, as bundles ───────────────────────────────────────────────────────
@needs_vectors
def test_published_misbehaviours_are_caught_in_a_bundle() -> None:
    """Those entries are no entries of ours, so what counts is that the tree is judged besides."""
    made = load("tlog/derived-misbehaviour.json")
    good, bad, entries = made["accept"], made["reject_or_alarm"], made["entries"]

    def codes(lines: list[str], note: str, since: str | None = None) -> set[str]:
        leaves = stored_leaves(line.encode() for line in lines)
        data = encode_bundle([Section(origin="example.com/log/testdata", leaves=leaves, note=note)])
        verdict = verify_bundle(data, made["log_vkey"], since)
        assert verdict.exit_code == 1
        return set(verdict.codes()) - {"bad_checkpoint", "not_canonical", "no_older"}

    honest = good["checkpoint_15"]
    assert codes(entries, honest) == set()  # control: nothing but the foreign form
    assert codes(entries, good["with_cosignature"]) == set()
    assert codes(entries, honest, honest) == {"older_agrees"}

    forged = [*entries[:5], "FORGED", *entries[6:]]
    one, two = bad["split_view_same_size"]
    assert codes(entries, one, two) == codes(forged, two, one) == {"split_view"}
    rewrite = bad["rewrite_of_entry_5_after_checkpoint_8"]
    assert codes(forged, rewrite["later"], rewrite["earlier"]) == {"rewritten"}
    cut = bad["truncation"]
    assert codes(entries[:12], cut["later"], cut["earlier"]) == {"shorter"}
    regrown = [*entries[:12], *(f"n{n}" for n in range(4))]
    regrow = bad["truncate_then_regrow"]
    assert codes(regrown, regrow["later"], regrow["earlier"]) == {"rewritten"}
    for name, found in (
        ("reorder_3_4", "wrong_root"),
        ("deletion_of_7_with_renumbering", "wrong_count"),
    ):
        assert codes(bad[name]["entries"], bad[name]["checkpoint"]) == {found}
    empty = bad["empty_tree_with_nonempty_root"]
    assert codes([], empty, honest) == {"shorter"}


# ── the words ─────────────────────────────────────────────────────────────────────────────────────
def test_every_finding_has_a_sentence_in_both_languages_with_the_same_facts() -> None:
    for code, words in FINDINGS.items():
        wordings = {key.removeprefix("en") for key in words if key.startswith("en")}
        assert set(words) == {"level", *(f"{one}{key}" for one in ("en", "ja") for key in wordings)}
        assert "" in wordings, code
        assert words["level"] in {"tampering", "undecided", "remark"}
        for wording in wordings:
            facts = [
                {name for _, name, _, _ in Formatter().parse(words[language + wording]) if name}
                for language in ("en", "ja")
            ]
            assert facts[0] == facts[1], code


def test_a_sentence_can_be_had_in_japanese() -> None:
    data = exported(LEAVES).replace(b'"records":5', b'"records":6')
    assert verify(data).sentences("ja")[-1].startswith("visitsync/shiomi/2026：5番の記録は")


def test_a_log_of_another_municipality_is_not_taken_for_ours() -> None:
    """The same key name and origin, another key: what a forger can do who has seen our log."""
    forger = NoteSigner(SIGNER.name, b"f" * 32)
    assert verify(exported(LEAVES, note=signed(LEAVES, signer=forger))).exit_code == 1
    assert (
        verify(exported(LEAVES, note=signed(LEAVES, signer=forger)), key=forger.vkey).exit_code == 0
    )
