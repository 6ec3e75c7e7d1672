"""The first start of an embedded installation: keys, tables, the invented city, its accounts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from visitsync.cli.installation import city
from visitsync.cli.installation.at_hand import operator
from visitsync.errors import DirectoryError, SettingsError
from visitsync.schema.silent import Struct
from visitsync.service import directory, migration, tokens
from visitsync.service.context import Context
from visitsync.settings import Settings

TOKENS: Final = "dev-tokens.json"
_DAYS: Final = 90


class DevTokens(Struct, frozen=True, kw_only=True):
    """Tokens of the invented city's offices and staff, by id."""

    offices: dict[str, str]
    staff: dict[str, str]


async def make(settings: Settings) -> None:
    """Make the data folder, the key file and the tables, as far as they are not there.

    Raises:
        SettingsError: the folder cannot be made.
    """
    os.umask(0o077)  # what is made from here on is this user's alone
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise SettingsError(
            "The data folder cannot be made; choose another", where=str(settings.data_dir)
        ) from None
    await migration.migrate(settings)


async def settle(context: Context) -> Path | None:
    """Give an empty installation the invented city and accounts for everybody in it.

    Answers the file with their tokens, which only this user can read; None where a directory was
    applied before.
    """
    try:
        await directory.current(context)
    except DirectoryError:
        pass
    else:
        return None
    wanted = city.shipped()
    await directory.apply(context, operator(), wanted)
    file = context.settings.data_dir / TOKENS
    issued = DevTokens(
        offices={
            one.id: await _issue(context, f"office:{one.id}") for one in wanted.directory.office
        },
        staff={one.id: await _issue(context, f"staff:{one.id}") for one in wanted.directory.staff},
    )
    _write_private(file, msgspec.json.format(msgspec.json.encode(issued), indent=2))
    return file


def tokens_of(file: Path) -> DevTokens:
    """The tokens that `settle` wrote."""
    return msgspec.json.decode(file.read_bytes(), type=DevTokens)


async def _issue(context: Context, subject: str) -> str:
    issued = await tokens.issue(context, operator(), subject=subject, days=_DAYS)
    return issued.secret


def _write_private(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
