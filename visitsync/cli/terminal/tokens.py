"""Where a command finds the token it acts with; never on the command line, which others can see."""

from __future__ import annotations

import os
from pathlib import Path

import click


def token_from(file: Path | None) -> str:
    """The token of a file, else that of ``VISITSYNC_TOKEN``.

    Raises:
        click.UsageError: where there is neither.
    """
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise click.UsageError(
                f"The token file {file} cannot be read; check its path and who may read it."
            ) from None
    else:
        token = os.environ.get("VISITSYNC_TOKEN", "").strip()
    if not token or not token.isascii():
        raise click.UsageError(
            "Name the office's token: --token-file FILE, or the environment's VISITSYNC_TOKEN."
        )
    return token
