"""H27: the emergency door is used for curiosity. Limits hold, each try is told, nobody is named."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from build import FAMILY, OPERATOR, OTHER_FAMILY, a_visit, handed_in, home_of
from service.protected import (
    DEPUTY,
    OFFICER,
    a_home,
    as_staff,
    logged,
    shielded,
    shift,
)
from web.conftest import Town
from web.family import NAMES, STRANGER, settle

from visitsync.errors import NotProven, NotSignedIn, TooManyRequests, UnknownHousehold
from visitsync.service import emergencies, messages, tokens
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.emergencies import MOST_A_DAY, EmergencyDraft
from visitsync.service.timelines import view

IN_A_ROW = 30
DAY = 86_400_000_000
EVERYTHING = ("contact", "identity", "notes", "health", "services", "child_protection")


def a_draft(proof: str) -> EmergencyDraft:
    return EmergencyDraft(
        reason="child_in_danger", text="泣き声の通報", categories=EVERYTHING, hours=4, proof=proof
    )


async def signed_in(context: Context, who: str = "other") -> tuple[Caller, str]:
    issued = await tokens.issue(context, OPERATOR, subject=f"staff:{who}", days=1)
    return await tokens.authenticate(context, issued.secret), issued.secret


async def test_h27_of_30_in_a_row_5_are_granted_and_30_are_told_to_each_officer(
    context: Context,
) -> None:
    """Over two households by turns, through two tokens: it is the person who is counted."""
    home = await a_home(context)
    await handed_in(context, [a_visit(9, case_no="F-9", persons=OTHER_FAMILY)])
    second = await home_of(context, "F-9")
    signed = [await signed_in(context), await signed_in(context)]
    became: Counter[str] = Counter()
    for number in range(IN_A_ROW):
        caller, secret = signed[number // 2 % 2]
        try:
            await emergencies.ask(context, caller, (home, second)[number % 2], a_draft(secret))
            became["granted"] += 1
        except TooManyRequests:
            became["refused"] += 1

    assert became == {"granted": MOST_A_DAY, "refused": IN_A_ROW - MOST_A_DAY}
    assert len(await logged(context, "break_glass")) == IN_A_ROW
    for officer in (OFFICER, DEPUTY):
        told = (await messages.mine(context, officer, limit=100)).messages
        assert len(told) == IN_A_ROW
        said = repr(told)
        names = [str(person.name) for person in (*FAMILY, *OTHER_FAMILY)]
        assert not [one for one in (home, second, "viewer:other", *names) if one in said]
    # The controls: the next day, and somebody else today.
    await shift(context, "emergency", asked_at=DAY + 1)
    assert (await emergencies.ask(context, *drafted(home, signed[0]))).status == "granted"
    chief = await signed_in(context, "chief")
    assert (await emergencies.ask(context, *drafted(home, chief))).status == "granted"


def drafted(home: str, signed: tuple[Caller, str]) -> tuple[Caller, str, EmergencyDraft]:
    return signed[0], home, a_draft(signed[1])


async def test_h27_an_expired_session_opens_nothing(context: Context) -> None:
    home = await a_home(context)
    caller, secret = await signed_in(context)
    over = msgspec.structs.replace(caller, expires_at=1)
    with pytest.raises(NotSignedIn):
        await emergencies.ask(context, over, home, a_draft(secret))
    fresh, _ = await signed_in(context)
    with pytest.raises(NotProven):
        await emergencies.ask(context, fresh, home, a_draft(secret))

    assert not await logged(context, "break_glass")
    with pytest.raises(UnknownHousehold):
        await view(context, as_staff("other"), home, "protection", acknowledged=True)


async def test_h27_a_grant_opens_no_second_household_and_no_address(context: Context) -> None:
    home = await a_home(context)
    await handed_in(context, [a_visit(9, case_no="F-9", persons=OTHER_FAMILY)])
    second = await home_of(context, "F-9")
    caller, secret = await signed_in(context)
    await emergencies.ask(context, caller, home, a_draft(secret))
    with pytest.raises(UnknownHousehold):
        await view(context, caller, second, "protection", acknowledged=True)
    seen = await view(context, caller, home, "protection", acknowledged=True)
    assert any(one["address"] for entry in seen.entries for one in entry.fields["persons"])

    await shielded(context, home)

    seen = await view(context, caller, home, "protection", acknowledged=True)
    assert seen.entries
    text = b"".join(entry.line for entry in seen.entries).decode()
    for person in FAMILY:
        assert not [one for one in (person.address, person.phone) if one and one in text]
    assert '"place"' not in text
    assert '"visitors"' not in text


async def test_h27_no_alert_as_it_is_read_names_anybody(town: Town) -> None:
    """Over HTTP, with the sentence that is read; a browser's session does not open it."""
    home = await settle(town)
    body: dict[str, Any] = {
        "reason": "child_in_danger",
        "text": "泣き声の通報",
        "categories": ["contact"],
        "proof": town.tokens.staff[STRANGER],
    }
    path = f"/api/v1/households/{home}/break-glass"
    form = {"token": town.tokens.staff[STRANGER]}
    origin = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    async with town.session.post(
        "/sign-in", data=form, headers=origin, allow_redirects=False
    ) as response:
        cookie = {"Cookie": response.headers["Set-Cookie"].split(";")[0]}
    async with town.session.post(path, json=body, headers=cookie) as response:
        assert response.status == 401
    statuses: Counter[int] = Counter()
    for _ in range(IN_A_ROW):
        async with town.session.post(path, json=body, headers=town.staff(STRANGER)) as response:
            statuses[response.status] += 1
    assert statuses == {201: MOST_A_DAY, 429: IN_A_ROW - MOST_A_DAY}

    async with town.session.get("/api/v1/messages", headers=town.staff("u19")) as response:
        text = await response.text()
        assert len((await response.json())["messages"]) == IN_A_ROW
    assert not [one for one in (*NAMES, home, f'"{STRANGER}"', body["text"]) if one in text]
