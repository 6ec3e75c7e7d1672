"""Guardians and court orders over HTTP."""

from __future__ import annotations

from typing import Any

from web.conftest import Town
from web.family import CASE_NO, STRANGER, WORKER, settle

FATHER: dict[str, Any] = {
    "person": "father",
    "authority": "joint",
    "basis": "register",
    "from": "2026-04-01",
}
ORDER: dict[str, Any] = {"order": "protection_order", "against": "father", "from": "2026-04-01"}


async def sent(town: Town, path: str, body: Any, staff: str = WORKER) -> tuple[int, dict[str, Any]]:
    async with town.session.post(
        f"/api/v1/{path}", json=body, headers=town.staff(staff)
    ) as response:
        return response.status, await response.json()


async def listed(town: Town, household: str, staff: str = WORKER) -> tuple[int, dict[str, Any]]:
    path = f"/api/v1/households/{household}/guardians?purpose=care_coordination"
    async with town.session.get(path, headers=town.staff(staff)) as response:
        return response.status, await response.json()


async def test_recorded_listed_and_ended(town: Town) -> None:
    household = await settle(town)
    status, guardian = await sent(town, f"households/{household}/guardians", FATHER)
    assert status == 201
    status, order = await sent(town, f"households/{household}/court-orders", ORDER)
    assert (status, order["advice"]) == (201, ["begin_shield"])

    status, found = await listed(town, household)
    assert status == 200
    (one,) = found["guardians"]
    assert one["said"] == {**FATHER, "until": None}
    assert (one["holds"], one["decided"]) == (True, [])
    assert found["orders"][0]["said"]["order"] == "protection_order"

    for path, made in (("guardians", guardian), ("court-orders", order)):
        status, ended = await sent(town, f"{path}/{made['id']}/end", {"until": "2026-05-01"})
        assert (status, ended["version"]) == (200, 2)
    _, found = await listed(town, household)
    assert not found["guardians"][0]["holds"]
    assert not found["orders"][0]["holds"]


async def test_a_stranger_is_told_what_everybody_is_told_of_no_household(town: Town) -> None:
    household = await settle(town)
    nobody = "h" + "a" * 26
    for path in ("guardians", "court-orders"):
        body = FATHER if path == "guardians" else ORDER
        answers = [
            await sent(town, f"households/{one}/{path}", body, STRANGER)
            for one in (household, nobody)
        ]
        assert [status for status, _ in answers] == [404, 404]
        told = [{**said, "instance": None} for _, said in answers]
        assert told[0] == told[1]
    assert (await listed(town, household, STRANGER))[0] == 404


async def test_a_name_cannot_stand_where_an_id_belongs(town: Town) -> None:
    household = await settle(town)
    for wrong in (
        {"person": "大石 里美"},
        {"person": ""},
        {"name": CASE_NO},
        {"from": "yesterday"},
    ):
        status, said = await sent(town, f"households/{household}/guardians", FATHER | wrong)
        assert status == 400
        assert "大石" not in str(said)
