"""D6 and D7: whatever is handed in, linked, undone, begun and ended, no protection is ever lost.

The same as ``test_d7_carried.py``, through the service and both databases.
"""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
import pytest
from build import (
    LABELS,
    NURSES,
    OFFICE,
    OPERATOR,
    SECOND_OFFICE,
    a_child,
    a_guardian,
    a_visit,
    consented,
    handed_in,
    home_of,
)
from reference.protection_reference import Flag, Reference
from service.protected import OFFICER, a_city, blocked, closed, logged, shielded

from visitsync.consent import Instant, read_scenario
from visitsync.errors import BadParameter
from visitsync.service import closing, directives, directory, links, shields
from visitsync.service.context import Context
from visitsync.service.directory import Wanted
from visitsync.service.gathering import gather, scenario
from visitsync.service.ids import registration_id
from visitsync.service.shields import Confirmation
from visitsync.store import facts, households, protection

PROGRAMS: Final = {
    OFFICE: "multiples",
    SECOND_OFFICE: "household_support",
    NURSES: "nurturing_support",
}
WHO: Final = ("viewer:other", "viewer:helper", f"office:{OFFICE}", "agency:npo")
FAMILIES, STEPS = 4, 25
UTC = dt.UTC


async def standing(context: Context, home: str) -> dict[str, tuple[Flag, str]]:
    """What the rules read as protecting a household now, by id: its name and how it is stored.

    A protection's name is the instant from which it is, which is another one for each.
    """
    gathered = await gather(context, OFFICER, [home])
    read = read_scenario(scenario(gathered, OFFICER.id, "protection", home))
    assert not read.unreadable
    now = Instant.of(gathered.known.now)
    ids = {one.id for one in read.shields.facts() if one.in_force(now)}
    ids |= {one.id for one in read.blocks.facts() if one.in_force(now)}
    ids |= {one.id for one in read.directives.facts() if one.withdrawn_at is None}
    async with context.database.reading() as connection:
        newest = (await facts.of_household(connection, home)).values()
    bodies = {one: msgspec.json.decode(one.body, type=dict[str, Any]) for one in newest}
    return {
        fact.id: (Flag(fact.kind, body.get("grantor") or body["from"]), fact.kind)
        for fact, body in bodies.items()
        if fact.id in ids
    }


