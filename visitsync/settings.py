"""Settings: one frozen record from a TOML file and the environment, read once.

Every setting ``name`` is the member ``name`` of the file and ``VISITSYNC_NAME`` of the environment,
which wins. A secret can stand in a file of its own: ``database_password_file``. An unknown name is
refused, because a misspelt setting is a setting that is not heeded.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from visitsync.errors import SettingsError
from visitsync.schema.silent import Struct

PREFIX: Final = "VISITSYNC_"
_PATIENCE: Final = 3.0
_EMBEDDED_PATIENCE: Final = 10.0
_NOT_SETTINGS: Final = frozenset({"VISITSYNC_TOKEN", "VISITSYNC_VECTORS", "VISITSYNC_SETTINGS"})
"""Names of the environment that are for clients, tests, and finding the settings' file."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where things are and how much there may be of them."""

    data_dir: Path
    """The embedded database and the key file; by default the user's data folder."""
    database_url: str = ""
    """``postgresql://…``; empty is the embedded SQLite in `data_dir`."""
    database_password_file: Path | None = None
    """Holds PostgreSQL's password alone, so that it stands in no environment."""
    database_connections: int = 8
    """Connections to PostgreSQL per process, one of them for the access log."""
    database_wait_seconds: float = 10.0
    """How long to wait for a connection or another writer before giving up."""
    key_provider: Literal["file", "sealed", "credential", "hsm"] = "file"
    """What keeps the master keys; `docs/keys.md` says when to take which."""
    key_file: Path | None = None
    """The key file; by default ``master.key`` in `data_dir`."""
    key_unlock: str = "prompt"
    """Where the passphrase of a sealed key file, or a token's PIN, is read: ``credential:NAME``,
    ``fd:N``, or ``prompt``: by default whoever starts it is asked."""
    key_credential: str = "visitsync-keys"
    """The name of the systemd credential that is the key file."""
    hsm_module: Path | None = None
    """The PKCS#11 library of the token that holds the master keys."""
    hsm_token: str = ""
    """The token's label."""
    signer_state: Path | None = None
    """What the access log's signer remembers; by default ``signed-head`` in `data_dir`. Never
    put it back from a backup with the database."""
    signer_socket: Path | None = None
    """Of a signer that is a process of its own; by default this process signs."""
    tombstones: Path | None = None
    """What was erased; by default ``tombstones`` in `data_dir`. Never put it back from a backup."""
    retention_rules: Path | None = None
    """The municipality's own rules of retention; by default those that come with visitsync."""
    tenant: str = "visitsync"
    """The municipality's code; every sealed record and the log's origin are bound to it."""
    host: str = "127.0.0.1"
    port: int = 8080
    log_queue: int = 1024
    """Reads that may wait for their log entry at one time; further ones are refused."""
    log_wait_seconds: float | None = None
    """How long a read waits for its log entry before it is refused; by default 3 seconds, and 10 on
    the embedded database, where it waits behind a submission that is being stored."""
    accesses_delay_days: int = 30
    """How long a break-glass look, or one for protection, is not listed for the family yet."""
    clock_back_seconds: float = 600.0
    """How far the database's clock may stand before the newest log entry: further, and nothing is
    read or written until it is set right, or until whoever knows why says more here."""
    clock_skew_seconds: float = 5.0
    """How far the host's clock and the database's may lie apart."""

    @property
    def keys(self) -> Path:
        """Where the key file is."""
        return self.key_file or self.data_dir / "master.key"

    @property
    def signed_head(self) -> Path:
        """Where the signer remembers what it signed."""
        return self.signer_state or self.data_dir / "signed-head"

    @property
    def tombstone_file(self) -> Path:
        """Where it stands what was erased."""
        return self.tombstones or self.data_dir / "tombstones"

    @property
    def look_patience(self) -> float:
        """How many seconds a look waits for its entry."""
        if self.log_wait_seconds is not None:
            return self.log_wait_seconds
        return _PATIENCE if self.database_url else _EMBEDDED_PATIENCE

    @property
    def embedded(self) -> Path | None:
        """The embedded database's file; None with PostgreSQL."""
        return None if self.database_url else self.data_dir / "visitsync.db"


def load(
    environment: Mapping[str, str] | None = None, file: Path | None = None, **given: object
) -> Settings:
    """Settings from `file`, then the environment, then `given`; the later wins.

    Args:
        environment: by default the process's own.
        file: TOML; by default the one that ``VISITSYNC_SETTINGS`` names.
        given: from the command line; None is not given.

    Raises:
        SettingsError: an unknown or wrong setting, or a file that cannot be read.
    """
    environment = os.environ if environment is None else environment
    if file is None and environment.get("VISITSYNC_SETTINGS"):
        file = Path(environment["VISITSYNC_SETTINGS"])
    values: dict[str, object] = {} if file is None else _of_file(file)
    values |= _of_environment(environment)
    values |= {name: value for name, value in given.items() if value is not None}
    values.setdefault("data_dir", str(default_data_dir(environment)))
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError("A setting is unknown or wrong; mend it", where=_place(error)) from None
    _check(settings)
    return settings


def password_of(settings: Settings) -> str | None:
    """PostgreSQL's password from its own file, if there is one.

    Raises:
        SettingsError: the file cannot be read.
    """
    file = settings.database_password_file
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsError("The password's file cannot be read", where=str(file)) from None


def make_data_dir(settings: Settings) -> None:
    """Make the data folder, for its owner alone, where it is not there yet.

    Raises:
        SettingsError: it cannot be made.
    """
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        where = str(settings.data_dir)
        raise SettingsError("The data folder cannot be made", where=where) from None


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """The user's own folder for a program's data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "visitsync"
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home()) / "visitsync"
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "visitsync"


def _path(kind: type, value: object) -> object:
    if kind is not Path:
        raise NotImplementedError
    return Path(str(value)).expanduser()


def _of_file(file: Path) -> dict[str, object]:
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise SettingsError("The settings' file cannot be read", where=str(file)) from None
    except tomllib.TOMLDecodeError:
        raise SettingsError("The settings' file is no TOML", where=str(file)) from None
    return found


def _of_environment(environment: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            setting = name.removeprefix(PREFIX).lower()
            if setting not in Settings.__struct_fields__:
                raise SettingsError("There is no such setting; is it misspelt?", where=name)
            found[setting] = value
    return found


def _place(error: msgspec.ValidationError) -> str:
    # msgspec's message may repeat a value, and a value may be a password; names alone are safe.
    names = [name for name in Settings.__struct_fields__ if f"$.{name}`" in str(error)]
    return names[0] if names else "an unknown name"


def _check(settings: Settings) -> None:
    url = settings.database_url
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise SettingsError("must begin with postgresql:// or be empty", where="database_url")
    if not 1 <= settings.port <= 65_535:  # noqa: PLR2004 -- ports have 16 bits
        raise SettingsError("must lie between 1 and 65535", where="port")
    if not 2 <= settings.database_connections <= 200:  # noqa: PLR2004 -- one is for the log
        raise SettingsError("must lie between 2 and 200", where="database_connections")
    if not 0 <= settings.accesses_delay_days <= 3_660:  # noqa: PLR2004 -- ten years
        raise SettingsError("must lie between 0 and 3660", where="accesses_delay_days")
    if not settings.tenant:
        raise SettingsError("must name the municipality", where="tenant")
