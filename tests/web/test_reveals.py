"""What comes out of each route, of each category, for each actor: as the slow evaluator says.

Every route that releases anything is asked in every situation by every actor for every purpose,
and what really leaves is compared with the model made from the stored facts by the reference.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from reference.consent_reference import Reference
from web.conftest import Town
from web.family import consent, settle
from web.reveals_page import page
from web.test_legal_bases import a_law
from web.test_protection import OFFICER, SECOND_SUPERVISOR, post

from visitsync.cli.installation import city
from visitsync.cli.installation.at_hand import operator
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import directory
from visitsync.service.caller import Caller
from visitsync.service.gathering import current, gather, record_of, scenario
from visitsync.service.timelines import reported_of
from visitsync.store import clock, epochs, facts
from visitsync.store.facts import Fact
from visitsync.web.app import ROUTES

ACTORS: Final = ("u01", "u02", "u06", "u13", "u14", "u16", "u17", "u18")
PURPOSES: Final = tuple(VOCABULARY.purposes)
OTHER: Final = "2026-01-01T00:00:00+00:00"
LASTING: Final = {"from": OTHER, "until": None}
PROTECTING: Final = {**LASTING, "closed_at": None}
COUNCIL: Final = "role:child_protection_worker@agency:shiomi-city"

Model = dict[str, dict[str, set[str]]]
"""By record, its visible categories and its withheld fields."""


async def stated(town: Town, household: str, kind: str, body: dict[str, Any]) -> None:
    async with town.context.log.writing() as turn:
        head = await turn.hold()
        body = {"household": household, **body}
        written = msgspec.json.encode({k: v for k, v in body.items() if k != "household"}).decode()
        await facts.add(turn.connection, [Fact(kind, f"{kind}-1", 1, head.now, household, written)])
        await epochs.bump(turn.connection, {epochs.of_household(household)})


async def nothing(_: Town, __: str) -> None:
    """No consent, no law, no protection."""


async def consented(town: Town, household: str) -> None:
    await consent(
        town, household, "multiples", "household_support", categories=("notes", "identity")
    )


async def shielded(town: Town, household: str) -> None:
    await consent(town, household, "multiples", categories=("notes", "contact", "identity"))
    shield = {**PROTECTING, "allowed": [COUNCIL], "withhold_notes": True}
    await stated(town, household, "shield", shield)


async def blocked(town: Town, household: str) -> None:
    await consented(town, household)
    await stated(
        town, household, "block", {**PROTECTING, "who": ["viewer:u01", "office:shiomi-mt-01"]}
    )


async def before_the_council(town: Town, household: str) -> None:
    """By its route; the case worker and a supervisor have a seat."""
    wanted = city.shipped()
    staff = tuple(
        msgspec.structs.replace(one, council_member=one.id in {"u01", "u16"})
        for one in wanted.directory.staff
    )
    seated = msgspec.structs.replace(wanted.directory, staff=staff)
    await directory.apply(
        town.context, operator(), msgspec.structs.replace(wanted, directory=seated)
    )
    body = {"members": ["agency:shiomi-city", "office:shiomi-ns-01"]}
    assert (await post(town, f"households/{household}/council-cases", OFFICER, body))[0] == 201


async def invoked(town: Town, household: str) -> None:
    """By its routes: asked by one person, approved by another."""
    await a_law(town, household)


async def invoked_past_a_shield(town: Town, household: str) -> None:
    shield = {**PROTECTING, "allowed": [COUNCIL], "withhold_notes": True}
    await stated(town, household, "shield", shield)
    one = await a_law(town, household)
    body = {"shield": "shield-1"}
    assert (await post(town, f"invocations/{one}/shield", SECOND_SUPERVISOR, body))[0] == 200


async def refused(town: Town, household: str) -> None:
    await consented(town, household)
    everything: dict[str, Any] = dict.fromkeys(
        ("sources", "recipients", "purposes", "categories"), "*"
    )
    refusal = {
        **everything,
        "categories": ["identity"],
        "grantor": "guardian",
        "effect": "deny",
        "valid": LASTING,
        "data": {"from": "2020-01-01", "until": None},
        "registrations": "household",
        "withdrawn_at": None,
        "notice_version": "2026-04",
    }
    await stated(town, household, "directive", refusal)


SITUATIONS: Final[tuple[Callable[[Town, str], Awaitable[None]], ...]] = (
    nothing,
    consented,
    shielded,
    blocked,
    before_the_council,
    invoked,
    invoked_past_a_shield,
    refused,
)


async def reports(town: Town, household: str) -> dict[str, dict[str, Any]]:
    """The household's newest reports, whole."""
    gathered = await gather(town.context, Caller.as_staff("u01", "tests"), [household])
    return {
        one.id: msgspec.json.decode(reported_of(town.context, gathered, one).line)
        for one in current(gathered.visits)
    }


