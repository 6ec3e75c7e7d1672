"""First act: five offices hand in half a year, and registrations become households."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from visitsync.cli.installation import at_hand, city
from visitsync.cli.office_client.handing_in import Answer, Handed, Terms
from visitsync.cli.story.narrator import Narrator
from visitsync.cli.story.stage import Stage
from visitsync.cli.terminal import output
from visitsync.errors import OperatorError
from visitsync.schema.silent import silent
from visitsync.service import links
from visitsync.service.reports import Linked
from visitsync.web.pages.sheet import program_name

_FEES: Final = "_fees"
_COUNTED: Final = ("created", "updated", "voided", "unchanged", "rejected", "warned")


@silent
@dataclass(slots=True)
class Tally:
    """What became of an office's files."""

    files: int = 0
    counts: Counter[str] = field(default_factory=Counter)


def deliveries(folder: Path) -> list[list[Handed]]:
    """The files of a program's folder as they are handed in: fees beside their visits."""
    together: dict[str, list[Handed]] = {}
    for file in sorted(folder.iterdir()):
        month = file.stem.removesuffix(_FEES)
        together.setdefault(month, []).append(Handed(file.name, file.read_bytes()))
    return list(together.values())


async def hand_in(stage: Stage, narrator: Narrator) -> None:
    """Hand everything in, each office with its own token, and tell what became of it."""
    narrator.chapter("hand_in")
    narrator.say("hand_in_how")
    work = {
        office.id: deliveries(city.SHIPPED / office.program)
        for office in stage.city.office
        if office.contract_to is None or office.contract_to.year > 2026  # noqa: PLR2004 -- the sample's
    }
    size = sum(len(one.content) for all_ in work.values() for files in all_ for one in files)
    tallies: dict[str, Tally] = {}
    with output.bar(narrator.word("hand_in"), size) as advance:
        for office_id, parcels in work.items():
            tallies[office_id] = tally = Tally()
            for files in parcels:
                answer = await stage.desk(office_id).hand_in(files, Terms(), advance)
                _add(tally, files, _report(answer, office_id))
    _tell(stage, narrator, tallies)
    office_id, parcels = next(reversed(work.items()))
    await _repeat(stage, narrator, office_id, parcels[-1])
    _tell_links(narrator, await links.standing(stage.context, at_hand.operator()))


async def _repeat(
    stage: Stage, narrator: Narrator, office_id: str, files: Sequence[Handed]
) -> None:
    report = _report(await stage.desk(office_id).hand_in(files, Terms()), office_id)
    if report["repeated"]:
        said = narrator.word("repeat_stored", submission=report["submission"])
    else:
        said = narrator.word("repeat_counted", count=report["counts"]["unchanged"])
    narrator.say("repeat", unchanged=said)


def _report(answer: Answer, office_id: str) -> dict[str, Any]:
    if answer.refused:
        raise OperatorError(
            f"A sample file was refused ({answer.document.get('code')}); this should not happen",
            where=office_id,
        )
    return answer.document


def _add(tally: Tally, files: Sequence[Handed], report: dict[str, Any]) -> None:
    tally.files += len(files)
    tally.counts.update(report["counts"])
    tally.counts["warned"] += sum(one["level"] == "warn" for one in report["problems"])


def _tell(stage: Stage, narrator: Narrator, tallies: dict[str, Tally]) -> None:
    counted = [one for one in _COUNTED if any(tally.counts[one] for tally in tallies.values())]
    heads = ["col_office", "col_files", *(f"col_{one}" for one in counted)]
    rows = []
    for office_id, tally in tallies.items():
        office = stage.office(office_id)
        program = program_name(office.program, narrator.language)
        numbers = (str(tally.counts[one] or "") for one in counted)
        rows.append((f"{program}\n{office.name}", str(tally.files), *numbers))
    narrator.table(heads, rows, figures=len(counted) + 1)


def _tell_links(narrator: Narrator, found: Linked) -> None:
    narrator.chapter("links")
    narrator.say(
        "linked",
        all=found.linked + found.new + found.review,
        linked=found.linked,
        new=found.new,
        review=found.review,
    )
    narrator.say("links_why")
