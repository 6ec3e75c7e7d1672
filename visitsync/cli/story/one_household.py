"""Second act: one household before a consent, under it, in other eyes, and after it."""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

from visitsync.cli.installation.at_hand import operator
from visitsync.cli.story.narrator import Narrator
from visitsync.cli.story.stage import Stage
from visitsync.cli.story.viewer import Viewer
from visitsync.cli.terminal import timeline as picture
from visitsync.errors import OperatorError
from visitsync.schema.silent import silent
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import directives
from visitsync.service.directives import Draft, Recorded
from visitsync.web.answers import HouseholdTimeline
from visitsync.web.language import Language
from visitsync.web.openapi import ProblemDocument
from visitsync.web.pages.sheet import program_name, spell_reason

LABEL: Final = "H001"
"""A mother with twins, known to three offices; on one day two of them came at the same time."""
WORKER: Final = "u01"
OWN_OFFICE: Final = ("u13", "shiomi-mt-01")
_OTHERS: Final = (
    ("u01", "care_coordination"),
    ("u02", "care_coordination"),
    ("u06", "billing"),
    ("u13", "service_delivery"),
    ("u12", "service_delivery"),
    ("u18", "audit"),
)
_NO_HOUSEHOLD: Final = "00000000-0000-7000-8000-000000000000"
_SINCE: Final = dt.date(2026, 4, 1)
_NEWEST: Final = 2


@silent
class Family(NamedTuple):
    """The household of the story."""

    household: str
    case_no: str
    consents: tuple[Recorded, ...]


async def before(stage: Stage, narrator: Narrator) -> Family:
    """The office sees its own records; the case worker sees nothing yet."""
    narrator.chapter("before")
    staff, office_id = OWN_OFFICE
    case_no = next(case for office, case in stage.registrations[LABEL] if office == office_id)
    own = stage.viewer(staff)
    household = await own.find(case_no, "service_delivery")
    seen = _seen((await own.look(household, "service_delivery"))[0])
    narrator.say(
        "office_finds",
        viewer=own.name,
        office=stage.office(office_id).name,
        case=case_no,
        count=seen.total,
    )
    picture.show(narrator.console, seen, narrator.language, most=1)
    worker = stage.viewer(WORKER)
    answer, body = await worker.look(household, "care_coordination")
    _, unknown = await worker.look(_NO_HOUSEHOLD, "care_coordination")
    if body != unknown:
        raise OperatorError("An unknown household is answered otherwise; tell the authors")
    narrator.say("worker_refused", viewer=worker.name, answer=_refused(answer, narrator.language))
    return Family(household, case_no, ())


async def consented(stage: Stage, narrator: Narrator, family: Family) -> Family:
    """A consent for two programs, then for the third."""
    worker = stage.viewer(WORKER)
    consents = []
    steps = (
        ("consent", "consent_recorded", ("household_support", "nurturing_support")),
        ("more", "more_recorded", ("multiples",)),
    )
    for chapter, sentence, programs in steps:
        narrator.chapter(chapter)
        consents.append(await _consent(stage, family.household, programs))
        seen = _seen((await worker.look(family.household, "care_coordination"))[0])
        narrator.say(sentence, ref=_ref(consents[-1]), viewer=worker.name)
        picture.show(narrator.console, seen, narrator.language, most=_NEWEST)
    return family._replace(consents=tuple(consents))


async def again(stage: Stage, family: Family) -> Family:
    """The same consents once more, for looking around in the browser."""
    programs = ("household_support", "nurturing_support", "multiples")
    return family._replace(consents=(await _consent(stage, family.household, programs),))


async def in_other_eyes(stage: Stage, narrator: Narrator, family: Family) -> None:
    """What the same household looks like to others of the city."""
    narrator.chapter("others")
    rows = []
    for staff, purpose in _OTHERS:
        viewer = stage.viewer(staff)
        answer, _ = await viewer.look(family.household, purpose)
        role = VOCABULARY.roles[stage.person(staff).role][narrator.language]
        sees, why = _summary(answer, narrator)
        words = VOCABULARY.purposes[purpose][narrator.language]
        rows.append((f"{viewer.name}\n{role}", words, sees, why))
    narrator.table(("col_viewer", "col_purpose", "col_sees", "col_why"), rows)


async def withdrawn(stage: Stage, narrator: Narrator, family: Family) -> None:
    """The consents end, and with them the view."""
    narrator.chapter("withdrawn")
    for consent in family.consents:
        await directives.withdraw(stage.context, operator(), consent.id)
    worker = stage.viewer(WORKER)
    answer, _ = await worker.look(family.household, "care_coordination")
    narrator.say("withdrawn_asked", viewer=worker.name, answer=_refused(answer, narrator.language))


def _summary(answer: HouseholdTimeline | ProblemDocument, narrator: Narrator) -> tuple[str, str]:
    if isinstance(answer, ProblemDocument):
        return narrator.word("sees_nothing"), ""
    spoken = narrator.language
    between = "・" if spoken == "ja" else ", "
    programs = sorted({str(one.fields["program"]) for one in answer.entries})
    reasons = {why for one in answer.entries for why in one.because}
    seen = {why.category for why in reasons}
    categories = [words[spoken] for code, words in VOCABULARY.categories.items() if code in seen]
    if spoken == "en":
        categories = [code for code in VOCABULARY.categories if code in seen]
    sees = narrator.word(
        "sees",
        count=answer.total,
        programs=between.join(program_name(one, spoken) for one in programs),
        categories=between.join(categories),
    )
    return sees, "\n".join(sorted({spell_reason(why, spoken) for why in reasons}))


async def _consent(stage: Stage, household: str, programs: tuple[str, ...]) -> Recorded:
    draft = Draft(
        household=household,
        grantor="guardian",
        effect="permit",
        sources=tuple(f"program:{one}" for one in programs),
        recipients=(f"role:case_worker@agency:{stage.person(WORKER).agency}",),
        purposes=("care_coordination",),
        categories=("attendance", "services", "notes", "identity"),
        data_from=_SINCE,
        notice_version="2026-04",
    )
    return await directives.record(stage.context, operator(), draft)


def _seen(answer: HouseholdTimeline | ProblemDocument) -> HouseholdTimeline:
    if isinstance(answer, ProblemDocument):
        raise OperatorError(f"The household is not shown ({answer.code}); tell the authors")
    return answer


def _refused(answer: HouseholdTimeline | ProblemDocument, language: Language) -> str:
    if isinstance(answer, HouseholdTimeline):
        raise OperatorError("The household is shown without a consent; tell the authors")
    return f"{answer.status} {answer.title}{'。' if language == 'ja' else '.'}"


def _ref(recorded: Recorded) -> str:
    return f"{recorded.id}@{recorded.version}"


def viewer_of(stage: Stage) -> Viewer:
    """The case worker."""
    return stage.viewer(WORKER)
