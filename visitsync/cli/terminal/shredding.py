"""What ``visitsync keys shred`` does: one step of a household's erasure."""

from __future__ import annotations

from typing import Literal, TypeAlias

from visitsync.cli.installation import at_hand
from visitsync.cli.terminal.deciders import second_person
from visitsync.service import erasures, executing
from visitsync.service.erasures import ErasureDraft, ErasureStanding
from visitsync.service.key_state import KeyState, state_of, waiting_for

Step: TypeAlias = Literal["ask", "approve", "withdraw"]


async def step(household: str, what: Step, ground: str, reason: str) -> ErasureStanding:
    """Take a step; answers where the erasure stands then."""
    async with at_hand.opened() as context:
        if what == "ask":
            draft = ErasureDraft(ground=ground, reason=reason)
            return await erasures.ask(context, at_hand.operator(), household, draft)
        one = await waiting_for(context, at_hand.operator(), household)
        if what == "approve":
            return await erasures.decide(context, await second_person(context), one)
        return await erasures.withdraw(context, at_hand.operator(), one)


async def state(household: str) -> KeyState:
    """How the keys of a household stand."""
    async with at_hand.opened() as context:
        return await state_of(context, at_hand.operator(), household)


async def certificate(one: str) -> str:
    """The certificate of an erasure that was executed."""
    async with at_hand.opened() as context:
        return await executing.certificate(context, at_hand.operator(), one)
