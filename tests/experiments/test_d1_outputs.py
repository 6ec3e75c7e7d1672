"""D1 (Hino): no kind of output tells where a family is to whom it is hidden from.

D2 (Tokushima): what does not heed the flag gets no address, whoever asks through it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import msgspec
import pytest
from experiments.outputs import HEEDS, RELEASING, About, Given, everything, unasked
from service.a_bundle import exported
from structlog.testing import LogCapture
from web.conftest import Town
from web.family import CASE_NO, NAMES, consent, settle

from visitsync.cli.installation.at_hand import operator
from visitsync.schema.visit import JST, Person, Source, Visit, Visitor, encode
from visitsync.service.caller import Caller
from visitsync.service.gathering import current, gather
from visitsync.service.timelines import reported_of

WORKER, STRANGER, CLERK, OFFICE_STAFF, OTHER_STAFF = "u01", "u02", "u06", "u13", "u14"
SUPERVISOR, AUDITOR, OFFICER = "u16", "u18", "u19"
EVERYBODY: Final = (
    *(WORKER, STRANGER, CLERK, OFFICE_STAFF, OTHER_STAFF, SUPERVISOR, AUDITOR, OFFICER),
)
OWN_OFFICE: Final = "shiomi-mt-01"
PLACES: Final = {
    "金糸雀町4-21-15",
    "918-7364",
    "000-9182-7364",
    "金糸雀小学校",
    "金糸雀医院",
    "金糸雀駅",
    "金糸雀荘",
    "金糸雀クリニック",
    "金糸雀ヘルパー",
    "金糸雀事業",
    "kanaria.tsv",
    "918273",
    "KANARIA-R1",
    "KANARIA-V1",
}
"""One in every field of a report that can tell where they are; free text too."""
CATEGORIES: Final = ("services", "notes", "health", "child_protection", "contact", "identity")


def a_report() -> Visit:
    day = dt.date(2026, 9, 20)
    mother = Person(
        role="guardian",
        name="大石　里美",
        kana="オオイシ　サトミ",
        birth_date="1991-09-14",
        sex=None,
        postal_code="918-7364",
        address="汐見市金糸雀町4-21-15",
        phone="000-9182-7364",
        identifiers={},
    )
    return Visit(
        program="multiples",
        source=Source(
            office=OWN_OFFICE,
            record_id="KANARIA-R1",
            revision=1,
            state="active",
            local_program="金糸雀事業",
            file="kanaria.tsv",
            row=918273,
        ),
        case_no=CASE_NO,
        persons=(mother,),
        basis="application",
        outcome="done",
        start=dt.datetime.combine(day, dt.time(9, 30), JST),
        end=dt.datetime.combine(day, dt.time(11), JST),
        date=day,
        place="home",
        visitors=(Visitor(id="KANARIA-V1", name="金糸雀ヘルパー", qualification=None),),
        services=("housework.cooking",),
        units=None,
        fee=None,
        notes={
            "notes": "上の子は金糸雀小学校に通う",
            "health": "金糸雀医院で健診",
            "child_protection": "金糸雀駅で父に会った",
            "contact": "金糸雀荘へ転居",
        },
        health={"clinic": "金糸雀クリニック"},
        confirmed_by="none",
    )


async def a_family(town: Town) -> About:
    """Reported with a place in every field, and with a consent for all of it."""
    household = await settle(town)
    headers = {**town.office(OWN_OFFICE), "Content-Type": "application/x-ndjson"}
    path = f"/api/v1/offices/{OWN_OFFICE}/submissions"
    async with town.session.post(path, data=encode(a_report()), headers=headers) as response:
        assert (await response.json())["counts"]["created"] == 1
    await consent(town, household, "multiples", "household_support", categories=CATEGORIES)
    return About(household)


async def places_of(town: Town, household: str, *, without: str = "") -> set[str]:
    """Every address, telephone and case number of the family that this office did not write."""
    gathered = await gather(town.context, Caller.as_staff(WORKER, "tests"), [household])
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for one in current(gathered.visits):
        report = msgspec.json.decode(reported_of(town.context, gathered, one).line)
        persons = report["persons"]
        said = {person[name] for person in persons for name in ("address", "phone")}
        said |= {report["case_no"], report["source"]["record_id"], report["notes"].get("contact")}
        found[one.office == without] |= {text for text in said if text and len(text) > 4}
    found[True].add(CASE_NO)  # a page repeats what was asked for
    return (found[False] | (PLACES if without != OWN_OFFICE else set())) - found[True]


async def post(town: Town, actor: str, path: str, body: Any = None) -> dict[str, Any]:
    async with town.session.post(
        f"/api/v1/{path}", json=body or {}, headers={**town.staff(actor), **HEEDS}
    ) as response:
        assert response.status < 300, await response.text()
        found: dict[str, Any] = await response.json()
        return found


async def shielded(town: Town, about: About, **said: Any) -> About:
    shield = (await post(town, OFFICER, f"households/{about.household}/shields", said))["id"]
    lift = {"recipient": f"viewer:{WORKER}", "document": "court_document", "reason": "提出"}
    asked = await post(town, OFFICER, f"shields/{shield}/lifts", lift)
    return about._replace(shield=shield, lift=asked["id"])


async def blocked(town: Town, about: About, *who: str) -> About:
    body = {"who": list(who)}
    made = await post(town, OFFICER, f"households/{about.household}/blocks", body)
    return about._replace(block=made["id"])


def telling(given: list[Given], places: set[str]) -> set[tuple[str, str, str]]:
    return {(one.method, one.path, place) for one in given for place in places if place in one.text}


def test_d1_every_route_that_reveals_anything_is_asked() -> None:
    assert unasked() == set()


@pytest.mark.long
@pytest.mark.parametrize("withhold_notes", [True, False])
async def test_d1_0_outputs_tell_where_a_shielded_family_is(
    town: Town, log: LogCapture, *, withhold_notes: bool
) -> None:
    about = await shielded(town, await a_family(town), withhold_notes=withhold_notes)
    asked = answered = 0
    actors = EVERYBODY if withhold_notes else (WORKER, OFFICE_STAFF)
    for actor in actors:
        own = OWN_OFFICE if actor == OFFICE_STAFF else ""
        places = await places_of(town, about.household, without=own)
        given = await everything(town, actor, about)
        assert telling(given, places) == set(), actor
        asked += len(given)
        answered += sum(one.status == 200 for one in given)
    assert asked > 40 * len(actors)
    assert answered > 10 * len(actors)
    bundle = await exported(town.context, operator())
    assert not [one for one in (*PLACES, *NAMES) if one.encode() in bundle]
    assert not [one for one in (*PLACES, *NAMES) if one in repr(log.entries)]


@pytest.mark.long
async def test_d1_for_whom_it_is_hidden_from_nothing_is_generated(town: Town) -> None:
    about = await a_family(town)
    about = await blocked(town, about, f"viewer:{WORKER}", f"viewer:{OFFICE_STAFF}")
    names = await places_of(town, about.household) | PLACES | {"大石　里美", "オオイシ　サトミ"}
    for actor in (WORKER, OFFICE_STAFF):
        given = await everything(town, actor, about)
        assert telling(given, names) == set(), actor
        for one in given:
            if "{household}" in one.path or "{block}" in one.path:
                assert one.status in {403, 404, 422, 400}, one
            if one.method == "terminal":
                assert one.status == 1
    about = await blocked(town, about, "office:shiomi-hs-01")
    given = await everything(town, "u11", about)
    places = await places_of(town, about.household, without="shiomi-hs-01")
    assert telling(given, places) == set()


@pytest.mark.long
async def test_d1_control_without_a_protection_every_place_comes_out(town: Town) -> None:
    """So the places are planted where outputs would show them."""
    about = await a_family(town)
    given = await everything(town, WORKER, about, among=RELEASING)
    shown = {place for _, _, place in telling(given, PLACES)}
    assert shown == PLACES
    releasing = {(method, path) for method, path, _ in telling(given, PLACES)}
    assert {("GET", "/households/{household}"), ("terminal", "")} <= releasing


# ── D2 ────────────────────────────────────────────────────────────────────────────────────────────
def in_json(given: list[Given]) -> list[Given]:
    return [
        one
        for one in given
        if one.path.startswith("/api/") or (one.method == "terminal" and "--json" in one.path)
    ]


@pytest.mark.long
async def test_d2_100_percent_of_outputs_carry_the_flag_and_without_heeding_it_none_tell(
    town: Town,
) -> None:
    """Asked by who is allowed: a worker on the shield's list, and the office itself."""
    about = await a_family(town)
    council = "role:child_protection_worker@agency:shiomi-city"
    about = await shielded(town, about, allowed=[council, f"viewer:{WORKER}"])
    flagged: set[tuple[str, str]] = set()
    for actor in (WORKER, OFFICE_STAFF):
        heeding = await everything(town, actor, about, among=RELEASING)
        heedless = await everything(town, actor, about, {}, RELEASING)

        places = await places_of(town, about.household)
        assert telling(in_json(heedless), places) == set()
        told = {place for _, _, place in telling(in_json(heeding), PLACES)}
        assert told == PLACES, "the control: who heeds it gets what they are allowed"
        for one in (*heeding, *heedless):
            if one in in_json([one]) and ('"entries"' in one.text or '"persons"' in one.text):
                assert '"protected":true' in one.text.replace(" ", ""), one.path
                flagged.add((one.method, one.path))
            if one.path in {"/households/{household}", "/search"} and about.household in one.text:
                assert "住所の保護" in one.text, one.path
                flagged.add((one.method, one.path))
            table = one.method == "terminal" and "--json" not in one.path
            if table and one.path != "explain" and one.status == 0:
                assert "住所の保護" in one.text or "Address protected" in one.text
                flagged.add((one.method, one.path))
    lift = ("POST", "/api/v1/lifts/{lift}/use")  # shown below
    assert flagged >= RELEASING - {lift}
    assert {path for method, path in flagged if method == "terminal"} == {
        *("", "--json", "--json --accept-protected")
    }


