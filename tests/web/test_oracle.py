"""Nobody can tell from an answer, or from the work behind it, whether there is a household.

What is answered and logged, and every statement, unwrapping, sealing and opening on the way, is the
same for one that there is not, one that is not the caller's, and one that is protected from them.
So their times are too, but for a few rows of facts; `bench/oracle.py` measures them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from web.asking import (
    BLOCKED,
    OTHER_CLERK,
    OTHER_OFFICE,
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
from web.family import CASE_NO, STRANGER, WORKER

from visitsync.consent import Scenario, read_scenario, scenario, statements
from visitsync.envelope import construction
from visitsync.service import gathering, nobody, search
from visitsync.service.context import Context
from visitsync.service.keyring import DataKey
from visitsync.service.placed import open_profile
from visitsync.store import access_log, data_keys, households
from visitsync.store.facts import Known
from visitsync.store.prepared import Prepared
from visitsync.store.visits import Within


@pytest.fixture
async def city(context: Context) -> AsyncIterator[Town]:
    # No two families share a token by chance, which a search would look into.
    async with context.database.writing() as connection:
        await connection.execute(sa.text("UPDATE index_key SET token_bits = 64"))
    async with a_town(context) as town:
        yield town


class Work(NamedTuple):
    """What one request made the service do, in order."""

    statements: Sequence[str]
    rows: Mapping[str, int]
    """By statement."""
    sealed: int
    opened: int
    facts: int
    """Read by the rules."""
    scenes: int
    """Questions that were read with their facts."""


def _is_signing() -> bool:
    """Whether the log's head is being signed, which happens every second, whoever asks for what."""
    task = asyncio.current_task()
    return task is not None and task.get_name() == "signing"


class _Watch:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._statements: list[str] = []
        self._rows: dict[str, int] = {}
        self._counted = {"encrypt": 0, "decrypt": 0}
        self._facts = self._scenes = 0
        fetch = Prepared.fetch

        async def watched(
            one: Prepared, connection: AsyncConnection, **values: object
        ) -> Sequence[Sequence[Any]]:
            rows = await fetch(one, connection, **values)
            if _is_signing():
                return rows
            sql = one._for(connection).sql  # noqa: SLF001 -- what is sent is what is compared
            self._statements.append(sql)
            self._rows[sql] = self._rows.get(sql, 0) + len(rows)
            return rows

        state = statements.state

        def stated(kind: type, raw: object) -> Any:
            self._facts += 1
            return state(kind, raw)

        patch.setattr(Prepared, "fetch", watched)
        patch.setattr(scenario, "state", stated)

        def scene(*given: Any) -> Scenario:
            self._scenes += 1
            return read_scenario(*given)

        patch.setattr(gathering, "read_scenario", scene)
        for name in self._counted:
            patch.setattr(construction, name, self._counting(name, getattr(construction, name)))

    def _counting(self, name: str, real: Any) -> Any:
        def counted(*given: object) -> object:
            self._counted[name] += 1
            return real(*given)

        return counted

    def note(self, *about: Any) -> None:
        if not _is_signing():
            self._statements.append(str(about[2]))

    @contextmanager
    def work(self) -> Iterator[list[Work]]:
        self._statements, self._rows = [], {}
        self._counted.update(encrypt=0, decrypt=0)
        self._facts = self._scenes = 0
        found: list[Work] = []
        yield found
        found.append(
            Work(
                tuple(self._statements),
                dict(self._rows),
                self._counted["encrypt"],
                self._counted["decrypt"],
                self._facts,
                self._scenes,
            )
        )


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Watch]:
    made = _Watch(monkeypatch)
    sa.event.listen(sa.Engine, "before_cursor_execute", made.note)
    yield made
    sa.event.remove(sa.Engine, "before_cursor_execute", made.note)


