"""H32: what URLs, Referer, User-Agent and other headers say is kept nowhere; ours name nobody."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import aiohttp
import pytest
import sqlalchemy as sa
import structlog
from experiments import canaries
from experiments.test_h30_browser import the_family
from web.conftest import Town
from web.family import WORKER
from yarl import URL

from visitsync import logs
from visitsync.envelope import record
from visitsync.service import entries, sealing, sought
from visitsync.store.tables import METADATA
from visitsync.web.app import ROUTES

SAID: Final = f"{canaries.SURNAME} {canaries.PHONE}"
WRITTEN: Final = quote(SAID)
_NAMES: Final = ("Referer", "User-Agent", "X-Forwarded-For", "Forwarded", "Via", "From", "X-Name")
HEADERS: Final = {
    **dict.fromkeys((*_NAMES, "X-Request-Id", "traceparent"), WRITTEN),
    "Cookie": f"name={WRITTEN}",
}
POLICIES: Final = {"same-origin", "no-referrer"}
CARE: Final = "care_coordination"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    stream = io.StringIO()
    logs.set_up(stream)
    yield stream
    structlog.configure(**before[2])
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before[:2]


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All that is sealed meanwhile, as it was before."""
    plain: list[bytes] = []

    def seal(key: bytes, context: Any, plaintext: bytes) -> bytes:
        plain.append(plaintext)
        return record.seal(key, context, plaintext)

    for module in (sealing, entries, sought):
        monkeypatch.setattr(module, "seal", seal)
    return plain


async def stored(town: Town) -> bytes:
    """Every row of every table."""
    rows = []
    async with town.context.database.reading() as connection:
        for table in METADATA.sorted_tables:
            rows += [tuple(one) for one in await connection.execute(sa.select(table))]
    return b"".join(
        one if isinstance(one, bytes) else str(one).encode() for row in rows for one in row
    )


async def asked_with_names(town: Town, home: str) -> list[aiohttp.ClientResponse]:
    """Each route with the words in its headers, in its query, as its id and behind its path."""
    answers = []
    for route in ROUTES:
        right = "/".join(home if part.startswith("{") else part for part in route.path.split("/"))
        wrong = "/".join(
            WRITTEN if part.startswith("{") else part for part in route.path.split("/")
        )
        for path in (
            f"{right}?purpose={CARE}",
            f"{right}?purpose={WRITTEN}&{WRITTEN}={WRITTEN}",
            f"{wrong}?purpose={CARE}",
            f"{right.rstrip('/')}/{WRITTEN}",
        ):
            url = URL(town.url).join(URL(path, encoded=True))
            sent = {**town.staff(WORKER), **HEADERS}
            async with town.session.request(
                route.method, url, headers=sent, allow_redirects=False
            ) as got:
                await got.read()
                answers.append(got)
    return answers


async def test_h32_what_a_url_or_a_header_says_is_kept_nowhere(
    town: Town, written: io.StringIO, sealed: list[bytes]
) -> None:
    home = await the_family(town)
    assert canaries.hits(b"".join(sealed)), "the control: what is handed in is sealed"
    sealed.clear()

    answers = await asked_with_names(town, home)

    needles = canaries.needles([canaries.SURNAME, canaries.PHONE])
    assert {200, 400, 403, 404} <= {one.status for one in answers}
    assert sealed, "looks were logged"
    for data in (b"".join(sealed), await stored(town), written.getvalue().encode()):
        assert canaries.hits(data, needles) == []
    assert canaries.files_with_hits(town.folder, needles) == []
    for one in answers:
        assert canaries.hits(str(one.raw_headers).encode(), needles) == []
        assert one.headers["Referrer-Policy"] in POLICIES


class Links(HTMLParser):
    """Where a page can lead, and what its forms would write into a URL."""

    def __init__(self) -> None:
        super().__init__()
        self.to: list[str] = []
        self.fields: list[str] = []
        self._by_url = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: said or "" for name, said in attrs}
        self.to += [given[one] for one in ("href", "src", "action", "formaction") if one in given]
        if tag == "form":
            self._by_url = given.get("method", "get").lower() == "get"
        elif self._by_url and tag in {"input", "select", "textarea", "button"} and "name" in given:
            self.fields.append(given["name"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._by_url = False


def led_from(page: str) -> Links:
    links = Links()
    links.feed(page)
    return links


MAY_STAND: Final = {"purpose", "program", "from", "to", "lang"}


async def test_h32_no_page_of_ours_writes_a_name_into_a_url(town: Town) -> None:
    home = await the_family(town)
    own = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    async with town.session.post(
        "/sign-in", data={"token": town.tokens.staff[WORKER]}, headers=own, allow_redirects=False
    ) as got:
        cookie = {**own, "Cookie": got.headers["Set-Cookie"].split(";")[0], "Accept": "text/html"}
    asked = {"purpose": CARE, "name": f"{canaries.SURNAME} 一", "birth_date": "1990-01-01"}
    pages = []
    for data in (asked, {"purpose": CARE, "kana": canaries.KANA}, {"purpose": CARE}):
        async with town.session.post("/search", data=data, headers=cookie) as got:
            pages.append(await got.text())
    for path in ("/search", f"/households/{home}?purpose={CARE}", f"/households/{home}?purpose=x"):
        async with town.session.get(path, headers=cookie) as got:
            pages.append(await got.text())
    assert sum(canaries.SURNAME in one for one in pages) >= 2
    for page in pages:
        found = led_from(page)
        assert found.to
        assert not canaries.hits(unquote("\n".join(found.to)).encode())
        assert {*found.fields} <= MAY_STAND


def test_h32_control_a_form_that_asks_by_url_is_noticed() -> None:
    template = Path("visitsync/web/templates/search.html").read_text(encoding="utf-8")
    changed = template.replace('method="post"', 'method="get"')
    assert {"name", "kana", "phone"} <= {*led_from(changed).fields}
    assert led_from(template).fields == []


async def test_h32_control_a_log_of_requests_would_have_it(
    town: Town, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_is_plain", lambda _: True)
    async with town.session.get("/healthz", headers={"User-Agent": WRITTEN}) as got:
        structlog.get_logger().info("request", where=got.request_info.headers["User-Agent"])
    assert canaries.hits(written.getvalue().encode())