@pytest.mark.parametrize("value", ["", "yes", "Address", "address, address", "*"])
async def test_d2_only_the_word_itself_says_that_the_flag_is_heeded(town: Town, value: str) -> None:
    about = await shielded(town, await a_family(town))
    path = f"/api/v1/households/{about.household}/timeline?purpose=service_delivery"
    for sent, wanted in ((value, False), ("address", True)):
        headers = {**town.staff(OFFICE_STAFF), "Accept-Protected": sent}
        async with town.session.get(path, headers=headers) as response:
            assert ("金糸雀町" in await response.text()) == wanted


async def test_d2_a_lift_is_not_used_up_by_a_client_that_does_not_heed_it(town: Town) -> None:
    about = await shielded(town, await a_family(town))
    await post(town, SUPERVISOR, f"lifts/{about.lift}/approve")
    path, body = f"/api/v1/lifts/{about.lift}/use", {"purpose": "care_coordination"}
    async with town.session.post(path, json=body, headers=town.staff(WORKER)) as response:
        problem = await response.json()
    assert (response.status, problem["where"]) == (400, "Accept-Protected")

    lifted = await post(town, WORKER, f"lifts/{about.lift}/use", body)

    assert lifted["protected"]
    assert any("金糸雀町" in (one["address"] or "") for one in lifted["persons"])


