"""H30, H32: what a real browser keeps of a household that somebody looked at."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest
from experiments import canaries
from experiments.browser import NONE_FOUND, Tab, binary, browsing
from web.conftest import Town
from web.family import WORKER, consent

pytestmark = pytest.mark.skipif(binary() is None, reason=NONE_FOUND)

KEPT: Final = """(async () => ({
  local: Object.entries(localStorage), session: Object.entries(sessionStorage),
  cookies: document.cookie, caches: window.caches ? await caches.keys() : [],
  databases: await indexedDB.databases(),
  workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
}))()"""
NOTHING: Final[dict[str, Any]] = {
    "local": [],
    "session": [],
    "cookies": "",
    "caches": [],
    "databases": [],
    "workers": 0,
}
CARE: Final = "care_coordination"
NAME: Final = f"{canaries.SURNAME} 一"


async def the_family(town: Town) -> str:
    path = f"/api/v1/offices/{canaries.OFFICE}/submissions"
    headers = {**town.office(canaries.OFFICE), "Content-Type": "application/x-ndjson"}
    async with town.session.post(path, data=canaries.reports(), headers=headers) as got:
        assert got.status == 200
    body = {"purpose": "service_delivery", "case_no": canaries.CASE_NO}
    headers = town.staff("u13")
    async with town.session.post("/api/v1/households/search", json=body, headers=headers) as got:
        home = str((await got.json())["households"][0]["household"])
    await consent(town, home, "multiples", categories=("identity", "contact", "notes"))
    return home


async def looked(tab: Tab, town: Town) -> list[str]:
    """Sign in, search by name, open what is found; where the browser stood."""
    stood = []
    await tab.go(f"{town.url}/sign-in")
    await _send(tab, "token", token=town.tokens.staff[WORKER])
    await tab.until("location.pathname == '/search' && document.readyState == 'complete'")
    stood.append(await tab.tell("location.href"))
    await _send(
        tab, "name", purpose=CARE, name=NAME, kana=f"{canaries.KANA} ア", birth_date="1990-01-01"
    )
    await tab.until("document.querySelector('ul.found a') && document.readyState == 'complete'")
    stood.append(await tab.tell("location.href"))
    await tab.tell("document.querySelector('ul.found a').click()")
    await tab.until("location.pathname.startsWith('/households/')")
    await tab.until("document.readyState == 'complete'")
    stood += [await tab.tell("location.href"), await tab.tell("document.referrer")]
    return stood


async def _send(tab: Tab, of: str, **fields: str) -> None:
    for name, said in fields.items():
        await tab.tell(f"document.querySelector('main [name={name}]').value = '{said}'")
    await tab.tell(f"document.querySelector('main [name={of}]').form.requestSubmit()")


async def test_h30_a_browser_keeps_nothing_of_a_household(town: Town, tmp_path: Path) -> None:
    await the_family(town)
    profile = tmp_path / "profile"
    async with browsing(profile) as tab:
        stood = await looked(tab, town)
        assert canaries.hits((await tab.tell("document.body.innerText")).encode())
        assert await tab.tell(KEPT) == NOTHING
        assert not [one for one in stood if canaries.hits(unquote(one).encode())]
        assert not canaries.hits((await tab.tell("document.title")).encode())
    # Not reached: a browser keeps, to show its tabs again, what was sent with the last search.
    kept = [one for one in canaries.files_with_hits(profile) if "/Sessions/" not in one]
    assert kept == []
    shown_only = canaries.needles([canaries.NOTE, canaries.PLACE, canaries.PHONE])
    assert canaries.files_with_hits(profile, shown_only) == []


async def test_h30_control_a_browser_does_keep_what_it_may(town: Town, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    async with browsing(profile) as tab:
        await tab.go(f"{town.url}/sign-in?lang=ja#{canaries.SURNAME}")
        await tab.tell(f"localStorage.setItem('x', '{NAME}')")
        assert (await tab.tell(KEPT))["local"] == [["x", NAME]]
        await tab.go(f"{town.url}/sign-in?lang=en")
    assert canaries.files_with_hits(profile)
    shutil.rmtree(profile)
