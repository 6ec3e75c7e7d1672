"""Seeing: one household's timeline as one viewer may see it for one purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from visitsync.consent import Released, release
from visitsync.errors import BadParameter, DatabaseUnavailable, NotAllowed, UnknownHousehold
from visitsync.schema.attendance import Attendance, attendance_of
from visitsync.schema.silent import silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import entries
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.gathering import Gathered, Judged, gather_one, judged
from visitsync.service.ids import is_household
from visitsync.service.keyring import LOG, RECORDS, VisitPlace, held
from visitsync.service.registry import Office
from visitsync.service.views import EVERYTHING, Earlier, Masked, Page, Shown, View
from visitsync.store import clock, epochs
from visitsync.store.visits import Stored
from visitsync.timeline import Entry, Gap, Reported, Timeline, merge

TRIES: Final = 4
"""How often a look is decided again because a fact changed meanwhile."""
_MOST: Final = 1_000
_UNKNOWN: Final = "unknown"
"""Instead of what cannot be a household: it goes the same way and gets the same answer."""


async def view(  # noqa: PLR0913 -- who, of whom, what for, which part, through what
    context: Context,
    caller: Caller,
    household: str,
    purpose: str,
    page: Page = EVERYTHING,
    *,
    acknowledged: bool = False,
) -> View:
    """What `caller` may see of `household` for `purpose`; logged before it is answered.

    Args:
        context: of the installation.
        caller: who looks.
        household: which.
        purpose: what for.
        page: which part of it.
        acknowledged: whether the client heeds the flag that a household is protected; without it
            nothing that tells where a protected family is leaves, whoever looks.

    Raises:
        UnknownHousehold: no such household, or nothing of it is for this viewer and purpose.
        BadParameter: an unknown purpose, limit or cursor.
        NotAllowed: the token does not read households.
        DatabaseUnavailable: it could not be logged, so it is not answered.
        Tampered: a stored record is not what was written.
    """
    refuse_unless_viewer(caller, purpose)
    if not 1 <= page.limit <= _MOST:
        raise BadParameter(f"must lie between 1 and {_MOST}", where="limit")
    household = household if is_household(household) else _UNKNOWN
    for _ in range(TRIES):
        gathered = await gather_one(context, caller, household, purpose)
        look = decided(context, gathered, caller, household, purpose, acknowledged=acknowledged)
        if await context.log.look(look.draft, gathered.known.epochs):
            return answered(look, gathered, household, purpose, page)
    raise DatabaseUnavailable("The facts kept changing; ask again")


def refuse_unless_viewer(caller: Caller, purpose: str) -> None:
    """Go on only for a member of staff with a purpose that there is.

    Raises:
        NotAllowed, BadParameter: otherwise.
    """
    caller.must("read")
    refuse_unless_staff(caller, purpose)


def refuse_unless_staff(caller: Caller, purpose: str) -> None:
    """The same, whatever the token is good for.

    Raises:
        NotAllowed, BadParameter: otherwise.
    """
    if caller.kind != "staff":
        raise NotAllowed("Households are shown to members of staff, each under their own name")
    if purpose not in VOCABULARY.purposes:
        raise BadParameter("is no purpose of the vocabulary", where="purpose")


@silent
class Look(NamedTuple):
    """A decided look, ready to be logged."""

    asked: Judged
    timeline: Timeline
    draft: entries.Draft


def decided(  # noqa: PLR0913 -- who, of whom, what for, through what
    context: Context,
    gathered: Gathered,
    caller: Caller,
    household: str,
    purpose: str,
    *,
    acknowledged: bool = False,
) -> Look:
    """Decide, open what may be shown, and write down what for; nothing is answered yet."""
    asked = judged(gathered, caller.id, purpose, household, acknowledged=acknowledged)
    answers = asked.decisions
    shown = {one.record for one in answers if one.outcome == "shown"}
    reported = [reported_of(context, gathered, one) for one in gathered.visits if one.id in shown]
    masked = sum(one.outcome == "masked" for one in answers)
    reasons = {one.reasons for one in answers if one.record in shown}
    bases = sorted({_basis(why.rule, why.ref) for each in reasons for why in each
                    if why.effect == "show"})  # fmt: skip
    outcome = "shown" if shown else "masked" if masked else "refused"
    key = gathered.keys.get((household, "", LOG))
    draft = entries.draft(
        context.keyring,
        caller,
        "timeline_read" if outcome != "refused" else "denied",
        held(gathered.keys, ("", "", LOG)) if key is None else key,
        household=None if key is None else household,
        private={
            "household": household,
            "categories": sorted({each for one in answers for each in one.visible}),
            "records": sorted(str(one) for one in shown),
            "masked": masked,
            "protected": asked.protected,
            "reasons": bases,
        },
        public={
            "basis": entries.joined(bases),
            "decision": outcome,
            "epoch": gathered.known.epochs[epochs.of_household(household)],
            "purpose": purpose,
            "records": len(shown),
            "rule": entries.RULES,
        },
    )
    return Look(asked, merge(reported), draft)


def _basis(rule: str, ref: str) -> str:
    return f"{rule}:{ref}".replace(" ", "_")


def reported_of(context: Context, gathered: Gathered, one: Stored) -> Reported:
    """A stored revision, opened.

    Raises:
        Tampered: it is not what was written.
    """
    key = held(gathered.keys, (one.household, one.program, RECORDS))
    place = VisitPlace(one.household, one.program, one.id, one.revision)
    line = context.keyring.open_visit(key, place, one.sealed, one.key_version)
    return Reported(
        record=one.id,
        revision=one.revision,
        recorded_at=clock.instant(one.recorded_at),
        visit=attendance_of(line),
        line=line,
    )


def answered(look: Look, gathered: Gathered, household: str, purpose: str, page: Page) -> View:
    """What is answered once the look is logged."""
    if not look.timeline.entries and all(one.outcome == "hidden" for one in look.asked.decisions):
        raise UnknownHousehold("No such household, or none for you")
    wanted = [one for one in look.timeline.entries if _is_wanted(one.current.visit, page)]
    chosen, cursor = _paged(wanted, page)
    on_page = {one.record for one in chosen}
    released = release(
        [one for one in look.asked.decisions if one.outcome != "shown" or one.record in on_page],
        # All of them: a page alone may not say where the family lives.
        {one.record: one.current.line for one in look.timeline.entries},
    )
    return View(
        household=household,
        purpose=purpose,
        protected=look.asked.protected,
        at=clock.instant(gathered.known.now),
        entries=_shown(chosen, released, gathered.offices),
        gaps=tuple(one for one in look.timeline.gaps if _gap_is_wanted(one, page)),
        masked=tuple(_masked(one, gathered.offices) for one in released.masked),
        cursor=cursor,
        total=len(wanted),
    )


def _is_wanted(visit: Attendance, page: Page) -> bool:
    return (
        (page.start is None or visit.date >= page.start)
        and (page.until is None or visit.date <= page.until)
        and (not page.programs or visit.program in page.programs)
    )


def _gap_is_wanted(gap: Gap, page: Page) -> bool:
    return (
        (page.start is None or gap.before >= page.start)
        and (page.until is None or gap.after <= page.until)
        and (not page.programs or gap.program in page.programs)
    )


def _paged(wanted: Sequence[Entry], page: Page) -> tuple[Sequence[Entry], str | None]:
    start = 0
    if page.cursor is not None:
        places = {one.record: place for place, one in enumerate(wanted, 1)}
        if page.cursor not in places:
            raise BadParameter("does not follow any page of these; begin again", where="cursor")
        start = places[page.cursor]
    chosen = wanted[start : start + page.limit]
    more = start + page.limit < len(wanted)
    return chosen, chosen[-1].record if more else None


def _shown(
    chosen: Sequence[Entry], released: Released, offices: Mapping[str, Office]
) -> tuple[Shown, ...]:
    by_record = {one.record: one for one in released.shown}
    made = []
    for entry in chosen:
        out = by_record[entry.record]
        known = offices.get(out.office or "")
        made.append(
            Shown(
                record=entry.record,
                revision=entry.current.revision,
                recorded_at=entry.current.recorded_at,
                line=out.line,
                why=out.why,
                marks=entry.marks,
                earlier=tuple(
                    Earlier(
                        revision=one.revision,
                        state=one.visit.source.state,
                        recorded_at=one.recorded_at,
                    )
                    for one in entry.earlier
                ),
                office_name=None if known is None else known.name,
            )
        )
    return tuple(made)


def _masked(office: str, offices: Mapping[str, Office]) -> Masked:
    known = offices[office]
    return Masked(office=office, name=known.name, agency=known.agency_name, program=known.program)
