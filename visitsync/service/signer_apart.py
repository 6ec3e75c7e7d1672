"""Giving the log's signing key to a signer that is a process and a user of its own."""

from __future__ import annotations

from pathlib import Path

from visitsync.audit import key_name
from visitsync.envelope.providers import KeyFile
from visitsync.errors import KeyFileError, SettingsError, SignerError
from visitsync.service.key_provider import provider_of
from visitsync.settings import Settings
from visitsync.signer import folder


def take_over(settings: Settings, home: Path) -> None:
    """Move the signing key and the signer's memory to `home`; no service may run.

    Cut short at any point, it is done again and goes on. Afterwards the key file holds a seed that
    signs nothing, so that a service without the setting ``signer_socket`` refuses to start.

    Raises:
        SettingsError: a signer of its own is set up already.
        KeyFileError: the key file cannot be read, or not be changed here.
        SignerError: see `folder.take_over`.
    """
    if settings.signer_socket is not None:
        raise SettingsError("A signer of its own signs this log already", where="signer_socket")
    provider = provider_of(settings)
    if not isinstance(provider, KeyFile):
        raise KeyFileError(
            "a systemd credential is changed outside the service: do this with "
            "key_provider=file on the decrypted file (see docs/keys.md)",
            where=str(provider.path),
        )
    name = key_name(settings.tenant)
    if _is_done(settings, home, provider.load().signing_seed, name):
        settings.signed_head.unlink(missing_ok=True)
        return
    folder.take_over(home, name, provider.load().signing_seed, settings.signed_head)
    provider.forget_signing_seed()
    settings.signed_head.unlink()


def _is_done(settings: Settings, home: Path, seed: bytes, name: str) -> bool:
    """Whether only the old memory was left."""
    try:
        there = folder.signer(home)
    except SignerError:
        return False
    if there.vkey == folder.vkey_of(name, seed):
        return False
    last = folder.remembered(settings.signed_head)
    return last is None or there.signed() == last
