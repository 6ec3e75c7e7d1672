"""The key file: whole or absent, private or refused, never overwritten."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from visitsync.envelope import MasterKeys, keyfile
from visitsync.errors import KeyFileError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def contents() -> keyfile.Contents:
    return keyfile.Contents(
        masters={2: b"2" * 32, 10: b"3" * 32},
        indexes={1: b"i" * 32, 3: b"j" * 32},
        ids=b"d" * 32,
        head=b"h" * 32,
        signing_seed=b"s" * 32,
    )


@pytest.fixture
def first() -> keyfile.Contents:
    """What a file of the first version says."""
    return keyfile.Contents.of_one_secret({2: b"2" * 32, 10: b"3" * 32}, b"i" * 32, b"s" * 32)


@pytest.fixture
def strange_umask() -> Iterator[None]:
    before = os.umask(0o777)
    yield
    os.umask(before)


def test_what_is_written_is_read(path: Path, contents: keyfile.Contents) -> None:
    keyfile.write_new(path, contents)
    assert keyfile.read(path) == contents
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("strange_umask")
def test_only_its_owner_can_read_it_whatever_the_umask(path: Path) -> None:
    MasterKeys.create(path)
    assert path.stat().st_mode & 0o7777 == 0o600


@pytest.mark.parametrize("bit", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
def test_a_file_that_others_can_touch_is_refused(path: Path, bit: int) -> None:
    MasterKeys.create(path)
    path.chmod(0o600 | bit)
    with pytest.raises(KeyFileError, match="chmod 600"):
        MasterKeys.load(path)
    path.chmod(0o400)
    assert MasterKeys.load(path).epoch == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path: Path) -> None:
    MasterKeys.create(path)
    os.chown(path, 12345, -1)
    with pytest.raises(KeyFileError, match="chown"):
        MasterKeys.load(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(KeyFileError, match="there is no key file"):
        MasterKeys.load(path)


def test_what_is_no_plain_file_is_refused(path: Path) -> None:
    os.mkfifo(path, 0o600)  # opening one must not wait for a writer
    with pytest.raises(KeyFileError, match="not a plain file"):
        MasterKeys.load(path)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(KeyFileError, match="not a plain file"):
        MasterKeys.load(tmp_path)


def test_a_file_far_too_long_is_refused(path: Path) -> None:
    path.write_bytes(b"x" * 100_000)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="too long"):
        MasterKeys.load(path)


def test_an_existing_file_is_never_overwritten(path: Path, contents: keyfile.Contents) -> None:
    path.write_text("something")
    with pytest.raises(KeyFileError, match="never overwritten"):
        keyfile.write_new(path, contents)
    assert path.read_text() == "something"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be written") as caught:
        MasterKeys.create(path / "keys")
    assert caught.value.where == str(path / "keys")


def test_of_many_that_create_at_once_one_wins_and_all_read_the_same(path: Path) -> None:
    def create(_: int) -> str:
        try:
            return MasterKeys.create(path).key_id(1)
        except KeyFileError:
            return MasterKeys.load(path).key_id(1)

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(create, range(40)))
    assert len(ids) == 1


def test_of_many_that_rotate_at_once_none_loses_a_key(path: Path) -> None:
    MasterKeys.create(path)

    def rotate(_: int) -> str | None:
        try:
            keys = MasterKeys.rotate(path)
        except KeyFileError:
            return None
        return keys.key_id(keys.epoch)

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(rotate, range(40)) if one is not None]
    held = MasterKeys.load(path)
    assert {held.key_id(epoch) for epoch in held.epochs} >= set(made)
    assert len(held.epochs) == len(made) + 1
    assert list(path.parent.iterdir()) == [path]


def test_a_rotation_that_fails_leaves_the_old_file(path: Path) -> None:
    keys = MasterKeys.create(path)
    before = path.read_bytes()
    with pytest.raises(RuntimeError), keyfile.replacement(path):
        raise RuntimeError
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert keys.epoch == MasterKeys.load(path).epoch


def test_the_draft_of_a_rotation_that_was_killed_is_written_over(path: Path) -> None:
    keys = MasterKeys.create(path)
    draft = path.with_name(".keys.new")
    draft.write_bytes(b"x" * 10_000)
    draft.chmod(0o600)

    rotated = MasterKeys.rotate(path)

    assert (rotated.epochs, rotated.key_id(1)) == ((1, 2), keys.key_id(1))
    assert MasterKeys.load(path).epochs == (1, 2)
    assert list(path.parent.iterdir()) == [path]


def test_a_rotation_beside_another_is_refused(path: Path) -> None:
    MasterKeys.create(path)
    with keyfile.replacement(path):
        with pytest.raises(KeyFileError, match="under way") as caught:
            MasterKeys.rotate(path)
        assert caught.value.where == str(path.with_name(".keys.new"))
    assert MasterKeys.rotate(path).epochs == (1, 2)


def test_a_draft_that_became_the_key_file_is_not_written_to(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody renames the draft between its being opened and locked here."""
    MasterKeys.create(path)
    lock = fcntl.flock

    def renamed_first(descriptor: int, flags: int) -> None:
        path.with_name(".keys.new").replace(path)
        lock(descriptor, flags)

    monkeypatch.setattr(fcntl, "flock", renamed_first)
    with pytest.raises(KeyFileError, match="under way"):
        MasterKeys.rotate(path)


