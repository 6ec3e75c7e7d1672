"""Families to erase, and trying to open what is left of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

import msgspec
from build import a_guardian, a_visit, applied, handed_in, home_of
from postgres import Cluster

from visitsync.errors import Tampered
from visitsync.schema.visit import Visit
from visitsync.service import erasing
from visitsync.service.context import Context
from visitsync.service.ids import new_id
from visitsync.service.keyring import RECORDS, VisitPlace, held
from visitsync.settings import Settings
from visitsync.signer import Tombstone, Tombstones
from visitsync.store import clock, data_keys, households, visits


def report_of(family: int, number: int = 1) -> Visit:
    """A report about one of many families, none of which is like another."""
    person = a_guardian(
        name=f"架空　{chr(0x4E00 + family)}",
        kana=f"カクウ　{chr(0x30A2 + family)}{chr(0x30A2 + family)}",
        birth_date=f"19{60 + family:02}-03-04",
        phone=f"000-9{family:03}-0001",
        address=f"架空市{family}番地",
    )
    name = f"of-{family}-{number}"
    return a_visit(number, record_id=name, case_no=f"C-{family}", persons=(person,))


async def families(context: Context, many: int) -> list[str]:
    """Their households."""
    await applied(context)
    await handed_in(context, [report_of(one) for one in range(many)])
    homes = [await home_of(context, f"C-{one}") for one in range(many)]
    assert len(set(homes)) == many
    return homes


async def erased_at_once(context: Context, household: str, what: str = "records") -> Tombstone:
    """Without anybody asking or deciding."""
    async with context.log.writing() as turn:
        await households.hold_intake(turn.connection)
        await turn.hold()
        at = await clock.now(turn.connection)
        one = Tombstone("log" if what == "log" else "records", household, new_id("e"), at)
        Tombstones(context.settings.tombstone_file).add([one])
        await erasing.destroy(turn.connection, one)
    context.keyring.forget(household)
    return one


async def openable(context: Context, homes: Iterable[str]) -> set[str]:
    """Those of which a stored report can be opened with what stands in the database."""
    found = set()
    async with context.database.reading() as connection:
        for home in homes:
            rows = await visits.of_households(connection, [home])
            keys = context.keyring.opened(await data_keys.of_households(connection, [home]))
            try:
                for one in rows:
                    key = held(keys, (home, one.program, RECORDS))
                    place = VisitPlace(home, one.program, one.id, one.revision)
                    context.keyring.open_visit(key, place, one.sealed, one.key_version)
                    found.add(home)
            except Tampered:
                pass
    return found


class Backup:
    """An installation as it was, without its tombstones; nobody has it open meanwhile."""

    def __init__(self, settings: Settings, postgres: Cluster | None) -> None:
        self._postgres = postgres
        self._url = ""
        self._kept = settings.data_dir.with_name("backup")
        shutil.copytree(settings.data_dir, self._kept)
        if settings.database_url:
            assert postgres is not None
            self._url = postgres.new_database(settings.database_url)

    def put_back(self, settings: Settings) -> Settings:
        """With the signer's memory of then, as if operators had decided to go on from there."""
        for one in settings.data_dir.glob("visitsync.db*"):
            one.unlink()
        for one in self._kept.iterdir():
            if one.name != "tombstones":
                shutil.copy2(one, settings.data_dir / one.name)
        return msgspec.structs.replace(settings, database_url=self._url)
