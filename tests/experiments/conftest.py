"""The same installations as the tests of the web have."""

from web.conftest import founded, limits, log, patience, town

__all__ = ["founded", "limits", "log", "patience", "town"]
