"""Which of the two languages a reader is answered in: Japanese unless English is preferred."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeAlias

from aiohttp import web

Language: TypeAlias = Literal["ja", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("ja", "en")
COOKIE: Final = "__Host-language"
_MOST_RANGES: Final = 16


def of(request: web.Request) -> Language:
    """The language to answer in: asked for in the address, or once before, else preferred."""
    for asked in (request.query.get("lang"), request.cookies.get(COOKIE)):
        for language in LANGUAGES:
            if asked == language:
                return language
    return preferred(request.headers.get("Accept-Language"))


@web.middleware
async def remember(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Keep a language that was asked for in the address; the cookie says nothing else."""
    response = await handler(request)
    if (asked := request.query.get("lang")) in LANGUAGES and not response.prepared:
        response.set_cookie(COOKIE, asked, path="/", secure=True, httponly=True, samesite="Strict")
    return response


def preferred(accept_language: str | None) -> Language:
    """The best of `LANGUAGES` for an ``Accept-Language`` header (RFC 9110, 12.5.4).

    >>> preferred("fr-CH, en;q=0.8, ja;q=0.7")
    'en'
    >>> preferred(None)
    'ja'
    """
    best: Language = "ja"
    best_weight = 0.0
    for item in (accept_language or "").split(",")[:_MOST_RANGES]:
        tag, _, parameter = item.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter.strip())
        for language in LANGUAGES:
            if primary == language and weight > best_weight:
                best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0