class Town:
    """Families that several offices report one after the other."""

    def __init__(self, context: Context, chance: random.Random, first: int = 0) -> None:
        self.context = context
        self.chance = chance
        self.model = Reference()
        self.known: dict[int, list[tuple[str, str]]] = {
            first + family: [] for family in range(FAMILIES)
        }
        """By family, its registrations: office and case number."""
        self.flags: dict[int, set[Flag]] = {family: set() for family in self.known}
        self.doubted: set[int] = set()
        self.count = 0
        self.taken: set[str] = set()

    def name(self, office: str, case_no: str) -> str:
        return registration_id(self.context.keyring.ids, office, case_no, "")

    async def home(self, one: tuple[str, str]) -> str:
        return await home_of(self.context, one[1], one[0])

    async def reported(self, family: int) -> bool:
        """An office reports the family under a new number: known to it, or of another program."""
        there = self.known[family]
        office = self.chance.choice(list(PROGRAMS))
        one = (office, f"{office}-{family}-{len(there)}")
        born = dt.date(1960, 3, 5) + dt.timedelta(days=37 * family % 16_000)
        mother = a_guardian(
            birth_date=born.isoformat(), phone=f"000-{1000 + family // 1000}-{1000 + family % 1000}"
        )
        child_born = dt.date(2008, 1, 1) + dt.timedelta(days=3 * family % 6_000)
        child = a_child(birth_date=child_born.isoformat())
        visit = a_visit(
            family % 180,
            office=office,
            program=PROGRAMS[office],
            case_no=one[1],
            record_id=one[1],
            persons=(mother, child),
        )
        homes = {other: await self.home(other) for other in there}
        report = await handed_in(self.context, [visit], office)
        home = await self.home(one)
        beside = next((self.name(*other) for other in there if homes[other] == home), None)
        perhaps: list[str] = []
        if report.linking.review:
            async with self.context.database.reading() as connection:
                waiting = await households.waiting(connection)
            (question,) = (each for each in waiting if each.registration == self.name(*one))
            near = msgspec.json.decode(question.candidates, type=set[str])
            perhaps = [self.name(*other) for other in there if homes[other] in near]
            self.doubted.add(family)
        self.model.arrives(self.name(*one), beside, perhaps)
        there.append(one)
        return True

    async def separated(self, family: int) -> bool:
        """Somebody undoes a link."""
        one = self._any(family)
        try:
            await links.undo(self.context, OPERATOR, self.name(*one))
        except BadParameter:
            return False  # it stands alone
        self.model.leaves(self.name(*one))
        return True

    async def shield_begun(self, family: int) -> bool:
        start = self._instant()
        await shielded(self.context, await self.home(one := self._any(family)), from_=start)
        return self._begun(family, one, Flag("shield", start.isoformat()))

    async def block_begun(self, family: int) -> bool:
        start = self._instant()
        home = await self.home(one := self._any(family))
        await blocked(self.context, home, self.chance.choice(WHO), from_=start)
        return self._begun(family, one, Flag("block", start.isoformat()))

    async def refused(self, family: int) -> bool:
        """The family refuses everything."""
        grantor = f"p{self._instant().microsecond}"
        everything = dict.fromkeys(("sources", "recipients", "purposes", "categories"), "*")
        home = await self.home(one := self._any(family))
        await consented(self.context, home, effect="deny", grantor=grantor, **everything)
        return self._begun(family, one, Flag("directive", grantor))

    async def ended(self, family: int) -> bool:
        """Two people end one protection, or its grantor takes it back: of one household only."""
        one = self._any(family)
        found = await standing(self.context, await self.home(one))
        if not found:
            return False
        flag = self.chance.choice(sorted(flag for flag, _ in found.values()))
        for each, (other, kind) in found.items():
            if other == flag and kind == "directive":
                await directives.withdraw(self.context, OPERATOR, each)
            elif other == flag:
                await closed(self.context, "shield" if kind == "shield" else "block", each)
        self.model.ends(self.name(*one), flag)
        return True

    async def extended(self, family: int) -> bool:
        """A shield's date is put off, and somebody asks in vain to end it."""
        found = await standing(self.context, await self.home(self._any(family)))
        mine = [one for one, (_, kind) in found.items() if kind == "shield"]
        if not mine:
            return False
        until = dt.datetime.now(UTC) + dt.timedelta(days=self.chance.randint(30, 300))
        await shields.confirm(self.context, OFFICER, mine[0], Confirmation(until=until))
        await closing.ask(self.context, OFFICER, "shield", mine[0])
        async with self.context.database.writing() as connection:
            await protection.withdraw_closing(connection, "shield", mine[0])
        return True

    async def handed_over(self, _: int) -> bool:
        """Another worker takes the caseload, an office's contract ends: the directory anew."""
        known = await directory.current(self.context)
        swapped = {"worker": ("H2",), "other": ("H1",)} if self.chance.random() < 0.5 else {}
        staff = tuple(
            msgspec.structs.replace(one, caseload=swapped.get(one.id, one.caseload))
            for one in known.staff
        )
        ends = dt.date(2040, 3, self.chance.randint(1, 31))
        office = tuple(
            msgspec.structs.replace(one, contract_to=ends) if one.id == NURSES else one
            for one in known.office
        )
        changed = msgspec.structs.replace(known, staff=staff, office=office)
        await directory.apply(self.context, OPERATOR, Wanted(directory=changed, households=LABELS))
        return True

    def _begun(self, family: int, one: tuple[str, str], flag: Flag) -> bool:
        self.flags[family].add(flag)
        self.model.begins(self.name(*one), flag)
        return True

    def _any(self, family: int) -> tuple[str, str]:
        return self.chance.choice(self.known[family])

    def _instant(self) -> dt.datetime:
        self.count += 1
        return dt.datetime(2026, 1, 1, tzinfo=UTC) + dt.timedelta(microseconds=self.count)

    async def checked(self) -> None:
        """Every registration has what the model says, and nothing that none of its family had."""
        for family, there in self.known.items():
            for one in there:
                found = await standing(self.context, await self.home(one))
                flags = {flag for flag, _ in found.values()}
                wanted = self.model.protecting(self.name(*one))
                assert wanted <= flags <= self.flags[family]
                if family not in self.doubted:
                    assert flags == wanted

    async def run(self) -> None:
        for family in self.known:
            await self.reported(family)
            await self.reported(family)
        for _ in range(STEPS):
            family = self.chance.choice(list(self.known))
            step = self.chance.choice(_STEPS)
            if await step(self, family):
                self.taken.add(step.__name__)
            await self.checked()


_STEPS: Final[tuple[Callable[[Town, int], Awaitable[bool]], ...]] = (
    *(Town.reported, Town.reported, Town.separated, Town.separated, Town.handed_over),
    *(Town.shield_begun, Town.shield_begun, Town.block_begun, Town.refused),
    *(Town.ended, Town.extended),
)


async def a_town(context: Context, seed: int = 7, first: int = 0) -> Town:
    return Town(context, random.Random(seed), first)  # noqa: S311 -- a test's own choice


