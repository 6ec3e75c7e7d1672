"""D6 and D7: whatever is handed in, linked, undone, begun and ended, no protection is ever lost."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from build import (
    NURSES,
    OFFICE,
    OPERATOR,
    SECOND_OFFICE,
    a_child,
    a_guardian,
    a_visit,
    handed_in,
    home_of,
)
from service.protected import OFFICER, a_city, blocked, closed, shielded

from visitsync.consent import Instant, read_scenario
from visitsync.errors import BadParameter
from visitsync.service import links, shields
from visitsync.service.closing import Kind
from visitsync.service.context import Context
from visitsync.service.gathering import gather, scenario
from visitsync.service.ids import registration_id
from visitsync.service.shields import Confirmation
from visitsync.store import facts, households, protection

PROGRAMS = {OFFICE: "multiples", SECOND_OFFICE: "household_support", NURSES: "nurturing_support"}
WHO = ("viewer:other", "viewer:helper", f"office:{OFFICE}", f"office:{SECOND_OFFICE}", "agency:npo")
ALLOWED = "role:child_protection_worker@agency:city"
FAMILIES, STEPS = 6, 25


class Model:
    """What must protect each registration, kept beside the service and never asked of it."""

    def __init__(self) -> None:
        self.homes: dict[str, int] = {}
        """By registration, a household of the model."""
        self.flags: dict[int, list[tuple[str, str]]] = {}
        """By household of the model, what protects it: kind and whom it names."""
        self.count = 0

    def placed(self, registration: str, beside: str | None, doubted: set[int]) -> None:
        """Beside another one, or in a household of its own: protected like those it may join."""
        if beside is None:
            self.count += 1
            self.flags[self.count] = [flag for one in doubted for flag in self.flags[one]]
            self.homes[registration] = self.count
        else:
            self.homes[registration] = self.homes[beside]

    def undone(self, registration: str) -> None:
        self.count += 1
        self.flags[self.count] = list(self.flags[self.homes[registration]])
        self.homes[registration] = self.count


async def in_force(context: Context, home: str) -> Counter[tuple[str, str]]:
    """What the rules read as protecting a household now."""
    gathered = await gather(context, OFFICER, [home])
    read = read_scenario(scenario(gathered, OFFICER.id, "protection", home))
    now = Instant.of(gathered.known.now)
    found = [("shield", ",".join(one.allowed)) for one in read.shields.facts() if one.in_force(now)]
    found += [("block", ",".join(one.who)) for one in read.blocks.facts() if one.in_force(now)]
    assert not read.shields.unreadable
    assert not read.blocks.unreadable
    return Counter(found)


async def protections(context: Context, home: str) -> list[tuple[Kind, str, tuple[str, str]]]:
    """Shields and blocks of a household that are open, with what they say."""
    async with context.database.reading() as connection:
        newest = (await facts.of_household(connection, home)).values()
    found: list[tuple[Kind, str, tuple[str, str]]] = []
    for one in newest:
        body = msgspec.json.decode(one.body, type=dict[str, Any])
        if body.get("closed_at") is None and one.kind == "shield":
            found.append(("shield", one.id, ("shield", ",".join(body["allowed"]))))
        if body.get("closed_at") is None and one.kind == "block":
            found.append(("block", one.id, ("block", ",".join(body["who"]))))
    return found


class Town:
    """Families that several offices report one after the other."""

    def __init__(self, context: Context, chance: random.Random) -> None:
        self.context = context
        self.chance = chance
        self.model = Model()
        self.known: dict[int, list[tuple[str, str]]] = {}
        """By family, its registrations: office and case number."""
        self.undone = 0

    def name(self, office: str, case_no: str) -> str:
        return registration_id(self.context.keyring.index, office, case_no, "")

    async def reported(self, family: int) -> None:
        """An office that does not know the family yet hands in a report, and it is linked."""
        there = self.known.setdefault(family, [])
        offices = [one for one in PROGRAMS if one not in {office for office, _ in there}]
        if not offices:
            return
        office = self.chance.choice(offices)
        case_no = f"{office}-{family}"
        born = dt.date(1985, 3, 5) + dt.timedelta(days=31 * family)
        phone = f"000-8524-{4921 + 7 * family}"
        mother = a_guardian(birth_date=born.isoformat(), phone=phone)
        child = a_child(birth_date=born.replace(year=2025).isoformat())
        visit = a_visit(
            family,
            office=office,
            program=PROGRAMS[office],
            case_no=case_no,
            record_id=f"{office}-{family}",
            persons=(mother, child),
        )
        before = {
            await home_of(self.context, number, of): self.name(of, number) for of, number in there
        }
        report = await handed_in(self.context, [visit], office)
        home = await home_of(self.context, case_no, office)
        doubted = (
            {self.model.homes[one] for one in before.values()} if report.linking.review else set()
        )
        self.model.placed(self.name(office, case_no), before.get(home), doubted)
        there.append((office, case_no))

    async def separated(self, family: int) -> None:
        """Somebody undoes a link."""
        if not (there := self.known.get(family)):
            return
        one = self.name(*self._any(there))
        try:
            await links.undo(self.context, OPERATOR, one)
        except BadParameter:
            return  # it stands alone
        self.model.undone(one)
        self.undone += 1

    async def begun(self, family: int, kind: Kind) -> None:
        if not (there := self.known.get(family)):
            return
        office, case_no = self._any(there)
        home = await home_of(self.context, case_no, office)
        if kind == "shield":
            allowed = (ALLOWED, f"viewer:w{self.chance.randrange(3)}")
            await shielded(self.context, home, allowed=allowed)
            flag = ("shield", ",".join(allowed))
        else:
            who = self.chance.choice(WHO)
            await blocked(self.context, home, who)
            flag = ("block", who)
        self.model.flags[self.model.homes[self.name(office, case_no)]].append(flag)

    async def ended(self, family: int) -> None:
        """Two people end one protection, of one household only."""
        if not (there := self.known.get(family)):
            return
        office, case_no = self._any(there)
        found = await protections(self.context, await home_of(self.context, case_no, office))
        if found:
            kind, one, flag = self.chance.choice(sorted(found))
            await closed(self.context, kind, one)
            self.model.flags[self.model.homes[self.name(office, case_no)]].remove(flag)

    def _any(self, there: list[tuple[str, str]]) -> tuple[str, str]:
        return self.chance.choice(there)

    async def checked(self) -> None:
        """Every registration is protected by exactly what the model says."""
        for family in self.known.values():
            for office, case_no in family:
                home = await home_of(self.context, case_no, office)
                wanted = self.model.flags[self.model.homes[self.name(office, case_no)]]
                assert await in_force(self.context, home) == Counter(wanted)


def steps(chance: random.Random) -> Iterator[tuple[str, int]]:
    kinds = ("report", "report", "undo", "shield", "block", "end")
    for _ in range(STEPS):
        yield chance.choice(kinds), chance.randrange(FAMILIES)


@pytest.mark.parametrize("seed", range(3))
async def test_no_flag_is_ever_lost(context: Context, seed: int) -> None:
    await a_city(context)
    chance = random.Random(seed)  # noqa: S311 -- a test's own choice
    town = Town(context, chance)
    for family in range(FAMILIES):
        await town.reported(family)
        await town.reported(family)
    for step, family in steps(chance):
        match step:
            case "report":
                await town.reported(family)
            case "undo":
                await town.separated(family)
            case "shield" | "block":
                await town.begun(family, "shield" if step == "shield" else "block")
            case _:
                await town.ended(family)
        await town.checked()

    assert town.undone, "no link was ever undone: nothing was tried"
    assert any(town.model.flags.values())


async def test_a_new_registration_gets_what_protects_those_it_is_linked_with(
    context: Context,
) -> None:
    """D6: what protects one of them protects all, from the report that links them on."""
    await a_city(context)
    town = Town(context, random.Random(7))  # noqa: S311 -- a test's own choice
    await town.reported(0)
    await town.begun(0, "block")
    await town.begun(0, "block")

    await town.reported(0)
    await town.reported(0)

    homes = {await home_of(context, case_no, office) for office, case_no in town.known[0]}
    assert len(homes) == 1
    await town.checked()


async def test_nothing_joins_a_shielded_household_by_itself(context: Context) -> None:
    """A person looks first; until then what waits is as shielded as what it may belong to."""
    await a_city(context)
    town = Town(context, random.Random(7))  # noqa: S311 -- a test's own choice
    await town.reported(0)
    await town.begun(0, "shield")

    await town.reported(0)

    homes = {await home_of(context, case_no, office) for office, case_no in town.known[0]}
    assert len(homes) == 2
    async with context.database.reading() as connection:
        (question,) = await households.waiting(connection)
    assert question.registration == town.name(*town.known[0][1])
    await town.checked()


async def test_what_was_confirmed_for_the_whole_is_provisional_for_the_half(
    context: Context,
) -> None:
    """Who confirmed it did not look at the half; nothing is less protected for that."""
    await a_city(context)
    town = Town(context, random.Random(7))  # noqa: S311 -- a test's own choice
    await town.reported(0)
    await town.reported(0)
    office, case_no = town.known[0][0]
    shield = await shielded(context, await home_of(context, case_no, office))
    await shields.confirm(context, OFFICER, shield, Confirmation())

    home = await links.undo(context, OPERATOR, town.name(*town.known[0][1]))

    ((_, copy, _),) = await protections(context, home)
    async with context.database.reading() as connection:
        confirmed = await protection.are_confirmed(connection)
    assert confirmed == {shield}
    assert copy != shield
