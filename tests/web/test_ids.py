"""Ids that are guessed, altered or of something else: no route answers them otherwise than none.

Made from the route table. Each id is tried by somebody for whom the thing is there, so that no
second spelling of an id opens it, and by somebody for whom it is not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from web import asking
from web.asking import (
    OF_OFFICES,
    UNKNOWN,
    WAYS,
    Answer,
    Home,
    Way,
    a_home,
    a_town,
    ask,
    with_ids,
)
from web.conftest import Town

from visitsync.service import ids, timelines
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.views import View
from visitsync.store import access_log
from visitsync.web.app import ROUTES

OFFICE, OTHER_OFFICE = "shiomi-mt-01", "shiomi-sp-01"


@pytest.fixture
async def city(context: Context) -> AsyncIterator[Town]:
    async with a_town(context) as town:
        yield town


NO_ROUTE = frozenset({"braces", "one brace"})
"""No route takes a brace: answered before it is asked who calls."""


FEW = frozenset({"upper", "brackets", "NUL", "cut", "number"})
"""Tried, beside those with two words, by whoever is told nothing by the right id either."""


def spelt_otherwise(one: str) -> dict[str, str]:
    """By what was done to it, an id as it stands in an address."""
    last = one[-1]
    following = "abcdefghijklmnopqrstuvwxyz234567"
    place = following.index(last) if last in following else 0
    return {
        "upper": one.upper(),
        "capital": one.capitalize(),
        "braces": f"%7B{one}%7D",
        "one brace": f"{one}%7D",
        "brackets": f"{one}[]",
        "brackets encoded": f"{one}%5B%5D",
        "index": f"{one}[0]",
        "quoted": f"%22{one}%22",
        "a list": f"{one},{one}",
        "next guess": one[:-1] + following[(place + 1) % 32],
        "guess before": one[:-1] + following[place - 1],
        "cut": one[:-1],
        "longer": f"{one}a",
        "hyphens": "-".join([one[:8], one[8:12], one[12:16], one[16:]]),
        "as a urn": f"urn:uuid:{one}",
        "NUL after": f"{one}%00",
        "NUL before": f"%00{one}",
        "NUL": "%00",
        "line feed": f"{one}%0A",
        "carriage return": f"{one}%0D%0A",
        "space": f"{one}%20",
        "plus": f"{one}+",
        "dot": f"{one}.",
        "json": f"{one}.json",
        "matrix": f"{one};a=b",
        "encoded twice": one.replace(one[0], f"%25{ord(one[0]):x}", 1),
        "slash encoded": f"x%2F..%2F{one}",
        "back slash": f"{one}%5C",
        "full width": one[:-1] + quote(chr(ord(last) + 0xFEE0)),
        "combining": f"{one}%CC%81",
        "zero width": f"{one}%E2%80%8B",
        "not utf-8": f"{one}%FF",
        "surrogate": f"{one}%ED%A0%80",
        "wildcard": "%25",
        "underscores": "_" * len(one),
        "star": "*",
        "sql": "%27%20or%201=1--",
        "long": "a" * 3000,
        "number": "1",
        "minus": "-1",
        "null": "null",
        "uuid": "00000000-0000-0000-0000-000000000000",
    }


def of_something_else(home: Home, name: str) -> dict[str, str]:
    """Ids of what stands beside the household, and such as another municipality would have."""
    right = home.id_for(name)
    others = {f"a {kind}": one for kind, one in home.ids.items() if one != right}
    return others | {"of another tenant": ids.new_id(right[0]), "unknown": right[0] + UNKNOWN[1:]}


async def _logged(town: Town, before: int) -> list[str]:
    async with town.context.database.reading() as connection:
        head = await access_log.head(connection)
        rows = [one async for one in access_log.rows(connection, head.shard, before)]
    return [str(msgspec.json.decode(one.leaf)["kind"]) for one in rows]


async def _size(town: Town) -> int:
    async with town.context.database.reading() as connection:
        return (await access_log.head(connection)).size


async def told_apart(town: Town, home: Home, name: str, way: Way, staff: str) -> set[str]:
    """Which altered ids are answered otherwise than an unknown one, or not logged as refused."""
    right = home.id_for(name)
    unknown = right[0] + UNKNOWN[1:]
    expected = await ask(town, name, way, staff, unknown)
    no_route = await ask(town, name, way, staff, spelt_otherwise(unknown)["braces"])
    assert (expected.status, no_route.status) == (404, 404)
    tried = spelt_otherwise(right) | of_something_else(home, name)
    whole = town.context.settings.embedded is not None  # what is no id at all needs no engine
    if staff != way.may or not whole:
        tried = {what: one for what, one in tried.items() if what in NO_ROUTE | FEW or " " in what}
    before = await _size(town)
    answers = {what: await ask(town, name, way, staff, one) for what, one in tried.items()}
    different = {
        what
        for what, answer in answers.items()
        if answer != (no_route if what in NO_ROUTE else expected)
    }
    if not different:
        logged = await _logged(town, before)
        assert logged == ["denied"] * (len(tried) - len(NO_ROUTE)), (name, staff)
    return different


async def test_no_altered_or_guessed_id_is_answered_otherwise_than_an_unknown_one(
    city: Town,
) -> None:
    home = await a_home(city)
    found = {}
    for name, (way, *_) in WAYS.items():
        for staff in (way.may, *way.refused[:1]):
            if different := await told_apart(city, home, name, way.about(home), staff):
                found[f"{name} by {staff}"] = different
    assert found == {}


async def test_no_office_asks_for_another_one_that_there_is_or_not(city: Town) -> None:
    """The office is who the token says; every other id is refused, the same to the byte."""

    async def asked(name: str, office: str) -> Answer:
        method, _, path = name.partition(" ")
        async with city.session.request(
            method, path.replace("{office}", office), headers=city.office(OFFICE), data=b"[]"
        ) as response:
            return Answer(response.status, (), await response.read())

    for name in OF_OFFICES:
        expected = await asked(name, OTHER_OFFICE)
        assert expected.status == 403
        for what in ("nowhere", OFFICE.upper(), f"{OFFICE}[]", f"{OFFICE}%00", f"{OFFICE}%20"):
            assert await asked(name, what) == expected, (name, what)
        assert (await asked(name, OFFICE)).status != 403


def test_every_route_of_the_table_that_takes_an_id_is_tried() -> None:
    assert with_ids().keys() == WAYS.keys() | OF_OFFICES


def test_control_a_route_added_to_the_table_must_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    new = dataclasses.replace(next(iter(with_ids().values())), path="/api/v1/records/{record}")
    monkeypatch.setattr(asking, "ROUTES", (*ROUTES, new))
    assert with_ids().keys() - WAYS.keys() - OF_OFFICES == {asking.name_of(new)}


async def test_control_an_id_taken_in_another_spelling_is_noticed(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ids folded before they are looked up, who may see it finds it under a second name."""
    home = await a_home(city)
    view = timelines.view

    async def folding(
        context: Context, caller: Caller, one: str, *more: Any, **further: Any
    ) -> View:
        return await view(context, caller, one.strip(" \n{}").lower(), *more, **further)

    monkeypatch.setattr(timelines, "view", folding)
    name = "GET /api/v1/households/{household}/timeline"
    (way, *_) = WAYS[name]
    assert await told_apart(city, home, name, way, way.may) >= {"upper", "line feed"}