async def test_d2_an_open_family_is_shown_without_a_flag_and_without_heeding(town: Town) -> None:
    about = await a_family(town)
    path = f"/api/v1/households/{about.household}/timeline?purpose=care_coordination"
    async with town.session.get(path, headers=town.staff(WORKER)) as response:
        found = await response.json()
    assert found["protected"] is False
    assert "金糸雀町" in str(found)


async def test_d2_the_log_says_what_was_really_shown(town: Town) -> None:
    council = "role:child_protection_worker@agency:shiomi-city"
    about = await a_family(town)
    about = await shielded(town, about, allowed=[council, f"viewer:{WORKER}"])
    path = f"/api/v1/households/{about.household}/timeline?purpose=care_coordination"
    for headers in ({}, HEEDS):
        async with town.session.get(path, headers={**town.staff(WORKER), **headers}) as response:
            assert response.status == 200

    path = f"/api/v1/households/{about.household}/accesses?purpose=audit"
    async with town.session.get(path, headers=town.staff(AUDITOR)) as response:
        heedless, heeding = (await response.json())["accesses"][-2:]
    telling = {"contact", "notes", "health", "child_protection"}
    assert telling.isdisjoint(heedless["categories"])
    assert {"attendance", "identity", "services"} <= set(heedless["categories"])
    assert telling <= set(heeding["categories"])
