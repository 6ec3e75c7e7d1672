"""The pages: signing in, searching, reading a household's sheet; without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import aiohttp
import pytest
from web.conftest import Town
from web.family import CASE_NO, WORKER, consent, settle
from yarl import URL

from visitsync.cli.installation.at_hand import operator
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.service import directory, tokens
from visitsync.web import headers
from visitsync.web.language import LANGUAGES, Language
from visitsync.web.limits import Limits
from visitsync.web.pages.rendering import STATIC, TEXTS
from visitsync.web.pages.sessions import COOKIE

HTML = {"Accept": "text/html"}


class Browser:
    """Keeps cookies as a browser does, also those that are for TLS only."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, **sent: str) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("GET", path, None, sent)

    async def post(
        self, path: str, form: dict[str, str], **sent: str
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        return await self._ask("POST", path, form, {"Origin": self.town.url, **sent})

    async def _ask(
        self, method: str, path: str, form: dict[str, str] | None, sent: dict[str, str]
    ) -> tuple[int, str, aiohttp.ClientResponse]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        asked = {**HTML, **({"Cookie": cookie} if cookie else {}), **sent}
        async with self.town.session.request(
            method, path, data=form, headers=asked, allow_redirects=False
        ) as response:
            for name, morsel in response.cookies.items():
                self.cookies[name] = morsel.value
                if morsel["max-age"] == "0":
                    del self.cookies[name]
            return response.status, await response.text(), response

    async def sign_in(self, staff: str = WORKER) -> None:
        status, _, response = await self.post("/sign-in", {"token": self.town.tokens.staff[staff]})
        assert (status, response.headers["Location"]) == (303, "/search")


@pytest.fixture
def browser(town: Town) -> Browser:
    return Browser(town)


async def test_nobody_sees_a_page_without_signing_in(browser: Browser) -> None:
    for path in ("/search", "/households/x?purpose=care_coordination"):
        status, text, response = await browser.get(path)
        assert (status, response.headers["Location"], text) == (303, "/sign-in", "")
    status, _, response = await browser.get("/")
    assert (status, response.headers["Location"]) == (303, "/sign-in")


async def test_the_cookie_is_for_this_host_only_and_out_of_reach_of_scripts(
    browser: Browser,
) -> None:
    _, _, response = await browser.post("/sign-in", {"token": browser.town.tokens.staff[WORKER]})

    cookie = response.cookies[COOKIE]
    assert COOKIE.startswith("__Host-")
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


async def test_signing_in_gives_a_new_id_each_time_and_ends_the_old_one(browser: Browser) -> None:
    await browser.sign_in()
    first = dict(browser.cookies)
    await browser.sign_in()
    assert browser.cookies[COOKIE] != first[COOKIE]

    browser.cookies = first
    assert (await browser.get("/search"))[0] == 303


async def test_an_id_chosen_by_somebody_else_is_not_taken_over(browser: Browser) -> None:
    browser.cookies[COOKIE] = "chosen"
    await browser.sign_in()

    assert browser.cookies[COOKIE] != "chosen"


@pytest.mark.parametrize("token", ["", "nonsense", "鍵穴の形", "x" * 2000])
async def test_a_wrong_token_does_not_sign_in_and_is_not_repeated(
    browser: Browser, token: str
) -> None:
    status, text, _ = await browser.post("/sign-in", {"token": token})

    assert status == 403
    assert COOKIE not in browser.cookies
    assert not token or token not in text


async def test_signing_out_ends_the_session_on_the_server(browser: Browser) -> None:
    await browser.sign_in()
    kept = dict(browser.cookies)
    await browser.post("/sign-out", {})
    assert COOKIE not in browser.cookies

    browser.cookies = kept
    assert (await browser.get("/search"))[0] == 303


async def test_a_revoked_token_ends_its_sessions_at_once(browser: Browser) -> None:
    await browser.sign_in()
    assert (await browser.get("/search"))[0] == 200
    context = browser.town.context
    for one in await tokens.listed(context):
        if one.subject == WORKER:
            await tokens.revoke(context, operator(), one.token)

    household = "h" + "a" * 26
    status, _, _ = await browser.get(f"/households/{household}?purpose=care_coordination")
    assert status == 303


class TestIdle:
    """With a short patience."""

    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(session_idle_seconds=0.0)

    async def test_an_idle_session_has_ended(self, browser: Browser) -> None:
        await browser.sign_in()

        assert (await browser.get("/search"))[0] == 303


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/search"])
async def test_a_form_of_another_site_is_refused(
    browser: Browser, path: str, sent: dict[str, str]
) -> None:
    await browser.sign_in()
    status, _, _ = await browser.post(path, {"purpose": "care_coordination"}, **sent)

    assert status == 403
    assert (await browser.get("/search"))[0] == 200


async def test_a_form_with_more_fields_than_its_own_is_refused(browser: Browser) -> None:
    await browser.sign_in()
    status, _, _ = await browser.post("/search", {"purpose": "protection", "role": "auditor"})

    assert status == 400


async def test_searching_finds_and_leads_to_the_sheet(browser: Browser) -> None:
    household = await settle(browser.town)
    await consent(browser.town, household, "multiples", categories=("identity", "services"))
    await browser.sign_in()

    status, text, _ = await browser.post(
        "/search", {"purpose": "care_coordination", "case_no": CASE_NO}
    )
    assert status == 200
    assert "大石里美" in text
    (link,) = re.findall(r'href="(/households/[^"]+)"', text)
    assert URL(link.replace("&amp;", "&")).query["purpose"] == "care_coordination"
    assert "大石" not in link

    status, sheet, _ = await browser.get(link.replace("&amp;", "&"))
    assert status == 200
    assert "大石里美" in sheet
    assert "令和8年7月" in sheet.replace("</span>", "")
    assert "<svg" in sheet


async def test_a_search_without_enough_says_what_is_missing(browser: Browser) -> None:
    await browser.sign_in()
    status, text, _ = await browser.post("/search", {"purpose": "care_coordination"})

    assert status == 422
    assert 'role="alert"' in text


async def test_the_sheet_shows_only_what_was_released(browser: Browser) -> None:
    household = await settle(browser.town)
    given = await consent(browser.town, household, "household_support")
    await browser.sign_in()
    path = f"/households/{household}?purpose=care_coordination"
    _, sheet, _ = await browser.get(path)

    assert f"{given.id}@{given.version}" in sheet
    assert "ふたごみつご室" in sheet  # masked: whom to ask
    assert "大石" not in sheet
    assert "里美" not in sheet
    assert sheet.count('class="entry ') == 1


async def test_what_may_not_be_seen_is_a_page_that_says_nothing(browser: Browser) -> None:
    household = await settle(browser.town)
    await browser.sign_in()
    query = "?purpose=care_coordination"
    known = await browser.get(f"/households/{household}{query}")
    unknown = await browser.get(f"/households/{'h' + 'a' * 26}{query}")

    assert known[:2] == unknown[:2]
    assert known[0] == 404


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>"])
async def test_what_is_typed_is_shown_as_text(browser: Browser, bad: str) -> None:
    await browser.sign_in()
    _, text, _ = await browser.post("/search", {"purpose": "care_coordination", "name": bad})

    assert bad not in text
    assert "<script" not in text
    assert "<img" not in text


async def test_pages_speak_the_language_that_was_chosen_and_keep_it(browser: Browser) -> None:
    _, text, _ = await browser.get("/sign-in")
    assert 'lang="ja"' in text
    _, text, _ = await browser.get("/sign-in?lang=en")
    assert '<html lang="en">' in text
    _, text, _ = await browser.get("/sign-in")
    assert '<html lang="en">' in text


class _Checked(HTMLParser):
    """What a strict content policy and a screen reader mind."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self.open_labels = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "script" or "style" in names or any(name.startswith("on") for name in names):
            self.wrong.append(f"{tag} {names}")
        for name in ("src", "href", "action"):
            if (names.get(name) or "").startswith(("http", "//")):
                self.wrong.append(f"{tag} {names}")
        if tag == "label":
            self.open_labels += 1
        if tag in {"input", "select"} and names.get("type") != "hidden" and not self.open_labels:
            self.wrong.append(f"{tag} without a label")

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self.open_labels -= 1


async def test_no_page_has_a_script_a_style_of_its_own_or_anything_from_elsewhere(
    browser: Browser,
) -> None:
    household = await settle(browser.town)
    await consent(browser.town, household, "multiples", "household_support", categories=("notes",))
    await browser.sign_in()
    for path in ("/sign-in", "/search", f"/households/{household}?purpose=care_coordination", "/x"):
        _, text, response = await browser.get(path)
        checked = _Checked()
        checked.feed(text)
        assert checked.wrong == [], path
        assert headers.ALWAYS.items() <= dict(response.headers).items()
        assert response.headers["Cache-Control"] == "no-store"


async def test_what_pages_refer_to_is_there(browser: Browser) -> None:
    _, text, _ = await browser.get("/sign-in")
    for address in STATIC.values():
        assert address in text
        status, _, response = await browser.get(address)
        assert status == 200
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in response.headers["Cache-Control"]


async def test_the_greeting_is_the_name_of_the_directory(browser: Browser) -> None:
    person = next(
        one for one in (await directory.current(browser.town.context)).staff if one.id == WORKER
    )
    await browser.sign_in()

    assert person.name in (await browser.get("/search"))[1]


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_each_visible_category_of_each_entry_has_its_reason(
    browser: Browser, language: Language
) -> None:
    """In the answer by rule and ref, on the page in words."""
    household = await settle(browser.town)
    one = await consent(browser.town, household, "household_support", categories=("services",))
    two = await consent(browser.town, household, "multiples", "household_support")
    await browser.sign_in()
    path = f"/households/{household}?purpose=care_coordination"
    _, page, _ = await browser.get(path, **{"Accept-Language": language})
    async with browser.town.session.get(
        f"/api/v1/households/{household}/timeline?purpose=care_coordination",
        headers=browser.town.staff(WORKER),
    ) as response:
        entries = (await response.json())["entries"]

    shown = re.findall(r'<p class="why">(.*?)</p>', page)
    assert len(shown) == len(entries) > 1
    words = TEXTS[language]["shows"]
    said = {one.id: TEXTS[language]["why"]["C3"].format(ref=f"{one.id}@1") for one in (one, two)}
    whole = words["attendance"] + words["comma"] + words["services"]
    for program, line in {
        "household_support": (
            f"{said[one.id]}: {whole}",
            f"{said[two.id]}: {words['attendance']}",
        ),
        "multiples": (f"{said[two.id]}: {words['attendance']}",),
    }.items():
        mine = [each for each in entries if each["visit"]["program"] == program]
        assert mine
        for each in mine:
            reasons = {(why["category"], why["rule"], why["ref"]) for why in each["because"]}
            categories = {"attendance"} | ({"services"} if "services" in each["visit"] else set())
            assert {category for category, _, _ in reasons} == categories
        told = [one for one in shown if all(part in one for part in line)]
        assert len(told) >= len(mine)


def test_every_category_and_rule_has_its_words() -> None:
    for language in LANGUAGES:
        assert VOCABULARY.categories.keys() <= TEXTS[language]["shows"].keys()
        assert {"C1", "C2", "C3", "C5", "C6"} == TEXTS[language]["why"].keys()
