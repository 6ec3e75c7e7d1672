"""D5 (Kure): a route or a kind of field that nobody gave a rule stops the start.

The matrix is generated from the route table and the vocabulary; nothing is listed by hand.
"""

from __future__ import annotations

import dataclasses

import pytest
from aiohttp import web

from visitsync.consent.whereabouts import (
    EVERY_FIELD,
    LOOKED_THROUGH,
    TELLS_NO_PLACE,
    refuse_unjudged,
    withheld_under_shield,
)
from visitsync.errors import SettingsError
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service.context import open_context
from visitsync.settings import Settings
from visitsync.web import route
from visitsync.web.app import ROUTES
from visitsync.web.route import REVEALS, Reveals, Route

FIELDS = VOCABULARY.fields_of_category
KNOWN = sorted(one for some in FIELDS.values() for one in some)


@pytest.mark.parametrize("one", ROUTES, ids=lambda one: f"{one.method} {one.path}")
def test_d5_each_route_says_what_it_reveals_or_it_does_not_start(one: Route) -> None:
    route.declare(web.Application(), [one])
    turned: Reveals | None = "nothing" if one.reveals is None else None
    with pytest.raises(SettingsError):
        route.declare(web.Application(), [dataclasses.replace(one, reveals=turned)])


async def test_d5_a_route_beside_the_table_does_not_start() -> None:
    app = web.Application()
    route.declare(app, ROUTES)
    app.freeze()
    await app.startup()
    app = web.Application()
    route.declare(app, ROUTES)
    app.router.add_get("/forgotten", ROUTES[0].handler)
    app.freeze()
    with pytest.raises(SettingsError):
        await app.startup()


def test_d5_every_route_and_category_is_in_the_matrix() -> None:
    assert {one.reveals for one in ROUTES} - {None} <= REVEALS.keys()
    assert set(KNOWN) == EVERY_FIELD
    assert FIELDS.keys() == VOCABULARY.categories.keys()
    judged = [withheld_under_shield(FIELDS), TELLS_NO_PLACE, LOOKED_THROUGH]
    assert sum(map(len, judged)) == len(EVERY_FIELD) == len(KNOWN)
    refuse_unjudged()


@pytest.mark.parametrize("category", FIELDS)
def test_d5_a_new_field_of_any_category_does_not_start(category: str) -> None:
    """Unless it is `contact`, which a shield hides whatever is in it."""
    more = {**FIELDS, category: (*FIELDS[category], "shelter_name")}
    if category == "contact":
        refuse_unjudged(more, {*EVERY_FIELD, "shelter_name"})
    else:
        with pytest.raises(SettingsError):
            refuse_unjudged(more, {*EVERY_FIELD, "shelter_name"})


@pytest.mark.parametrize("field", KNOWN)
def test_d5_each_field_without_a_category_or_with_two_does_not_start(field: str) -> None:
    without = {name: [one for one in some if one != field] for name, some in FIELDS.items()}
    twice = {**without, "attendance": [*without["attendance"], field, field]}
    for wrong in (without, twice):
        with pytest.raises(SettingsError):
            refuse_unjudged(wrong)


def test_d5_a_field_of_the_form_that_the_vocabulary_does_not_know_does_not_start() -> None:
    with pytest.raises(SettingsError):
        refuse_unjudged(fields={*EVERY_FIELD, "persons[].workplace"})


async def test_d5_it_is_the_start_that_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_context(settings):
        pass
    judged = TELLS_NO_PLACE - {"persons[].name"}
    monkeypatch.setattr("visitsync.consent.whereabouts.TELLS_NO_PLACE", judged)
    with pytest.raises(SettingsError):
        async with open_context(settings):
            pass
