"""The OpenAPI 3.1 document, made from the route table, the types and the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from typing import Any, Final

import msgspec

from visitsync.schema import json_schema
from visitsync.schema.silent import Struct
from visitsync.web import problems
from visitsync.web.route import Operation, Parameter, Route

_REF: Final = "#/components/schemas/{name}"
_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_LANGUAGE: Final = Parameter(
    name="Accept-Language",
    about="`ja` (else) or `en`: the language of texts.",
    schema={"type": "string"},
)


class ProblemDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457: why something was not answered, and who must act."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    """Stable; for programs."""
    where: str | None = None
    """The parameter, line or path to mend; never a value."""
    incident: str | None = None
    """To be told to the operator."""


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The whole document; every route with an operation stands in it."""
    described = [(one, one.operation) for one in routes if one.operation is not None]
    types = {
        kind
        for _, operation in described
        for kind in (*operation.answers.values(), *operation.uses)
    }
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in described:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, operation)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "visitsync",
            "summary": "One household timeline from home-visit programs, under consent rules.",
            "version": metadata.version("visitsync"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas([one for one in types if one is not None]),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A scoped token that expires, issued by the operator.",
                }
            },
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def _schemas(types: list[Any]) -> dict[str, Any]:
    structs = sorted(types, key=lambda kind: str(getattr(kind, "__name__", kind)))
    _, found = msgspec.json.schema_components(
        [ProblemDocument, *structs], schema_hook=_anything, ref_template=_REF
    )
    found["ProblemDocument"]["properties"]["code"]["enum"] = sorted(problems.WORDS)
    return {**found, **json_schema.components(_REF)}


def _anything(kind: type) -> dict[str, Any]:
    """Released fields have no schema of their own: which are there is decided each time."""
    if kind is object:
        return {"description": "As in the canonical report, as far as it is released."}
    raise NotImplementedError


def _operation(route: Route, operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{route.handler.__name__}",
        "summary": operation.about,
        "parameters": list(_parameters(route, operation)),
        "responses": dict(_responses(operation)),
        "security": [{"token": []}] if route.permission.scope else [],
    }
    if route.permission.scope:
        made["x-scope"] = route.permission.scope
    if route.permission.or_scope:
        made["x-or-scope"] = route.permission.or_scope
    if operation.takes is not None:
        made["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": schema} for kind, schema in operation.takes.items()},
        }
    return made


def _parameters(route: Route, operation: Operation) -> Iterator[Mapping[str, Any]]:
    for name in _IN_PATH.findall(route.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for one in route.query:
        yield _parameter(one, "query")
    for one in (*operation.headers, _LANGUAGE):
        yield _parameter(one, "header")


def _parameter(one: Parameter, place: str) -> Mapping[str, Any]:
    return {
        "name": one.name,
        "in": place,
        "description": one.about,
        "required": one.required,
        "schema": one.schema,
    }


def _responses(operation: Operation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for status, kind in operation.answers.items():
        if kind is None:
            yield str(status), {"description": "Nothing further."}
            continue
        (schema,), _ = msgspec.json.schema_components(
            [kind], schema_hook=_anything, ref_template=_REF
        )
        yield (
            str(status),
            {"description": "The answer.", "content": {"application/json": {"schema": schema}}},
        )
    if operation.files:
        yield "200", {"description": "A file.", "content": {one: {} for one in operation.files}}
    problem = {"schema": {"$ref": _REF.format(name="ProblemDocument")}}
    yield (
        "default",
        {"description": "A problem.", "content": {problems.MEDIA_TYPE: problem}},
    )
