"""Settings: the file, then the environment, then what the command line gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from visitsync.errors import SettingsError
from visitsync.settings import default_data_dir, load, make_data_dir, password_of


def test_the_later_source_wins(tmp_path: Path) -> None:
    file = tmp_path / "visitsync.toml"
    file.write_text('port = 1000\nhost = "10.0.0.1"\ntenant = "shiomi"\n')

    found = load({"VISITSYNC_PORT": "2000", "OTHER": "x"}, file, host="10.0.0.2", tenant=None)

    assert (found.port, found.host, found.tenant) == (2000, "10.0.0.2", "shiomi")


def test_the_file_can_be_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "visitsync.toml"
    file.write_text("port = 1000\n")

    assert load({"VISITSYNC_SETTINGS": str(file)}).port == 1000


@pytest.mark.parametrize(
    ("environment", "where"),
    [
        ({"VISITSYNC_PROT": "1"}, "VISITSYNC_PROT"),
        ({"VISITSYNC_PORT": "many"}, "port"),
        ({"VISITSYNC_PORT": "0"}, "port"),
        ({"VISITSYNC_DATABASE_URL": "mysql://secret@host/x"}, "database_url"),
        ({"VISITSYNC_DATABASE_CONNECTIONS": "1"}, "database_connections"),
        ({"VISITSYNC_TENANT": ""}, "tenant"),
    ],
)
def test_what_is_wrong_is_named_without_its_value(environment: dict[str, str], where: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environment)

    assert caught.value.where == where
    for value in environment.values():
        assert not value or value not in f"{caught.value} {caught.value.where}"


@pytest.mark.parametrize("text", ["prot = 1\n", "port = \n", "port = 'x'\n"])
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "visitsync.toml"
    file.write_text(text)

    with pytest.raises(SettingsError):
        load({}, file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load({}, tmp_path / "none.toml")


def test_nothing_given_is_the_embedded_default() -> None:
    found = load({"XDG_DATA_HOME": "/data"})

    assert found.data_dir == default_data_dir({"XDG_DATA_HOME": "/data"})
    assert found.embedded == found.data_dir / "visitsync.db"
    assert found.keys == found.data_dir / "master.key"


def test_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    found = load({}, data_dir=tmp_path / "a" / "b")
    make_data_dir(found)

    assert found.data_dir.stat().st_mode & 0o077 == 0


def test_the_password_stands_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("s3cret\n")

    assert password_of(load({}, database_password_file=str(file))) == "s3cret"
    with pytest.raises(SettingsError):
        password_of(load({}, database_password_file=str(tmp_path / "none")))