@pytest.mark.long
async def test_d7_no_protection_is_lost_in_the_database(context: Context, engine: str) -> None:
    """As many sequences as `HAND_OVERS_STORED` says, on PostgreSQL a fifth of them."""
    await a_city(context)
    sequences = int(os.environ.get("HAND_OVERS_STORED", "1"))
    taken: set[str] = set()
    doubted = 0
    for seed in range(sequences if engine == "sqlite" else max(1, sequences // 5)):
        town = await a_town(context, seed, seed * FAMILIES)
        await town.run()
        taken |= town.taken
        doubted += len(town.doubted)
    assert doubted
    if sequences > 20:
        assert taken == {one.__name__ for one in _STEPS}


async def test_d6_a_new_registration_gets_what_protects_those_it_is_linked_with(
    context: Context,
) -> None:
    """What protects one of them protects all, from the report that links them on."""
    await a_city(context)
    town = await a_town(context)
    await town.reported(0)
    await town.block_begun(0)
    await town.block_begun(0)

    await town.reported(0)
    await town.reported(0)

    assert len({await town.home(one) for one in town.known[0]}) == 1
    assert len(town.model.protecting(town.name(*town.known[0][-1]))) == 2
    await town.checked()


async def test_d6_nothing_joins_a_shielded_household_by_itself(context: Context) -> None:
    """A person looks first; until then what waits is as shielded as what it may belong to."""
    await a_city(context)
    town = await a_town(context)
    await town.reported(0)
    await town.shield_begun(0)

    await town.reported(0)

    assert len({await town.home(one) for one in town.known[0]}) == 2
    async with context.database.reading() as connection:
        (question,) = await households.waiting(connection)
    assert question.registration == town.name(*town.known[0][1])
    await town.checked()


@pytest.mark.parametrize("kind", ["shield", "block"])
async def test_d6_what_is_begun_later_reaches_what_still_waits(context: Context, kind: str) -> None:
    """Also over two doubts, and for a half of what it may belong to; each is logged by itself."""
    await a_city(context)
    town = await a_town(context)
    await town.reported(0)
    await town.reported(0)
    first, second = town.known[0]
    await town.shield_begun(0)
    await town.reported(0)
    await town.reported(0)
    third, fourth = town.known[0][2:]
    assert len({await town.home(one) for one in (first, third, fourth)}) == 3
    await links.undo(context, OPERATOR, town.name(*second))
    before = len(await logged(context, f"{kind}_recorded"))

    start = dt.datetime(2026, 2, 1, tzinfo=UTC)
    half = await town.home(second)
    if kind == "shield":
        await shielded(context, half, from_=start)
    else:
        await blocked(context, half, "viewer:worker", from_=start)

    flag = Flag(kind, start.isoformat())
    for one, reached in ((first, False), (second, True), (third, True), (fourth, True)):
        found = await standing(context, await town.home(one))
        assert (flag in {each for each, _ in found.values()}) == reached
    assert len(await logged(context, f"{kind}_recorded")) == before + 3


async def test_d6_what_waits_beside_a_report_of_the_same_submission_is_as_protected(
    context: Context,
) -> None:
    """The second may belong to the first only, which is new too and has nothing to copy yet."""
    await a_city(context)
    await handed_in(context, [a_visit(1)])
    home = await home_of(context)
    await shielded(context, home)
    number = "000-7777-1234"
    father = a_guardian(
        name="試験　一郎", kana="シケン　イチロウ", birth_date="1990-01-01", phone=number
    )
    other = a_guardian(name="別家　健", kana="ベッケ　ケン", birth_date="1980-02-02", phone=number)
    both = [
        a_visit(2, case_no="F-2", persons=(a_guardian(), a_child(), father)),
        a_visit(3, case_no="F-3", persons=(other,)),
    ]
    assert (await handed_in(context, both)).linking.review == 2

    homes = {await home_of(context, case_no) for case_no in ("F-2", "F-3")}
    assert len(homes | {home}) == 3
    for one in homes:
        assert await standing(context, one)


async def test_d7_what_was_confirmed_for_the_whole_is_provisional_for_the_half(
    context: Context,
) -> None:
    """Who confirmed it did not look at the half; nothing is less protected for that."""
    await a_city(context)
    town = await a_town(context)
    await town.reported(0)
    await town.reported(0)
    shield = await shielded(context, await town.home(town.known[0][0]))
    await shields.confirm(context, OFFICER, shield, Confirmation())

    home = await links.undo(context, OPERATOR, town.name(*town.known[0][1]))

    (copy,) = await standing(context, home)
    async with context.database.reading() as connection:
        confirmed = await protection.are_confirmed(connection)
    assert confirmed == {shield}
    assert copy != shield
