"""The provider of master keys that the settings choose."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from visitsync.envelope.form import Form
from visitsync.envelope.providers import Credential, KeyFile, Provider
from visitsync.envelope.sealed import Sealed
from visitsync.errors import SettingsError
from visitsync.service import passphrases
from visitsync.settings import Settings


def provider_of(settings: Settings) -> Provider:
    """The provider; nothing is opened and nobody asked yet.

    Raises:
        SettingsError: a setting that it needs is wrong, or the extra is not installed.
        KeyFileError: systemd gave no credentials.
    """
    match settings.key_provider:
        case "sealed":
            return KeyFile("sealed", settings.keys, sealed(settings))
        case "credential":
            return Credential(passphrases.credential(settings.key_credential))
        case "hsm":
            if settings.hsm_module is None or not settings.hsm_token:
                raise SettingsError("must be set for a token", where="hsm_module, hsm_token")
            token = _token(settings.hsm_module, settings.hsm_token, settings.key_unlock)
            return KeyFile("hsm", settings.keys, token)
        case "file":
            return KeyFile("file", settings.keys)


def sealed(settings: Settings) -> Sealed:
    """The form of a key file under the passphrase that the settings name."""
    return Sealed(lambda: passphrases.read(settings.key_unlock))


def newly_sealed(settings: Settings) -> Sealed:
    """The same for a file that is to be written; a person types the passphrase twice."""
    return Sealed(lambda: passphrases.chosen(settings.key_unlock))


@cache
def _token(module: Path, label: str, unlock: str) -> Form:
    """A token, one for the whole process: it lets a process in once."""
    try:
        from visitsync.envelope.hsm import Token  # noqa: PLC0415 -- needs the extra
    except ModuleNotFoundError:
        raise SettingsError(
            "needs the extra hsm; install python-pkcs11", where="key_provider"
        ) from None
    return Token(module, label, lambda: passphrases.read(unlock))
