"""ONE TIMELINE of one household, whoever came: ordered entries, revisions, marks and gaps. Pure."""

from visitsync.timeline.entries import Entry, Gap, Mark, MarkKind, Reported, Timeline
from visitsync.timeline.merge import merge

__all__ = ["Entry", "Gap", "Mark", "MarkKind", "Reported", "Timeline", "merge"]
