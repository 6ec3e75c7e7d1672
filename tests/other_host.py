"""Another host for the same installation: its key file, what was erased, an empty database."""

from __future__ import annotations

import shutil
from pathlib import Path

from postgres import Cluster

from visitsync.settings import Settings, load


def other_host(
    settings: Settings, home: Path, postgres: Cluster | None, *, with_memory: bool = True
) -> Settings:
    """Args: `with_memory`: whether the signer's memory, as it is now, is brought along."""
    home.mkdir()
    shutil.copy(settings.keys, home)
    shutil.copy(settings.tombstone_file, home)
    if with_memory:
        shutil.copy(settings.signed_head, home)
    if settings.embedded is not None or postgres is None:
        return load({}, data_dir=home)
    return load({}, data_dir=home, database_url=postgres.new_database())
