"""The application: every route with its permission, in one table."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from visitsync.service.context import Context
from visitsync.web import callers, language
from visitsync.web.api import households, standing, submissions
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.pages import household, signing_in
from visitsync.web.route import Route

ROUTES: Final[tuple[Route, ...]] = (
    *standing.ROUTES,
    *submissions.ROUTES,
    *households.ROUTES,
    *signing_in.ROUTES,
    *household.ROUTES,
)


def make_app(context: Context, limits: Limits) -> web.Application:
    """The whole of visitsync over HTTP."""
    app = framed(ROUTES, limits, [language.remember, callers.guard])
    callers.admit(app, context, limits)
    return app