@pytest.mark.parametrize("others", [0o640, 0o606])
def test_a_draft_that_others_can_touch_is_refused(path: Path, others: int) -> None:
    MasterKeys.create(path)
    before = path.read_bytes()
    draft = path.with_name(".keys.new")
    draft.touch()
    draft.chmod(others)
    with pytest.raises(KeyFileError, match="chmod 600"):
        MasterKeys.rotate(path)
    assert path.read_bytes() == before


def test_a_draft_that_points_elsewhere_is_refused(path: Path, tmp_path: Path) -> None:
    MasterKeys.create(path)
    target = tmp_path / "elsewhere"
    path.with_name(".keys.new").symlink_to(target)
    with pytest.raises(KeyFileError, match="cannot be replaced"):
        MasterKeys.rotate(path)
    assert not target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_replaces_stays_the_services_own(path: Path) -> None:
    MasterKeys.create(path)
    os.chown(path, 0, 12345)
    MasterKeys.rotate(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 12345)


def test_a_retired_key_is_out_of_the_file(path: Path) -> None:
    keys = MasterKeys.create(path)
    old = keys.wrap(bytes(32), b"place")
    MasterKeys.rotate(path)
    retired = MasterKeys.retire(path, 1)

    assert retired.epochs == MasterKeys.load(path).epochs == (2,)
    assert retired.signing_seed == keys.signing_seed
    with pytest.raises(KeyFileError, match="no master key of epoch 1"):
        MasterKeys.load(path).unwrap(old, b"place")


@pytest.mark.parametrize("epoch", [1, 3])
def test_the_newest_key_or_none_is_not_taken_out(path: Path, epoch: int) -> None:
    MasterKeys.create(path)
    MasterKeys.rotate(path)
    if epoch == 1:
        MasterKeys.retire(path, 1)
    for refused in (epoch, 2):
        with pytest.raises(KeyFileError, match="no older master key"):
            MasterKeys.retire(path, refused)
    assert 2 in MasterKeys.load(path).epochs


def test_rotating_a_missing_file_leaves_nothing_behind(path: Path) -> None:
    with pytest.raises(KeyFileError, match="there is no key file"):
        MasterKeys.rotate(path)
    assert list(path.parent.iterdir()) == []


