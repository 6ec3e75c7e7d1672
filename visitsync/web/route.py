"""What a route must declare: who may call it, what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from aiohttp import web

from visitsync.errors import BadParameter, SettingsError
from visitsync.schema.silent import silent

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


Reveals: TypeAlias = Literal["nothing", "own", "released", "reasons", "signed", "measures", "log"]
REVEALS: Final[Mapping[Reveals, str]] = {
    "nothing": "nothing of any household",
    "own": "to an office what it handed in itself",
    "released": "what `consent.release` lets out for this viewer and purpose",
    "reasons": "who may see which categories and why; no field of any record",
    "signed": "what a family signed, to who decides for them; no field of any record",
    "measures": "what protects or opens a household, by ids and codes; no field of any record",
    "log": "entries of the access log, which hold no field of any record",
}
"""By which door a route can let something of a household out."""


@silent
@dataclass(frozen=True, slots=True)
class Permission:
    """What a caller must hold before the handler runs.

    Attributes:
        scope: of the token; None where nobody has to say who they are.
        or_scope: another one that will do for a part of what the route answers; the service knows
            for which.
        why: for an open route, why it may be open.
        by_session: whether the browser's session stands in for the header.
    """

    scope: str | None = None
    or_scope: str | None = None
    why: str = ""
    by_session: bool = False

    def covers(self, scopes: Collection[str]) -> bool:
        """Whether a token with these scopes may come in."""
        return self.scope in scopes or (self.or_scope is not None and self.or_scope in scopes)


def open_to_all(why: str) -> Permission:
    """Nobody has to say who they are; `why` says why that is right."""
    return Permission(why=why)


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the query string."""

    name: str
    about: str
    schema: Mapping[str, Any]
    required: bool = False


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the OpenAPI document says about a route of the JSON interface.

    Attributes:
        about: one sentence.
        takes: media types of the body, each with its schema.
        answers: by status, the type that the body is written from.
        files: media types of a file that is answered with 200 instead.
        headers: request headers with a meaning here.
        uses: further types that schemas of `takes` refer to.
    """

    about: str
    takes: Mapping[str, Mapping[str, Any]] | None = None
    answers: Mapping[int, Any]
    files: tuple[str, ...] = ()
    headers: tuple[Parameter, ...] = ()
    uses: tuple[type, ...] = ()


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    permission: Permission
    reveals: Reveals | None = None
    """Must be said where somebody has to say who they are; an open route reveals nothing."""
    query: tuple[Parameter, ...] = ()
    operation: Operation | None = None
    """None for pages, which people read and no system relies on."""

    def check_query(self, query: Iterable[tuple[str, str]]) -> None:
        """Refuse what is not declared; a filter that nobody reads is a filter that lies.

        Raises:
            BadParameter: for a parameter that is unknown, stands twice or is missing.
        """
        known = {one.name for one in self.query}
        seen: set[str] = set()
        for name, _ in query:
            if name not in known:
                raise BadParameter("There is no such parameter", where="query")
            if name in seen:
                raise BadParameter("The parameter stands twice", where=name)
            seen.add(name)
        for one in self.query:
            if one.required and one.name not in seen:
                raise BadParameter("The parameter is missing", where=one.name)


Declared: TypeAlias = Mapping[tuple[str, str], Route]
"""By method and path."""

DECLARED: Final = web.AppKey("declared", dict[tuple[str, str], Route])


def declare(app: web.Application, routes: Iterable[Route]) -> None:
    """Add the routes, and refuse at start-up any that came in another way.

    Raises:
        SettingsError: a route does not say what of a household it reveals.
    """
    declared = app[DECLARED] = {(one.method, one.path): one for one in routes}
    for route in declared.values():
        if (route.permission.scope is None) == (route.reveals is not None):
            raise SettingsError(
                "A route does not say what of a household it reveals; its author must",
                where=f"{route.method} {route.path}",
            )
        app.router.add_route(route.method, route.path, route.handler)
    app.on_startup.append(_refuse_undeclared)


async def _refuse_undeclared(app: web.Application) -> None:
    for route in app.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        if (route.method, path) not in app[DECLARED]:
            raise SettingsError(
                "A route declares no permission; its author must add it to the route table",
                where=f"{route.method} {path}",
            )


def of(request: web.Request) -> Route:
    """The declaration of the route that a request was matched to.

    Raises:
        aiohttp.web.HTTPException: 404 or 405 where it was matched to none.
    """
    if (refused := request.match_info.http_exception) is not None:
        raise refused
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    return request.app[DECLARED][request.method, path]
