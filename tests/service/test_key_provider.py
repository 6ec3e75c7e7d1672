"""An installation whose keys are sealed, or a systemd credential; how it is unlocked."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from build import OPERATOR
from conftest import verify
from postgres import Cluster
from service.test_rotation import a_family, seen
from softhsm import LABEL, LIBRARY, NONE_HERE, PIN, UTIL, set_up

from visitsync.envelope import MasterKeys
from visitsync.envelope import sealed as sealing
from visitsync.errors import KeyFileError, SettingsError
from visitsync.service import health, key_status, passphrases, rotation
from visitsync.service.context import open_context
from visitsync.service.key_provider import provider_of
from visitsync.service.migration import migrate
from visitsync.settings import Settings, load

PASSPHRASE = b"correct horse battery staple"


@pytest.fixture(autouse=True)
def nothing_read_before() -> Iterator[None]:
    passphrases.read.cache_clear()
    yield
    passphrases.read.cache_clear()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def given(credentials: Path, passphrase: bytes = PASSPHRASE) -> str:
    (credentials / "unlock").write_bytes(passphrase + b"\n")
    return "credential:unlock"


async def unfit(settings: Settings) -> dict[str, str]:
    found = await health.checks(settings, now=time.time())
    return {one.name: one.code for one in found if not one.fit}


# ── sealed ────────────────────────────────────────────────────────────────────────────────────────
async def test_an_installation_runs_and_rotates_with_a_sealed_key_file(
    settings: Settings, credentials: Path
) -> None:
    where = settings.data_dir / "master.sealed"
    known = msgspec.structs.replace(
        settings, key_provider="sealed", key_file=where, key_unlock=given(credentials)
    )
    form = sealing.Sealed(lambda: PASSPHRASE)
    MasterKeys.load(settings.keys).copy(where, form)
    settings.keys.unlink()

    async with open_context(known) as context:
        assert (await key_status.status(context)).provider == "sealed"
        begun = await rotation.begin(context, OPERATOR)
        await rotation.wrap_anew(context)
        await rotation.retire(context, OPERATOR, 1, "custodian")
        assert begun.epoch == 2
    assert await unfit(known) == {}
    assert MasterKeys.load(where, form).epochs == (2,)
    given(credentials, b"another passphrase of some length")
    passphrases.read.cache_clear()
    with pytest.raises(KeyFileError, match="passphrase is not"):
        async with open_context(known):
            pass
    assert await unfit(known) == {"keys": "bad_key_file"}


async def test_a_new_installation_makes_its_key_file_sealed(
    tmp_path: Path, credentials: Path
) -> None:
    known = load(
        {}, data_dir=tmp_path / "new", key_provider="sealed", key_unlock=given(credentials)
    )
    await migrate(known)
    assert known.keys.read_text().startswith("visitsync-sealed-keys v1\n")
    assert await unfit(known) == {}
    # Control: it is not taken for a key file in clear.
    assert await unfit(load({}, data_dir=tmp_path / "new")) == {"keys": "bad_key_file"}


async def test_a_running_service_asks_for_its_passphrase_once(
    settings: Settings, credentials: Path
) -> None:
    where = settings.data_dir / "master.sealed"
    MasterKeys.load(settings.keys).copy(where, sealing.Sealed(lambda: PASSPHRASE))
    known = msgspec.structs.replace(
        settings, key_provider="sealed", key_file=where, key_unlock=given(credentials)
    )
    async with open_context(known) as context:
        (credentials / "unlock").unlink()
        passphrases.read.cache_clear()
        ready = health.Readiness(context)
        assert await ready.unfit(time.time()) is None


# ── a credential ──────────────────────────────────────────────────────────────────────────────────
async def test_an_installation_runs_with_a_credential_and_is_rotated_around_it(
    settings: Settings, credentials: Path
) -> None:
    file = credentials / "visitsync-keys"
    file.write_bytes(settings.keys.read_bytes())
    file.chmod(0o400)
    known = msgspec.structs.replace(settings, key_provider="credential")
    async with open_context(known) as context:
        with pytest.raises(KeyFileError, match="outside the service"):
            await rotation.begin(context, OPERATOR)
        assert (await key_status.status(context)).newest == 1
    # As the page says: a key more in a file, encrypted again, then the rest.
    async with open_context(settings) as context:
        assert await rotation.prepare(context, OPERATOR) == 2
        assert await rotation.prepare(context, OPERATOR) == 2, "it is not added twice"
        assert (await key_status.status(context)).newest == 1
    file.unlink()
    file.write_bytes(settings.keys.read_bytes())
    file.chmod(0o400)
    async with open_context(known) as context:
        assert (await rotation.begin(context, OPERATOR)).epoch == 2
        await rotation.wrap_anew(context)
        with pytest.raises(KeyFileError, match="epoch 1 no more"):
            await rotation.retire(context, OPERATOR, 1, "custodian")
        states = {one.epoch: one.state for one in (await key_status.status(context)).masters}
        assert states == {1: "retired", 2: "newest"}


def test_without_systemd_a_credential_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(KeyFileError, match="LoadCredentialEncrypted"):
        provider_of(load({"VISITSYNC_KEY_PROVIDER": "credential"}))


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("name", ["../master.key", "/etc/shadow", "a/b", "..", "."])
def test_a_credentials_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(SettingsError, match="plain file name"):
        passphrases.credential(name)


# ── a token ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.skipif(LIBRARY is None or UTIL is None, reason=NONE_HERE)
async def test_an_installation_runs_and_rotates_with_a_token(
    engine: str, postgres: Cluster | None, tmp_path: Path, credentials: Path
) -> None:
    pytest.importorskip("pkcs11")
    set_up()
    found = postgres if engine == "postgresql" else None
    url = "" if found is None else found.new_database()
    known = load(
        {},
        data_dir=tmp_path / "token",
        database_url=url,
        key_provider="hsm",
        hsm_module=str(LIBRARY),
        hsm_token=LABEL,
        key_unlock=given(credentials, PIN.encode()),
    )
    await migrate(known)
    assert known.keys.read_text().startswith("visitsync-token-keys v1\n")
    async with open_context(known) as context, open_context(known) as service:
        home = await a_family(context)
        before = await seen(context, home)
        await rotation.begin(context, OPERATOR)
        wrapped = await rotation.wrap_anew(context)
        await rotation.retire(context, OPERATOR, 1, "custodian")
        assert wrapped.unreadable == 0
        assert await seen(service, home) == await seen(context, home) == before == 3
        found_now = await key_status.status(context)
        assert (found_now.provider, found_now.newest) == ("hsm", 2)
        await verify(context)
    assert await unfit(known) == {}
    token: Any = provider_of(known)
    token.form._session.close()  # noqa: SLF001 -- a process is let in once, and others want in
    token.form._session = None  # noqa: SLF001
    if found is not None:
        found.drop(url)


def test_a_token_needs_its_settings() -> None:
    for given_ in ({}, {"VISITSYNC_HSM_TOKEN": "x"}, {"VISITSYNC_HSM_MODULE": "/x.so"}):
        with pytest.raises(SettingsError) as caught:
            provider_of(load({"VISITSYNC_KEY_PROVIDER": "hsm", **given_}))
        assert caught.value.where == "hsm_module, hsm_token"


# ── unlocking ─────────────────────────────────────────────────────────────────────────────────────
def test_a_descriptor_is_read_once_for_the_whole_process() -> None:
    end, writing = os.pipe()
    os.write(writing, PASSPHRASE + b"\r\n")
    os.close(writing)
    assert passphrases.read(f"fd:{end}") == passphrases.read(f"fd:{end}") == PASSPHRASE


@pytest.mark.parametrize("said", [b"", b"\n", b"a\0b", b"x" * 5000])
def test_what_can_be_no_passphrase_is_refused(credentials: Path, said: bytes) -> None:
    (credentials / "unlock").write_bytes(said)
    with pytest.raises(KeyFileError):
        passphrases.read("credential:unlock")


@pytest.mark.parametrize("source", ["", "fd:", "fd:x", "fd:-1", "credential:", "env:X", "Prompt"])
def test_an_unknown_source_is_refused_without_its_value(source: str) -> None:
    with pytest.raises(SettingsError) as caught:
        passphrases.read(source)
    assert caught.value.where == "key_unlock"


def test_nobody_is_asked_where_nobody_sits() -> None:
    with pytest.raises(KeyFileError, match="nobody can be asked"):
        passphrases.read("prompt")


def test_a_closed_descriptor_is_named() -> None:
    with pytest.raises(KeyFileError, match="descriptor"):
        passphrases.read("fd:987")


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"VISITSYNC_KEY_PROVIDER": "cloud"})
    assert caught.value.where == "key_provider"


def test_who_chooses_a_passphrase_types_it_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["one", "another", "one", "one"])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    passphrases.read.cache_clear()
    with pytest.raises(KeyFileError, match="not the same"):
        passphrases.chosen("prompt")
    assert passphrases.chosen("prompt") == b"one"
    passphrases.read.cache_clear()