async def model(town: Town, actor: str, purpose: str, household: str) -> Model:
    """What the slow evaluator says of the facts as they are stored."""
    gathered = await gather(town.context, Caller.as_staff(actor, "tests"), [household])
    raw = scenario(gathered, actor, purpose, household)
    raw["records"] = []
    for one in current(gathered.visits):
        made = record_of(one, gathered.offices)
        assert made is not None
        raw["records"].append(
            {
                "id": one.id,
                "version": one.revision,
                "recorded_at": clock.written(one.recorded_at),
                "household": household,
                "program": made.program,
                "office": made.office,
                "commissioner": made.commissioner,
                "registration": made.registration,
                "date": made.date.isoformat(),
            }
        )
    return {
        line["record"]: {
            "visible": set(line["visible"]),
            "withheld": set(line["withheld_fields"]),
        }
        for line in Reference(raw).lines()
        if line["outcome"] == "shown"
    }


def leaves(report: dict[str, Any]) -> set[str]:
    """The fields of a report in the words of the vocabulary; entries that say nothing count not."""
    found: set[str] = set()
    for name, value in report.items():
        if name in {"source", "notes"}:
            found |= {f"{name}.{key}" for key in value}
        elif name in {"persons", "visitors"}:
            found |= {f"{name}[].{key}" for one in value for key in one}
        else:
            found.add(name)
    return found


def expected(report: dict[str, Any], said: dict[str, set[str]]) -> set[str]:
    """Which fields of a report may come out."""
    allowed = {field for one in said["visible"] for field in VOCABULARY.fields_of_category[one]}
    for name in said["withheld"]:
        gone = f"notes.{name.removeprefix('text:')}" if name.startswith("text:") else name
        allowed -= {gone} | {one for one in allowed if one.startswith(f"{gone}[].")}
    there = leaves(report)
    for name in ("persons", "visitors"):
        # An entry of which nothing that may be shown says anything does not come out at all.
        parts = {one for one in allowed if one.startswith(f"{name}[].")}
        says = any(
            entry[one.partition("].")[2]] is not None for entry in report[name] for one in parts
        )
        there -= set() if says else parts
    return there & allowed


async def timeline_gives(
    town: Town, actor: str, purpose: str, household: str
) -> dict[str, set[str]] | None:
    path = f"/api/v1/households/{household}/timeline?purpose={purpose}"
    headers = {**town.staff(actor), "Accept-Protected": "address"}
    async with town.session.get(path, headers=headers) as response:
        if response.status == 403:
            return None  # the token reads no households at all
        if response.status == 404:
            return {}
        found = await response.json()
        return {one["record"]: leaves(one["visit"]) for one in found["entries"]}


def folded(text: str) -> str:
    """A name or number as it is compared: full width, no spaces, no hyphens."""
    return "".join(unicodedata.normalize("NFKC", text).replace("-", "").split())


