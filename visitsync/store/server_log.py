"""Whether PostgreSQL writes down, in its own log, what it is given.

All that is sealed stands there too, and so does every household's wrapped data key: a copy that no
erasure reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import OperatorError

_NONE: Final = "0"
_OFF: Final = "-1"
_LOGS_SOME: Final = {
    "log_min_duration_statement": _OFF,
    "log_min_duration_sample": _OFF,
    "log_transaction_sample_rate": _NONE,
}
"""Each with the value under which it logs no statement."""
_LOGS_ALL: Final = frozenset({"mod", "all"})
_LENGTH, _ON_ERROR = "log_parameter_max_length", "log_parameter_max_length_on_error"
_EXPLAINS, _EXPLAINED = "auto_explain.log_min_duration", "auto_explain.log_parameter_max_length"
_NAMES: Final = ("log_statement", _LENGTH, _ON_ERROR, _EXPLAINS, _EXPLAINED, *_LOGS_SOME)


class ValuesLogged(OperatorError):
    """PostgreSQL's own log holds what it was given."""

    code = "values_logged"


async def refuse_values(connection: AsyncConnection) -> None:
    """Check what the server writes down of this connection's statements.

    Raises:
        ValuesLogged: names the setting to mend.
    """
    if connection.dialect.name == "sqlite":
        return
    settings = sa.table("pg_settings", sa.column("name"), sa.column("setting"))
    rows = await connection.execute(
        sa.select(settings.c.name, settings.c.setting).where(settings.c.name.in_(_NAMES))
    )
    name = telling({row.name: row.setting for row in rows})
    if name is not None:
        raise ValuesLogged(
            "PostgreSQL writes values of statements into its log, wrapped keys among them, where "
            "no erasure reaches them; set it to 0 for the service's role, and remove the logs that "
            "hold them",
            where=name,
        )


def telling(said: Mapping[str, str]) -> str | None:
    """The setting by which values are written down; None where none are.

    >>> telling({"log_statement": "ddl", "log_parameter_max_length": "-1"})
    >>> telling({"log_statement": "mod", "log_parameter_max_length": "-1"})
    'log_parameter_max_length'
    """
    logs = said.get("log_statement") in _LOGS_ALL or any(
        said.get(name, none) != none for name, none in _LOGS_SOME.items()
    )
    if logs and said.get(_LENGTH, _OFF) != _NONE:
        return _LENGTH
    if said.get(_ON_ERROR, _NONE) != _NONE:
        return _ON_ERROR
    if said.get(_EXPLAINS, _OFF) != _OFF and said.get(_EXPLAINED, _OFF) != _NONE:
        return _EXPLAINED
    return None
