"""Where master keys come from: a key file in one of its forms, or a systemd credential."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from visitsync.envelope.form import Form
from visitsync.envelope.master_keys import MasterKeys
from visitsync.envelope.plain import PLAIN
from visitsync.errors import KeyFileError


class Provider(Protocol):
    """What keeps the master keys; whatever fails is a `KeyFileError` that says what to do."""

    @property
    def name(self) -> str:
        """As in the setting ``key_provider``."""

    @property
    def path(self) -> Path:
        """Where the keys, or what is needed beside a token, stand."""

    def load(self) -> MasterKeys:
        """The keys as they are now."""

    def create(self) -> MasterKeys:
        """Make the keys of a new installation."""

    def rotate(self) -> MasterKeys:
        """Add a master key of the next epoch."""

    def retire(self, epoch: int) -> MasterKeys:
        """Take an older master key out; what it wrapped is lost for ever."""

    def rotate_index(self) -> MasterKeys:
        """Add an index key of the next epoch."""

    def retire_index(self, before: int) -> MasterKeys:
        """Take the index keys of epochs before `before` out."""


class KeyFile:
    """A key file that the service's own user can read and replace."""

    def __init__(self, name: str, path: Path, form: Form = PLAIN) -> None:
        self.name = name
        self.path = path
        self.form = form

    def load(self) -> MasterKeys:
        """The keys as they are now."""
        return MasterKeys.load(self.path, self.form)

    def create(self) -> MasterKeys:
        """Make the keys of a new installation."""
        return MasterKeys.create(self.path, self.form)

    def rotate(self) -> MasterKeys:
        """Add a master key of the next epoch."""
        return MasterKeys.rotate(self.path, self.form)

    def retire(self, epoch: int) -> MasterKeys:
        """Take an older master key out; what it wrapped is lost for ever."""
        return MasterKeys.retire(self.path, epoch, self.form)

    def rotate_index(self) -> MasterKeys:
        """Add an index key of the next epoch."""
        return MasterKeys.rotate_index(self.path, self.form)

    def retire_index(self, before: int) -> MasterKeys:
        """Take the index keys of epochs before `before` out."""
        return MasterKeys.retire_index(self.path, before, self.form)

    def forget_signing_seed(self) -> None:
        """See `MasterKeys.forget_signing_seed`."""
        MasterKeys.forget_signing_seed(self.path, self.form)


class Credential:
    """A plain key file that systemd decrypts for the service; nobody here can change it."""

    name = "credential"

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> MasterKeys:
        """The keys as systemd gave them when the service was started."""
        return MasterKeys.load(self.path, listed=True)

    def create(self) -> MasterKeys:
        """Refused: whoever encrypts the credential makes it."""
        raise self._refused()

    def rotate(self) -> MasterKeys:
        """Refused: whoever encrypts the credential changes it."""
        raise self._refused()

    def retire(self, epoch: int) -> MasterKeys:
        """Refused: whoever encrypts the credential changes it."""
        raise self._refused(f"; the database uses the master key of epoch {epoch} no more")

    def rotate_index(self) -> MasterKeys:
        """Refused: whoever encrypts the credential changes it."""
        raise self._refused()

    def retire_index(self, before: int) -> MasterKeys:
        """Refused: whoever encrypts the credential changes it."""
        raise self._refused(
            f"; the database uses no index key of an epoch before {before} any more"
        )

    def _refused(self, also: str = "") -> KeyFileError:
        return KeyFileError(
            "a systemd credential is changed outside the service: decrypt it to a key file, change "
            "that with key_provider=file, encrypt it again and restart (see docs/keys.md)" + also,
            where=str(self.path),
        )
