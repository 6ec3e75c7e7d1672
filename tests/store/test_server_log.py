"""What PostgreSQL writes down of what it is given, and that an operator is told."""

from __future__ import annotations

import asyncpg
import pytest

from visitsync.service.context import open_database
from visitsync.service.health import checks
from visitsync.settings import Settings
from visitsync.store.server_log import ValuesLogged, refuse_values, telling

ON_ERROR = "log_parameter_max_length_on_error"
SILENT = {"log_parameter_max_length": "0"}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({}, None),
        ({"log_statement": "ddl", "log_min_duration_statement": "-1"}, None),
        ({"log_statement": "mod"}, "log_parameter_max_length"),
        ({"log_statement": "all"}, "log_parameter_max_length"),
        ({"log_min_duration_statement": "1000"}, "log_parameter_max_length"),
        ({"log_min_duration_sample": "0"}, "log_parameter_max_length"),
        ({"log_transaction_sample_rate": "0.1"}, "log_parameter_max_length"),
        ({"log_statement": "all", **SILENT}, None),
        ({"log_min_duration_statement": "0", **SILENT}, None),
        (
            {"log_parameter_max_length_on_error": "-1", **SILENT},
            "log_parameter_max_length_on_error",
        ),
        ({"auto_explain.log_min_duration": "5"}, "auto_explain.log_parameter_max_length"),
    ],
)
def test_what_writes_values_down_is_named(said: dict[str, str], where: str | None) -> None:
    assert telling(said) == where


async def unfit(settings: Settings, *, thorough: bool) -> dict[str, str]:
    found = await checks(settings, now=0, thorough=thorough)
    return {one.name: one.code for one in found if one.name == "server_log" and not one.fit}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_doctor_tells_and_the_service_goes_on(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.database_url)
    name = await connection.fetchval("SELECT current_database()")
    assert await unfit(settings, thorough=True) == {}
    await connection.execute(f"ALTER DATABASE {name} SET log_min_duration_statement = 1000")
    assert await unfit(settings, thorough=True) == {"server_log": "values_logged"}
    assert await unfit(settings, thorough=False) == {}
    await connection.execute(f"ALTER DATABASE {name} SET log_parameter_max_length = 0")
    assert await unfit(settings, thorough=True) == {}
    await connection.execute(f"ALTER DATABASE {name} SET log_parameter_max_length_on_error = 64")
    await connection.close()
    database = open_database(settings)
    async with database.reading() as one:
        with pytest.raises(ValuesLogged) as caught:
            await refuse_values(one)
    await database.close()
    assert caught.value.where == ON_ERROR


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_the_embedded_database_keeps_no_such_log(settings: Settings) -> None:
    assert await unfit(settings, thorough=True) == {}
