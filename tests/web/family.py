"""One household of the invented city, handed in by three offices, and a consent for it."""

from __future__ import annotations

from web.conftest import SHIOMI, Town

from visitsync.cli.installation.at_hand import operator
from visitsync.cli.office_client.handing_in import Desk, Handed, Terms
from visitsync.service import directives
from visitsync.service.directives import Draft, Recorded

MONTH = {
    "shiomi-hs-01": "household_support/HS_2026-07.xlsx",
    "shiomi-ns-01": "nurturing_support/NS_export_2026Q1.ndjson",
    "shiomi-mt-01": "multiples/MT_2026-07.tsv",
}
CASE_NO = "F-013"
NAMES = ("大石", "里美", "おおいし", "美結")
"""Of its members; none may ever stand in a log or an error."""
WORKER, STRANGER, CLERK, OFFICE_STAFF, AUDITOR = "u01", "u02", "u06", "u13", "u18"


async def settle(town: Town) -> str:
    """Hand the months in; answers the household's id."""
    for office, path in MONTH.items():
        file = SHIOMI / path
        desk = Desk(
            session=town.session, url=town.url, office=office, token=town.tokens.offices[office]
        )
        answer = await desk.hand_in([Handed(file.name, file.read_bytes())], Terms())
        assert answer.status == 200
    body = {"purpose": "service_delivery", "case_no": CASE_NO}
    async with town.session.post(
        "/api/v1/households/search", json=body, headers=town.staff(OFFICE_STAFF)
    ) as response:
        found = await response.json()
    (match,) = found["households"]
    return str(match["household"])


async def consent(
    town: Town, household: str, *programs: str, categories: tuple[str, ...] = ()
) -> Recorded:
    """A consent for the case worker."""
    draft = Draft(
        household=household,
        grantor="guardian",
        effect="permit",
        sources=tuple(f"program:{one}" for one in programs),
        recipients=("role:case_worker@agency:shiomi-city",),
        purposes=("care_coordination",),
        categories=("attendance", *categories),
        notice_version="2026-04",
    )
    return await directives.record(town.context, operator(), draft)
