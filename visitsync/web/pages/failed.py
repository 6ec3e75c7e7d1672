"""What a person sees where a page cannot be shown."""

from __future__ import annotations

from aiohttp import web

from visitsync.web.language import Language
from visitsync.web.pages import rendering
from visitsync.web.problems import Problem


def page(problem: Problem, language: Language) -> web.Response:
    """The problem as a page, with the same status and headers as its JSON form."""
    return rendering.page(
        "failed.html",
        language,
        status=problem.status,
        headers=problem.headers,
        problem=problem,
        words=problem.words(language),
    )