class Told(NamedTuple):
    """One request: what was answered, done and logged."""

    answer: Answer
    work: Work
    logged: Sequence[tuple[str, str, frozenset[str]]]
    """Kind, decision and members of each entry."""

    def differences(self, other: Told) -> list[str]:
        """In what two of them can be told apart."""
        found = [
            name
            for name, one, another in (
                ("status", self.answer.status, other.answer.status),
                ("headers", self.answer.headers, other.answer.headers),
                ("body", self.answer.body, other.answer.body),
                ("statements", self.work.statements, other.work.statements),
                ("sealed", self.work.sealed, other.work.sealed),
                ("opened", self.work.opened, other.work.opened),
                ("logged", self.logged, other.logged),
            )
            if one != another
        ]
        if _reads_visits(self.work) or _reads_visits(other.work):
            found += ["facts"] * (self.work.facts != other.work.facts)
            found += ["scenes"] * (self.work.scenes != other.work.scenes)
        return found + [
            f"rows of {sql[:60]}"
            for sql in self.work.rows.keys() | other.work.rows.keys()
            if _READS_VISITS in sql and self.work.rows.get(sql) != other.work.rows.get(sql)
        ]


_READS_VISITS = "visit.sealed"
"""How many visits there are must not be felt."""


def _reads_visits(work: Work) -> bool:
    return any(_READS_VISITS in one for one in work.statements)


async def told(  # noqa: PLR0913, PLR0917 -- which route, how, by whom, about what
    town: Town, watch: _Watch, name: str, way: Way, staff: str, one: str
) -> Told:
    before = await _size(town)
    with watch.work() as work:
        answer = await ask(town, name, way, staff, one)
    return Told(answer, work[0], await _logged(town, before))


async def _size(town: Town) -> int:
    async with town.context.database.reading() as connection:
        return (await access_log.head(connection)).size


async def _logged(town: Town, before: int) -> list[tuple[str, str, frozenset[str]]]:
    async with town.context.database.reading() as connection:
        head = await access_log.head(connection)
        rows = [one async for one in access_log.rows(connection, head.shard, before)]
    leaves = [msgspec.json.decode(one.leaf) for one in rows]
    return [(one["kind"], str(one.get("decision")), frozenset(one)) for one in leaves]


def unknown_like(one: str) -> str:
    """An id of the same form that nothing has."""
    return one[0] + UNKNOWN[1:]


def ways(names: Iterable[str]) -> list[tuple[str, Way, str]]:
    return [(name, way, staff) for name in names for way in WAYS[name] for staff in way.refused]


async def all_differences(
    town: Town, watch: _Watch, home: Home, names: Collection[str]
) -> dict[str, list[str]]:
    """By route and who asks, in what none and theirs-not can be told apart; cold and warm."""
    found = {}
    for name, each, staff in ways(names):
        way, one = each.about(home), home.id_for(name)
        # Whatever is made once, such as a session, is made before.
        await ask(town, name, way, staff, unknown_like(one))
        for temperature in ("cold", "warm"):
            if temperature == "cold":
                town.context.keyring.forget(home.household)
            theirs_not = await told(town, watch, name, way, staff, one)
            none = await told(town, watch, name, way, staff, unknown_like(one))
            assert none.answer.status == 404, (name, staff, none.answer.body)
            assert [kind for kind, *_ in none.logged] == ["denied"], name
            if different := theirs_not.differences(none):
                found[f"{name}{way.query} by {staff}, {temperature}"] = different
    return found


async def test_no_route_tells_a_household_that_is_not_theirs_from_none(
    city: Town, watch: _Watch
) -> None:
    home = await a_home(city)

    assert await all_differences(city, watch, home, WAYS) == {}

    # Control: for somebody it is there, so what was asked would have been answered.
    for name, each in WAYS.items():
        for way in each:
            answer = await ask(city, name, way.about(home), way.may, home.id_for(name))
            assert answer.status != 404, (name, way.may)


def test_every_route_that_takes_an_id_is_asked() -> None:
    offices = {name for name in with_ids() if "{office}" in name}
    assert with_ids().keys() - offices == WAYS.keys()


# ── searching ─────────────────────────────────────────────────────────────────────────────────────
SEARCH = "POST /api/v1/households/search"
NAMED = {"kana": "オオイシ　サトミ", "birth_date": "1991-09-14"}
NOBODY = {"kana": "ナナシノ　ダレカ", "birth_date": "1991-09-14"}
SEARCHES = (
    (NAMED, NOBODY),
    ({"case_no": CASE_NO}, {"case_no": "F-999"}),
    ({**NAMED, "case_no": CASE_NO}, {**NOBODY, "case_no": "F-999"}),
)


