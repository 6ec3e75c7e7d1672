"""The same installations as the tests of the web have."""

from web.conftest import founded, limits, log, town

__all__ = ["founded", "limits", "log", "town"]
