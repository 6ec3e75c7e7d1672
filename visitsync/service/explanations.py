"""What is asked of, and answered by, an explanation of who can see a household."""

from __future__ import annotations

import datetime as dt

from visitsync.schema.silent import Struct
from visitsync.service.directives import Draft


class Asked(Struct, frozen=True, kw_only=True):
    """What is to be explained."""

    purpose: str
    """Of the one who asks; logged like any other look."""
    viewer: str | None = None
    """Only what this member of staff would see; everybody where None."""
    known_at: dt.datetime | None = None
    """As it was known then; for protection officers and auditors."""
    draft: Draft | None = None
    """A directive that is not recorded yet, as if it were."""


class Why(Struct, frozen=True, kw_only=True, order=True):
    """A fact that shows a category: a consent by id and version, a law, one's own work."""

    category: str
    rule: str
    ref: str


class Insight(Struct, frozen=True, kw_only=True):
    """One program of which somebody sees something."""

    program: str
    why: tuple[Why, ...]
    """Each visible category with the facts that show it."""


class Sight(Struct, frozen=True, kw_only=True):
    """What somebody sees for one purpose."""

    purpose: str
    programs: tuple[Insight, ...]


class Onlooker(Struct, frozen=True, kw_only=True):
    """A member of staff who sees something."""

    viewer: str
    name: str | None
    """None where the directory does not know them any more."""
    roles: tuple[str, ...]
    agency: str
    sights: tuple[Sight, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """Who can see something of a household; whoever is not listed sees nothing."""

    household: str
    at: dt.datetime
    known_at: dt.datetime | None
    with_draft: bool
    people: tuple[Onlooker, ...]