async def test_no_search_tells_a_family_that_is_not_theirs_from_none(
    city: Town, watch: _Watch
) -> None:
    home = await a_home(city)
    found = {}
    for staff, purpose in (
        (STRANGER, "care_coordination"),
        (BLOCKED, "care_coordination"),
        (OTHER_OFFICE, "service_delivery"),
        (OTHER_CLERK, "billing"),
    ):
        # Whatever is read once, such as who the token's is, is read before.
        await ask(city, SEARCH, Way("", (), {"purpose": purpose, "case_no": "F-998"}), staff, "")
        for there, not_there in SEARCHES:
            city.context.keyring.forget(home.household)
            asked = [
                await told(city, watch, SEARCH, Way("", (), {"purpose": purpose, **one}), staff, "")
                for one in (there, not_there)
            ]
            assert asked[1].answer.body == b'{"households":[]}'
            assert [kind for kind, *_ in asked[1].logged] == ["search"]
            if different := asked[0].differences(asked[1]):
                found[f"{staff} {sorted(there)}"] = different

    assert found == {}
    # Control: for somebody they are found, who heeds the protection.
    for there, _ in SEARCHES:
        async with city.session.post(
            "/api/v1/households/search",
            json={"purpose": "care_coordination", **there},
            headers={**city.staff(WORKER), "Accept-Protected": "address"},
        ) as response:
            assert home.household in await response.text()


# ── controls: each way of making it alike taken away ──────────────────────────────────────────────
TIMELINE = "GET /api/v1/households/{household}/timeline"


async def test_control_visits_that_stay_hidden_are_not_read(
    city: Town, watch: _Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_home(city)

    def all_of_it(gathered: gathering.Gathered) -> Within:
        return Within(whole=gathered.households)

    monkeypatch.setattr(gathering, "_within", all_of_it)

    found = await all_differences(city, watch, home, [TIMELINE])
    assert len(found) == 2 * len(ways([TIMELINE]))


async def test_control_as_many_facts_are_read_for_none(
    city: Town, watch: _Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_home(city)
    monkeypatch.setattr(gathering, "read_as_many", lambda *_: None)

    found = await all_differences(city, watch, home, [TIMELINE])
    assert set(map(tuple, found.values())) == {("facts",)}


async def test_control_the_log_key_is_unwrapped_for_none_too(
    city: Town, watch: _Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = await a_home(city)
    keyring = city.context.keyring

    def from_memory(household: str, rows: Iterable[Any]) -> DataKey | None:
        return keyring.opened(rows).get((household, "", "log"))

    monkeypatch.setattr(keyring, "log_key", from_memory)

    found = await all_differences(city, watch, home, [TIMELINE])
    assert any(different == ["opened"] for different in found.values())


async def test_control_a_search_opens_nothing_of_who_stays_hidden(
    city: Town, watch: _Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the profiles opened before it is known whether something is shown, as it once was."""
    home = await a_home(city)
    comes_near = search._near  # noqa: SLF001 -- after it
    near: list[str] = []

    async def opening(context: Context, connection: AsyncConnection, *sought: Any) -> list[str]:
        near[:] = await comes_near(context, connection, *sought)
        keys = context.keyring.opened(await data_keys.of_households(connection, near))
        for members in (await households.members(connection, near)).values():
            for one in members:
                open_profile(keys, context.keyring, one)
        return near

    monkeypatch.setattr(search, "_near", opening)
    way = Way("", (), {"purpose": "care_coordination", **NAMED})
    city.context.keyring.forget(home.household)
    with watch.work() as work:
        await ask(city, SEARCH, way, STRANGER, "")
    assert near == [home.household]
    assert work[0].opened > 1


def test_facts_of_nobody_can_be_read() -> None:
    """Else reading them would take less than reading what families decide."""
    known = Known(1_790_000_000_000_000, {}, nobody.facts_beside(()), ())
    gathered = gathering.Gathered(known, {}, (), {})
    read = read_scenario(gathering.scenario(gathered, "u", "audit", nobody.HOUSEHOLD), {})
    assert {one.kind for one in read.unreadable} == {"question"}  # whose viewer is nobody either
    assert read.viewers
    assert read.directives.readable
    assert read.shields.readable
    assert read.blocks.readable
