"""The log signed by a process of its own, with a key that the service does not have."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from build import CARE, OPERATOR, WORKER, a_consent, a_visit, applied, consented, handed_in, home_of

from visitsync.audit import NoteVerifier, open_receipt
from visitsync.errors import KeyFileError, SettingsError, SignerError
from visitsync.service import access_log, directives, timelines
from visitsync.service.context import open_context
from visitsync.service.health import checks
from visitsync.service.migration import migrate
from visitsync.service.signer_apart import take_over
from visitsync.settings import Settings, load
from visitsync.signer import RemoteSigner, folder


@contextlib.contextmanager
def signing(home: Path, socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``visitsync signer serve``, until the end."""
    command = [sys.executable, "-m", "visitsync", "signer", "serve", str(home)]
    with subprocess.Popen([*command, "--socket", str(socket)], stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert b"answers at" in process.stderr.readline()
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def apart(settings: Settings, socket: Path) -> Settings:
    return msgspec.structs.replace(settings, signer_socket=socket)


async def test_the_service_reads_and_writes_with_a_key_it_does_not_have(
    settings: Settings, tmp_path: Path
) -> None:
    async with open_context(settings) as context:
        key = context.log.vkey
        await applied(context)
        await handed_in(context, [a_visit(1), a_visit(2)])
        home = await home_of(context)
        await consented(context, home)
    (tmp_path / "signer").mkdir(0o700)
    take_over(settings, tmp_path / "signer")
    assert not settings.signed_head.exists()

    with signing(tmp_path / "signer", tmp_path / "socket") as process:
        async with open_context(apart(settings, tmp_path / "socket")) as context:
            assert context.log.vkey == key
            assert (await timelines.view(context, WORKER, home, CARE)).entries
            made = await directives.record(context, OPERATOR, a_consent(home))
            assert made.receipt is not None
            assert open_receipt(made.receipt, [NoteVerifier(key)]).directive == f"{made.id}@1"
            note = await access_log.checkpoint(context)
            assert folder.signer(tmp_path / "signer").signed().note == note  # type: ignore[union-attr]

            process.kill()
            process.wait(10)
            # Away for less than a minute: it reads on, and a withdrawal is not held up by it.
            assert (await timelines.view(context, WORKER, home, CARE)).entries
            gone = await directives.record(context, OPERATOR, a_consent(home, effect="deny"))
            assert gone.receipt is None
            with pytest.raises(SignerError):
                await access_log.checkpoint(context)
            with signing(tmp_path / "signer", tmp_path / "socket"):
                assert await access_log.checkpoint(context) != note
                fit = await checks(
                    apart(settings, tmp_path / "socket"),
                    now=time.time(),
                )
                assert [one.name for one in fit if not one.fit] == []


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_what_was_taken_over_signs_here_no_more(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "signer").mkdir(0o700)
    take_over(settings, tmp_path / "signer")
    with pytest.raises(KeyFileError, match="another database"):
        async with open_context(settings):
            pass
    with pytest.raises(SettingsError):
        take_over(apart(settings, tmp_path / "socket"), tmp_path / "signer")
    _, log = await checks(apart(settings, tmp_path / "socket"), now=0)
    assert (log.name, log.fit, log.code) == ("log", False, "signer")


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("where", ["key", "memory", "seed"])
async def test_a_taking_over_that_is_cut_short_is_done_again(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    home = tmp_path / "signer"
    home.mkdir(0o700)
    kept = settings.signed_head.read_bytes()
    cut = {
        "key": "visitsync.signer.folder.held",
        "memory": "visitsync.envelope.providers.KeyFile.forget_signing_seed",
        "seed": "pathlib.Path.unlink",
    }[where]

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cut, dies)
        with pytest.raises(KeyboardInterrupt):
            take_over(settings, home)
    take_over(settings, home)
    assert (home / "signed-head").read_bytes() == kept
    assert not settings.signed_head.exists()
    with signing(home, tmp_path / "socket"):
        async with open_context(apart(settings, tmp_path / "socket")) as context:
            assert await access_log.checkpoint(context)


async def test_a_new_installation_can_begin_with_it(tmp_path: Path) -> None:
    home = tmp_path / "signer"
    home.mkdir(0o700)
    made = folder.new(home, "visitsync/visitsync")
    found = load({}, data_dir=tmp_path / "data", signer_socket=tmp_path / "socket")
    with pytest.raises(SignerError, match="cannot be reached"):
        await migrate(found)
    with signing(home, tmp_path / "socket"):
        assert (await migrate(found)).standing == "current"
        async with open_context(found) as context:
            assert context.log.vkey == made.vkey
        assert not found.signed_head.exists()
        assert (tmp_path / "socket").stat().st_mode & 0o007 == 0
        assert RemoteSigner(tmp_path / "socket").signed() is not None
