"""A real database for every test that wants one: PostgreSQL and the embedded SQLite, one by one.

Whatever wrote the access log through `context` has it exported and verified at the end.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from build import OPERATOR
from postgres import NONE_FOUND, ROOM_FOR_ALL, Cluster, cluster, in_memory
from service.a_bundle import exported

from visitsync.audit import verify_bundle
from visitsync.service import access_log
from visitsync.service.context import Context, open_context
from visitsync.service.migration import migrate
from visitsync.settings import Settings, load

ENGINES = ("sqlite", "postgresql")


# How long an example takes says nothing on a machine that does other work as well.
hypothesis.settings.register_profile("visitsync", deadline=None)
hypothesis.settings.load_profile("visitsync")

# Where Python is told to keep no compiled modules, as in many container images, every worker and
# every service that a test starts would compile all of visitsync and of the tests anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Installations stand in memory where there is room: a database there syncs as everywhere, but waits
# for no disk. Whoever wants them elsewhere sets this variable, or gives --basetemp.
if (_folder := in_memory(ROOM_FOR_ALL)) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _folder)


def pytest_collection_finish() -> None:
    """What stands in memory by now stays to the end: nobody need look whether it is garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster | None]:
    with cluster() as found:
        yield found


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "postgresql" and request.getfixturevalue("postgres") is None:
        pytest.skip(NONE_FOUND)
    return name


@pytest.fixture(scope="session")
def templates() -> dict[str, Settings]:
    """Installations that were set up once in this session, to be copied."""
    return {}


@pytest.fixture
def clock_back() -> float:
    """Seconds that the database's clock may stand behind the log; more where a test sets it so."""
    return 600.0


@pytest.fixture
async def settings(
    engine: str,
    tmp_path: Path,
    templates: dict[str, Settings],
    clock_back: float,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Settings]:
    """A new installation, set up and empty."""
    found: Cluster | None = request.getfixturevalue("postgres") if engine != "sqlite" else None
    template = templates.get(engine)
    if template is None:
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        folder = factory.mktemp(engine)
        url = "" if found is None else found.new_database()
        template = templates[engine] = load({}, data_dir=folder, database_url=url)
        await migrate(template)
    home = tmp_path / "installation"
    shutil.copytree(template.data_dir, home)
    url = "" if found is None else found.new_database(template.database_url)
    # A look waits as long as on the embedded database: this machine may do other work as well.
    yield load(
        {},
        data_dir=home,
        database_url=url,
        log_wait_seconds=10.0,
        clock_back_seconds=clock_back,
    )
    if found is not None:
        found.drop(url)


@pytest.fixture
async def context(settings: Settings) -> AsyncIterator[Context]:
    """The installation, open; its log is verified when the test is over."""
    async with open_context(settings) as opened:
        yield opened
        await verify(opened)


async def verify(context: Context) -> None:
    """Export the whole log and verify it with the public key alone."""
    bundle = await exported(context, OPERATOR)
    verdict = verify_bundle(bundle, access_log.public_key(context))
    codes = [finding.code for finding in verdict.findings]
    assert codes[0] == "no_older"
    assert set(codes[1:]) == {"whole"}, verdict.findings
