"""The rules of retention that are in force here: the municipality's own, or the shipped ones."""

from __future__ import annotations

from visitsync.errors import RetentionError
from visitsync.retention import Rules, read, shipped
from visitsync.service.context import Context


def rules_of(context: Context) -> Rules:
    """Read anew, so that a change needs no restart.

    Raises:
        RetentionError: the file cannot be read, or contradicts itself.
    """
    file = context.settings.retention_rules
    if file is None:
        return shipped()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise RetentionError("The rules' file cannot be read; mend that", where=str(file)) from None
    return read(text, where=str(file))