def test_it_is_durable_before_it_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of what cannot be seen without pulling the plug: what was synced, and when."""
    synced: list[tuple[str, bool]] = []
    sync = os.fsync

    def recording(descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        size = path.stat().st_size if path.exists() else 0
        synced.append(("folder" if folder else "file", size > 0))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", recording)
    MasterKeys.create(path)
    assert synced == [("file", False), ("folder", True)]
    synced.clear()
    MasterKeys.rotate(path)
    assert [what for what, _ in synced] == ["file", "folder"]


def test_no_descriptor_stays_open(path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    MasterKeys.create(path)
    for _ in range(3):
        MasterKeys.rotate(path)
        with pytest.raises(KeyFileError):
            MasterKeys.load(path.parent)
        with pytest.raises(KeyFileError):
            MasterKeys.create(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("short", ["masters", "indexes", "ids", "head", "signing_seed"])
def test_a_key_of_another_length_is_refused(contents: keyfile.Contents, short: str) -> None:
    parts = {**msgspec.structs.asdict(contents), short: b"x" * 31}
    if short in {"masters", "indexes"}:
        parts[short] = {1: b"x" * 33}
    with pytest.raises(KeyFileError, match="damaged"):
        keyfile.decode(keyfile.encode(keyfile.Contents(**parts)), where="k")


def test_the_form_stays_as_it_is_for_ever(contents: keyfile.Contents) -> None:
    twos, threes = "MjIy" * 10 + "MjI=", "MzMz" * 10 + "MzM="
    lines = [
        "visitsync-keys v2",
        f"master 2 {twos}",
        f"master 10 {threes}",
        "index 1 " + "aWlp" * 10 + "aWk=",
        "index 3 " + "ampq" * 10 + "amo=",
        "ids " + "ZGRk" * 10 + "ZGQ=",
        "head " + "aGho" * 10 + "aGg=",
        "signing " + "c3Nz" * 10 + "c3M=",
    ]
    encoded = keyfile.encode(contents).decode()
    assert encoded.split("\n")[:-2] == lines
    assert keyfile.decode(encoded.encode(), where="k") == contents


def test_any_flipped_bit_is_noticed(contents: keyfile.Contents) -> None:
    encoded = keyfile.encode(contents)
    for bit in range(len(encoded) * 8):
        flipped = bytearray(encoded)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyFileError):
            keyfile.decode(bytes(flipped), where="k")


def test_every_truncation_and_any_trailing_byte_is_refused(contents: keyfile.Contents) -> None:
    encoded = keyfile.encode(contents)
    for changed in (*(encoded[:end] for end in range(len(encoded))), encoded + b"\n"):
        with pytest.raises(KeyFileError, match="damaged"):
            keyfile.decode(changed, where="k")


def test_an_unknown_version_is_named(contents: keyfile.Contents) -> None:
    newer = keyfile.encode(contents).replace(b"-keys v2", b"-keys v3")
    with pytest.raises(KeyFileError, match="newer"):
        keyfile.decode(newer, where="k")


def test_the_first_form_stays_as_it_is_for_ever(first: keyfile.Contents) -> None:
    """Older releases read it, as long as only master keys are rotated."""
    twos, threes = "MjIy" * 10 + "MjI=", "MzMz" * 10 + "MzM="
    lines = [
        "visitsync-keys v1",
        f"master 2 {twos}",
        f"master 10 {threes}",
        "index " + "aWlp" * 10 + "aWk=",
        "signing " + "c3Nz" * 10 + "c3M=",
    ]
    encoded = keyfile.encode(first).decode()
    assert encoded.split("\n")[:-2] == lines
    assert keyfile.decode(encoded.encode(), where="k") == first


def test_what_is_taken_over_from_the_first_form_stays_when_its_secret_goes(
    path: Path, first: keyfile.Contents
) -> None:
    """The same identifiers and the same seal of the log's head; the old secret is in no file."""
    keyfile.write_new(path, first)
    before = MasterKeys.load(path)
    MasterKeys.rotate_index(path)
    after = MasterKeys.retire_index(path, 2)

    assert after.index_epochs == (2,)
    assert after.id_key.exact("k", "v") == before.id_key.exact("k", "v")
    assert after.head_key == before.head_key
    assert "aWlp" * 10 not in path.read_text()
    with pytest.raises(KeyFileError, match="no index key of epoch 1"):
        after.index_key(1)


def test_the_last_index_key_is_never_taken_out(path: Path) -> None:
    MasterKeys.create(path)
    with pytest.raises(KeyFileError, match="newest copy"):
        MasterKeys.retire_index(path, 2)
    assert MasterKeys.load(path).index_epochs == (1,)


@pytest.mark.parametrize("kind", ["masters", "indexes"])
def test_a_file_without_a_key_of_a_kind_is_refused(contents: keyfile.Contents, kind: str) -> None:
    empty = msgspec.structs.replace(contents, **{kind: {}})
    with pytest.raises(KeyFileError, match="damaged"):
        keyfile.decode(keyfile.encode(empty), where="k")


def test_an_error_says_nothing_of_the_keys(contents: keyfile.Contents) -> None:
    encoded = keyfile.encode(contents)
    with pytest.raises(KeyFileError) as caught:
        keyfile.decode(encoded[:-1], where="k")
    said = repr(caught.value) + repr(contents) + str(caught.value.__cause__)
    assert "MjIy" not in said
    assert "2222" not in said