def sayings(report: dict[str, Any], fields: set[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """All that a search could find in these fields of a report: who says it, finds it."""
    if "case_no" in fields and report["case_no"]:
        yield (("case_no", report["case_no"]),)
    for one in report["persons"]:
        if "persons[].phone" in fields and one["phone"]:
            yield (("phone", folded(one["phone"])),)
        named = {"persons[].name", "persons[].birth_date"} <= fields
        if (
            named
            and one["role"] == "guardian"
            and len(one["birth_date"] or "") == len("2000-01-01")
        ):
            yield (("name", folded(one["name"])), ("birth_date", one["birth_date"]))


async def search_gives(
    town: Town, actor: str, purpose: str, sought: tuple[tuple[str, str], ...]
) -> list[dict[str, Any]]:
    body = {"purpose": purpose, **dict(sought)}
    path = "/api/v1/households/search"
    headers = {**town.staff(actor), "Accept-Protected": "address"}
    async with town.session.post(path, json=body, headers=headers) as response:
        if response.status == 403:
            return []
        found: dict[str, Any] = await response.json()
        return list(found["households"])


async def page_gives(town: Town, actor: str, purpose: str, household: str) -> str:
    """The page as text, as a browser gets it that signed in with the actor's token."""
    form = {"token": town.tokens.staff[actor]}
    origin = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    async with town.session.post(
        "/sign-in", data=form, headers=origin, allow_redirects=False
    ) as response:
        cookie = response.headers.get("Set-Cookie", "").split(";")[0]
    headers = {"Cookie": cookie, "Accept": "text/html"}
    async with town.session.get(
        f"/households/{household}?purpose={purpose}&lang=ja", headers=headers, allow_redirects=False
    ) as response:
        return (await response.text()) if response.status == 200 else ""


def texts(report: dict[str, Any], fields: set[str]) -> set[str]:
    """The texts of a report's fields of notes, names and addresses, long enough to tell apart."""
    found = {text for key, text in report["notes"].items() if f"notes.{key}" in fields}
    for one in report["persons"]:
        found |= {
            str(one[key]) for key in ("name", "address", "phone") if f"persons[].{key}" in fields
        }
    return {one for one in found if len(one) > 3 and one != "None"}


@pytest.mark.long
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
async def test_what_each_route_lets_out_is_what_the_model_says(
    town: Town, situation: Callable[[Town, str], Awaitable[None]]
) -> None:
    household = await settle(town)
    await situation(town, household)
    whole = await reports(town, household)
    known = sorted({one for each in whole.values() for one in sayings(each, leaves(each))})
    assert {one[0][0] for one in known} == {"case_no", "name", "phone"}
    compared = shown = 0
    for actor in ACTORS:
        for purpose in PURPOSES:
            said = await model(town, actor, purpose, household)
            may = {record: expected(whole[record], one) for record, one in said.items()}
            given = await timeline_gives(town, actor, purpose, household)
            if given is None:
                continue
            assert given == may, (actor, purpose)

            told = {one for record, fields in may.items() for one in sayings(whole[record], fields)}
            for sought in known if may else known[:1]:
                hits = await search_gives(town, actor, purpose, sought)
                found = [household] if sought in told else []
                assert [one["household"] for one in hits] == found, (actor, purpose, sought[0][0])
                for hit in hits:
                    keys = {f"persons[].{key}" for one in hit["persons"] for key in one}
                    assert any(keys <= fields for fields in may.values())

            text = await page_gives(town, actor, purpose, household)
            assert bool(text) == bool(may)
            hidden, open_to_them = set[str](), set[str]()
            for record, report in whole.items():
                fields = may.get(record, set())
                hidden |= texts(report, leaves(report) - fields)
                open_to_them |= texts(report, fields)
            hidden -= open_to_them
            assert not [one for one in hidden if one in text], (actor, purpose)
            compared += 1
            shown += bool(may)
    assert compared >= len(ACTORS) * len(PURPOSES) / 2
    assert shown or situation is nothing


def test_the_page_of_routes_is_made_from_the_route_table() -> None:
    written = Path("docs/reveals.md")
    if os.environ.get("REWRITE_DOCS"):
        written.write_text(page(), encoding="utf-8")
    assert written.read_text(encoding="utf-8") == page()


def test_every_route_that_releases_is_compared_here_or_where_it_is_tested_alone() -> None:
    """A lift lets an address past one shield, once: ``tests/service/test_lifts.py``."""
    released = {(one.method, one.path) for one in ROUTES if one.reveals == "released"}
    assert released == {
        ("POST", "/api/v1/households/search"),
        ("GET", "/api/v1/households/{household}/timeline"),
        ("POST", "/search"),
        ("GET", "/households/{household}"),
        ("POST", "/api/v1/lifts/{id}/use"),
    }
