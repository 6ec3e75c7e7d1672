"""Reviewing emergency accesses: by somebody else, within 72 hours, and counting them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import BadParameter, NotAllowed, NotNow
from visitsync.schema.silent import Struct
from visitsync.schema.visit import JST
from visitsync.service import emergencies as accesses
from visitsync.service import entries, measures
from visitsync.service.affairs import knowing
from visitsync.service.affairs.actors import DECIDERS, OFFICER, beside
from visitsync.service.affairs.refusing import refusing
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.keyring import LOG
from visitsync.service.measures import GRANT
from visitsync.service.writing import change
from visitsync.store import clock, data_keys, emergencies, facts
from visitsync.store.emergencies import Emergency

_COUNTERS: Final = ("auditor", OFFICER)


class ReviewDraft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer finds."""

    outcome: Literal["justified", "unjustified"]
    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Why; kept in the sealed part of the access log and nowhere else."""


class ToReview(Struct, frozen=True, kw_only=True):
    """An access that waits for somebody."""

    id: str
    household: str
    viewer: str
    reason: str
    text: str | None
    """What the viewer wrote; None where it was erased."""
    categories: tuple[str, ...]
    status: Literal["waiting", "open", "overdue"]
    """``waiting``: for a second person before it is granted."""
    asked_at: dt.datetime
    due_at: dt.datetime | None


class Reviews(Struct, frozen=True, kw_only=True):
    """The oldest first."""

    reviews: tuple[ToReview, ...]


class EmergencyCount(Struct, frozen=True, kw_only=True, order=True):
    """How many accesses are alike."""

    month: str
    """``YYYY-MM``, in which it was asked for."""
    agency: str
    office: str
    """Of the viewer; empty where they are of no office."""
    reason: str
    outcome: str
    """``waiting``, ``open``, ``justified``, ``unjustified``."""
    count: int


class EmergencyStatistics(Struct, frozen=True, kw_only=True):
    """Counts by month, agency, office, reason and outcome."""

    counts: tuple[EmergencyCount, ...]


async def review(
    context: Context, caller: Caller, one: str, draft: ReviewDraft
) -> measures.RecordedMeasure:
    """Say whether an access was justified; where it was not, it ends at once.

    Raises:
        UnknownHousehold: no such access, or none for the caller.
        NotNow: it was reviewed already, or never granted.
        NotAllowed: it is the caller's own, or they approved it or opened the address for it, or do
            not review.
    """
    caller.must("record")
    if not draft.text.strip():
        raise BadParameter("says nothing", where="text")
    async with refusing(context, caller, "review", one), change(context, caller) as made:
        row, _ = await accesses.decided_by(context, made, caller, one)
        if row.outcome is not None or row.granted_at is None:
            where = "not_granted" if row.outcome is None else "reviewed"
            raise NotNow("There is nothing to review", where=where)
        grant = (await facts.newest(made.connection, GRANT, [one]))[one]
        body = msgspec.json.decode(grant.body, type=measures.Body)
        if caller.id == body["confirmed_by"]:
            raise NotAllowed("Somebody else than who opened the address must review it")
        body["review"] = draft.outcome
        fact = await measures.add(made, measures.later(grant), body)
        await emergencies.update(
            made.connection,
            one,
            outcome=draft.outcome,
            reviewed_by=caller.id,
            reviewed_at=made.at,
        )
        await made.log(
            caller,
            "break_glass_reviewed",
            household=row.household,
            private={"household": row.household, "text": draft.text},
            public={"basis": f"{one}@{fact.version}", "decision": draft.outcome},
        )
    return measures.recorded(fact)


async def waiting(context: Context, caller: Caller) -> Reviews:
    """Accesses that wait for a review or an approval by somebody like the caller.

    Raises:
        NotAllowed: the caller is neither supervisor nor protection officer.
    """
    caller.must("record")
    async with change(context, caller) as made:
        found = await beside(context, made.connection, caller, "", DECIDERS)
        await accesses.escalate(made)
        hidden = await knowing.hidden_from(made.connection, caller.id)
        rows = [
            one
            for one in await emergencies.open_ones(made.connection)
            if accesses.may_decide(found, one)
            and not accesses.has_lapsed(one, made.at)
            and one.household not in hidden
            and caller.id not in {one.viewer, one.approved_by}
        ]
        texts = await _texts(context, made.connection, rows)
        await made.log(
            caller,
            "list_read",
            private={"asked": "reviews", "grants": [one.id for one in rows]},
            public={"records": len(rows), "decision": "shown"},
        )
        now = made.at
    return Reviews(reviews=tuple(_to_review(one, texts.get(one.id), now) for one in rows))


async def _texts(
    context: Context, connection: AsyncConnection, rows: Sequence[Emergency]
) -> Mapping[str, str]:
    """What was written when they were asked for, by id; it stands in the access log alone."""
    homes = {one.household for one in rows}
    keys = context.keyring.opened(await data_keys.of_households(connection, list(homes)))
    found = {}
    for row in await emergencies.log_entries(connection, homes):
        key = keys.get((row.household or "", "", LOG))
        if row.private is None or key is None:
            continue
        text = entries.open_private(context.keyring, key, row).get("text")
        if text is not None:
            found[str(msgspec.json.decode(row.leaf)["basis"])] = str(text)
    return found


def _to_review(one: Emergency, text: str | None, now: int) -> ToReview:
    status: Literal["waiting", "open", "overdue"] = "overdue" if one.is_overdue(now) else "open"
    return ToReview(
        id=one.id,
        household=one.household,
        viewer=one.viewer,
        reason=one.reason,
        text=text,
        categories=tuple(one.categories.split()),
        status="waiting" if one.granted_at is None else status,
        asked_at=clock.instant(one.asked_at),
        due_at=None if one.due_at is None else clock.instant(one.due_at),
    )


async def statistics(context: Context, caller: Caller) -> EmergencyStatistics:
    """How many accesses there were, by month, agency, office, reason and outcome.

    Raises:
        NotAllowed: the caller is neither auditor nor protection officer.
    """
    caller.must("audit")
    async with change(context, caller) as made:
        await beside(context, made.connection, caller, "", _COUNTERS)
        counted = Counter(_alike(one) for one in await emergencies.every(made.connection))
        await made.log(
            caller,
            "list_read",
            private={"asked": "break-glass statistics"},
            public={"records": len(counted), "decision": "shown", "purpose": "statistics"},
        )
    return EmergencyStatistics(
        counts=tuple(
            EmergencyCount(
                month=month, agency=agency, office=office, reason=reason, outcome=outcome, count=n
            )
            for (month, agency, office, reason, outcome), n in sorted(counted.items())
        )
    )


def _alike(one: Emergency) -> tuple[str, str, str, str, str]:
    month = clock.instant(one.asked_at).astimezone(JST).strftime("%Y-%m")
    outcome = one.outcome or ("waiting" if one.granted_at is None else "open")
    return month, one.agency, one.office or "", one.reason, outcome
