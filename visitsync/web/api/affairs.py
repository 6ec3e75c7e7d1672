"""Routes by which staff act in a household's affairs: by their own token, and telling no record."""

from __future__ import annotations

from typing import Any

from visitsync.web.api.households import PURPOSE
from visitsync.web.api.json_body import JSON
from visitsync.web.route import Handler, Operation, Permission, Route


def posted(
    path: str, handler: Handler, about: str, answers: dict[int, Any], form: type | None = None
) -> Route:
    """A route that does something.

    Args:
        path: under ``/api/v1/``.
        handler: what answers it.
        about: one sentence.
        answers: by status, the type that is answered.
        form: of the body; None where there is none.
    """
    takes = None if form is None else {JSON: {"$ref": f"#/components/schemas/{form.__name__}"}}
    return Route(
        method="POST",
        path=f"/api/v1/{path}",
        handler=handler,
        permission=Permission("record"),
        reveals="measures",
        operation=Operation(
            about=about, takes=takes, answers=answers, uses=() if form is None else (form,)
        ),
    )


def listed(path: str, handler: Handler, about: str, kind: type) -> Route:
    """A route that lists what was done, for a purpose; arguments as for `posted`."""
    return Route(
        method="GET",
        path=f"/api/v1/{path}",
        handler=handler,
        permission=Permission("record"),
        reveals="measures",
        query=(PURPOSE,),
        operation=Operation(about=about, answers={200: kind}),
    )
