"""The application: every route with its permission, in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from visitsync.service.context import Context
from visitsync.service.health import Readiness
from visitsync.web import callers, language
from visitsync.web.api import (
    access_log,
    directives,
    emergency,
    erasures,
    explain,
    guardians,
    households,
    legal_bases,
    log_heads,
    mirrors,
    protection,
    standing,
    submissions,
)
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.pages import household, signing_in
from visitsync.web.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *standing.ROUTES,
    *submissions.ROUTES,
    *households.ROUTES,
    *explain.ROUTES,
    *directives.ROUTES,
    *guardians.ROUTES,
    *protection.ROUTES,
    *emergency.ROUTES,
    *legal_bases.ROUTES,
    *erasures.ROUTES,
    *mirrors.ROUTES,
    *access_log.ROUTES,
    *log_heads.ROUTES,
    *signing_in.ROUTES,
    *household.ROUTES,
)


def make_app(context: Context, limits: Limits, now: Callable[[], float]) -> web.Application:
    """The whole of visitsync over HTTP.

    Args:
        context: the open installation.
        limits: of size, time and number.
        now: the host's clock, for the check whether it agrees with the database's.
    """
    app = framed(ROUTES, limits, [language.remember, callers.guard])
    callers.admit(app, context, limits)
    app[standing.NOW] = now
    app[standing.READINESS] = Readiness(context)
    return app
