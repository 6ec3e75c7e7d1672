"""A withdrawal is acknowledged when no answer from before it can still be on its way."""

from __future__ import annotations

import asyncio

import pytest
from build import CARE, OPERATOR, WORKER, a_visit, applied, consented, handed_in, home_of

from visitsync.errors import UnknownHousehold
from visitsync.service import directives, leaving
from visitsync.service.context import Context
from visitsync.service.timelines import view
from visitsync.store import looks

REFUSAL = {
    "effect": "deny",
    "sources": "*",
    "recipients": "*",
    "purposes": "*",
    "categories": "*",
}
WITHIN = 0.4
FOR_EVER = 3600.0


async def a_home(context: Context) -> str:
    await applied(context)
    await handed_in(context, [a_visit(1)])
    return await home_of(context)


async def last(context: Context, household: str) -> int | None:
    async with context.database.reading() as connection:
        return await looks.last_at(connection, household)


async def test_a_withdrawal_waits_for_the_last_look(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_home(context)
    consent = await consented(context, home)
    monkeypatch.setattr(leaving, "SECONDS", WITHIN)
    clock = asyncio.get_running_loop().time
    looked = clock()
    await view(context, WORKER, home, CARE)

    await directives.withdraw(context, OPERATOR, consent.id)

    assert clock() - looked >= WITHIN


async def test_so_does_a_refusal(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    home = await a_home(context)
    await consented(context, home)
    monkeypatch.setattr(leaving, "SECONDS", WITHIN)
    clock = asyncio.get_running_loop().time
    looked = clock()
    await view(context, WORKER, home, CARE)

    await consented(context, home, **REFUSAL)

    assert clock() - looked >= WITHIN


async def test_it_holds_before_it_is_acknowledged(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks while the family waits for the receipt is shown nothing any more."""
    home = await a_home(context)
    consent = await consented(context, home)
    await view(context, WORKER, home, CARE)
    monkeypatch.setattr(leaving, "SECONDS", FOR_EVER)
    withdrawing = asyncio.create_task(directives.withdraw(context, OPERATOR, consent.id))
    try:
        async with asyncio.timeout(20):
            while True:
                async with context.database.reading() as connection:
                    found = await directives.find(connection, consent.id)
                if found.body["withdrawn_at"] is not None:
                    break
                await asyncio.sleep(0.01)
        with pytest.raises(UnknownHousehold):
            await view(context, WORKER, home, CARE)
        assert not withdrawing.done()
    finally:
        withdrawing.cancel()


async def test_looks_at_other_households_do_not_count(context: Context) -> None:
    home = await a_home(context)
    assert await last(context, home) is None
    await consented(context, home)
    recorded = await last(context, home)
    assert recorded is not None
    await view(context, WORKER, home, CARE)
    looked = await last(context, home)
    assert looked is not None
    assert looked >= recorded
    assert await last(context, "h" + "a" * 26) is None


@pytest.mark.parametrize(
    ("ago", "waits"),
    [(0, leaving.SECONDS), (500_000, leaving.SECONDS - 0.5), (1_500_000, 0.0), (10**9, 0.0),
     (-10**9, leaving.SECONDS)],
)  # fmt: skip
async def test_how_long(ago: int, waits: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that was set back makes nobody wait longer."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("visitsync.service.leaving.asyncio.sleep", sleep)
    await leaving.drained(10**15 - ago, 10**15)
    await leaving.drained(None, 10**15)
    assert waited == [pytest.approx(waits)]
