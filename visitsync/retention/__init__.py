"""How long what is kept, and on what grounds something goes earlier: rules as data, no clock."""

from visitsync.retention.due import Kept, due_from, log_due_from
from visitsync.retention.rules import Ground, LogRule, RecordRule, Rules, read, shipped

__all__ = [
    "Ground",
    "Kept",
    "LogRule",
    "RecordRule",
    "Rules",
    "due_from",
    "log_due_from",
    "read",
    "shipped",
]
