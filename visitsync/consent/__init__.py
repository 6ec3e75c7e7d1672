"""Who sees what (pure): facts and a question give decisions with reasons, and only they a release.

``read_scenario`` takes the JSON of a scenario, ``decide`` answers it, and ``release`` lets out of
the visits what was decided. Nothing else makes a `Released`, and only a `Released` may be rendered,
exported, counted or paged. An attacker who controls this room alone can show a record to somebody
without the right to it; the access log would still name them.
"""

from visitsync.consent.acknowledging import without_acknowledgement
from visitsync.consent.deciding import decide, is_blocked, is_shielded
from visitsync.consent.decision import Decision, Reason
from visitsync.consent.facts import Record
from visitsync.consent.guards import Guards, guards
from visitsync.consent.reach import EVERYTHING, NOWHERE, Reach, reach
from visitsync.consent.release import Released, ReleasedVisit, release
from visitsync.consent.scenario import Scenario, asked_by, read_scenario, with_records
from visitsync.consent.statements import Unreadable
from visitsync.consent.times import Instant

__all__ = [
    "EVERYTHING",
    "NOWHERE",
    "Decision",
    "Guards",
    "Instant",
    "Reach",
    "Reason",
    "Record",
    "Released",
    "ReleasedVisit",
    "Scenario",
    "Unreadable",
    "asked_by",
    "decide",
    "guards",
    "is_blocked",
    "is_shielded",
    "reach",
    "read_scenario",
    "release",
    "with_records",
    "without_acknowledgement",
]
