"""The job of retention: nothing early, nothing that is held, nothing that is not known."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Final

import msgspec
import pytest
from build import OFFICE, OPERATOR, a_child, a_guardian, a_visit, applied, handed_in, home_of
from service.erased import openable

from visitsync.errors import NotAllowed, RetentionError
from visitsync.service import executing, holds, retention
from visitsync.service.caller import Caller
from visitsync.service.context import Context, open_context
from visitsync.service.holds import HoldDraft
from visitsync.settings import Settings
from visitsync.store import clock

SECOND: Final = Caller.operator("custodian")
RULES: Final = """
[[records]]
programs = ["multiples"]
from = 2020-04-01
years = 5
counted_from = "last_visit"
{more}
source = "filing rules"
[log]
years = 7
source = "filing rules"
[[ground]]
id = "retention_ended"
announce_days = 30
log = "by_rule"
ja = "満了"
en = "ended"
"""
FIRST: Final = dt.date(2026, 4, 2)


def at(day: dt.date) -> int:
    return clock.stored(dt.datetime.combine(day, dt.time(12), dt.UTC))


@pytest.fixture
def ruled(settings: Settings, tmp_path: Path) -> Settings:
    file = tmp_path / "retention.toml"
    file.write_text(RULES.format(more=""), encoding="utf-8")
    return msgspec.structs.replace(settings, retention_rules=file)


async def a_family(context: Context, case_no: str, day: dt.date, *born: str) -> str:
    number = int(case_no.removeprefix("C-"))
    name = f"架空　{chr(0x4E00 + number)}"
    persons = [a_guardian(name=name, kana=None, birth_date=None, phone=None)]
    persons += [
        a_child(name=f"{name}{place}", kana=None, birth_date=one) for place, one in enumerate(born)
    ]
    visit = a_visit(
        number, record_id=f"r-{number}", case_no=case_no, date=day, persons=tuple(persons)
    )
    await handed_in(context, [visit])
    return await home_of(context, case_no)


async def test_plus_n_years_what_is_due_goes_nothing_early_and_nothing_held(
    ruled: Settings,
) -> None:
    """Six households, a day apart; one of the four that are due is held."""
    async with open_context(ruled) as context:
        await applied(context)
        homes = [
            await a_family(context, f"C-{one}", FIRST + dt.timedelta(days=one)) for one in range(6)
        ]
        held = await holds.place(context, OPERATOR, homes[1], HoldDraft(reason="an inquiry"))
        due_of_the_first = dt.date(2031, 4, 3)
        assert (await retention.due(context, OPERATOR, now=at(FIRST))).due == ()
        early = await retention.due(
            context, OPERATOR, now=at(due_of_the_first - dt.timedelta(days=1))
        )
        assert (early.due, early.later, early.unknown) == ((), 6, 0)
        then = at(due_of_the_first + dt.timedelta(days=3))
        found = await retention.due(context, OPERATOR, now=then)
        assert [(one.household, one.held) for one in found.due] == [
            (homes[0], False),
            (homes[1], True),
            (homes[2], False),
            (homes[3], False),
        ]
        assert found.due[0].since == due_of_the_first

        assert await retention.announce(context, OPERATOR, now=then) == 3
        assert await retention.announce(context, OPERATOR, now=then) == 0
        assert (await retention.confirm(context, OPERATOR)).own == 3
        assert (await retention.confirm(context, SECOND)).announced == 3
        assert await executing.run(context, OPERATOR) == []  # 30 days have not passed
        # Somebody visits one of them again: its period begins anew.
        await handed_in(
            context,
            [a_visit(90, case_no="C-2", record_id="again", date=dt.date(2028, 1, 1), persons=())],
        )
        done = await executing.run(context, OPERATOR, now=then)
        assert {(one.household, one.outcome) for one in done} == {
            (homes[0], "erased"),
            (homes[2], "not_due"),
            (homes[3], "erased"),
        }
        assert await openable(context, homes) == {homes[1], homes[2], homes[4], homes[5]}
        assert held.lifted_at is None


async def test_what_is_not_known_keeps_a_household(ruled: Settings) -> None:
    assert ruled.retention_rules is not None
    ruled.retention_rules.write_text(RULES.format(more="until_child_is = 25"), encoding="utf-8")
    async with open_context(ruled) as context:
        await applied(context)
        await a_family(context, "C-1", FIRST)
        await a_family(context, "C-2", FIRST, "2024-05-06", "2024")
        known = await a_family(context, "C-3", FIRST, "2021-05-06", "2024-05-06")
        late = at(dt.date(2049, 5, 7))
        found = await retention.due(context, OPERATOR, now=late)
        assert [one.household for one in found.due] == [known]
        assert found.unknown == 2
        before = await retention.due(context, OPERATOR, now=late - 86_400_000_000)
        assert (before.due, before.later) == ((), 1)


async def test_the_shipped_rules_let_nothing_go(context: Context) -> None:
    await applied(context)
    await a_family(context, "C-1", FIRST)
    found = await retention.due(context, OPERATOR, now=at(dt.date(2090, 1, 1)))
    assert (found.due, found.unknown) == ((), 1)


async def test_only_operators_run_it_and_a_damaged_file_of_rules_stops_it(
    ruled: Settings,
) -> None:
    office = Caller(kind="office", id=OFFICE, scopes=frozenset({"submit"}))
    async with open_context(ruled) as context:
        for job in (
            retention.due(context, office),
            retention.announce(context, office),
            retention.confirm(context, office),
            executing.run(context, office),
        ):
            with pytest.raises(NotAllowed):
                await job
        assert ruled.retention_rules is not None
        ruled.retention_rules.write_text("years = 0", encoding="utf-8")
        with pytest.raises(RetentionError):
            await retention.due(context, OPERATOR)
        ruled.retention_rules.unlink()
        with pytest.raises(RetentionError):
            await retention.due(context, OPERATOR)
