"""The interface's description is valid, complete, and agrees with the route table and the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.caller import SCOPES
from visitsync.web import openapi, problems
from visitsync.web.app import ROUTES

DOCUMENT = openapi.document(ROUTES)
PAGE = Path("docs/api.md").read_text(encoding="utf-8")


def test_it_is_valid_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_contains_every_route_but_the_pages() -> None:
    described = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    routes = {
        (one.method, one.path)
        for one in ROUTES
        if one.path.startswith("/api/") or one.path in {"/healthz", "/readyz"}
    }
    assert described == routes


def test_codes_come_from_the_vocabulary() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert schemas["Visit"]["properties"]["outcome"]["enum"] == list(VOCABULARY.outcomes)
    assert set(schemas["ProblemDocument"]["properties"]["code"]["enum"]) == set(problems.WORDS)


def test_every_reference_leads_somewhere() -> None:
    def refs(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [ref for value in part.values() for ref in refs(value)]
        if isinstance(part, list):
            return [ref for value in part for ref in refs(value)]
        return []

    for ref in refs(DOCUMENT):
        name = ref.removeprefix("#/components/schemas/")
        assert name in DOCUMENT["components"]["schemas"], ref


@pytest.mark.parametrize("route", [one for one in ROUTES if one.path.startswith("/api/v1/")])
def test_a_route_of_the_interface_is_described(route: Any) -> None:
    assert route.operation is not None


def test_every_permission_is_a_scope_that_exists_or_says_why_it_is_open() -> None:
    for route in ROUTES:
        scope = route.permission.scope
        assert (scope in SCOPES) if scope else route.permission.why


def test_the_page_names_every_code_every_scope_and_every_route() -> None:
    told = set(re.findall(r"`([a-z_]+)`", PAGE))

    assert set(problems.WORDS) <= told
    assert set(SCOPES) <= told
    for route in ROUTES:
        if route.operation is not None and route.path != "/api/v1/openapi.json":
            assert route.path.replace("{household}", "{id}") in PAGE, route.path
