"""H33: no object of visitsync prints a word that it holds, in whatever way it is printed."""

from __future__ import annotations

import dataclasses
import io
import pprint
import traceback
from collections.abc import Iterator
from typing import Final, NamedTuple

import aiohttp
import msgspec
import pytest
import structlog
from aiohttp import web
from experiments.filled import MARKS, every_type, filled
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback
from web.serving import serving

from visitsync.schema.silent import Struct, silent
from visitsync.web.frame import framed
from visitsync.web.limits import Limits
from visitsync.web.route import Route, open_to_all

PRINTS: Final = {
    "visitsync.audit.cosignature.Cosigner": "the name under which an office signs, set by its host",
    "visitsync.audit.note.NoteSigner": "the access log's name, set by the operator",
    "visitsync.audit.note.NoteVerifier": "the access log's name, or an office's as a witness",
    "visitsync.audit.tree.Frontier": "a count",
    "visitsync.consent.statements.Unreadable": "the id of a fact, which is ours or `decide`'s",
    "visitsync.envelope.master_keys.MasterKeys": "the number of the newest key",
    "visitsync.service.data_key.DataKey": "the number of the newest version",
    "visitsync.signer.remote.RemoteSigner": "where the operator put its socket",
    "visitsync.signer.signing.Signer": "the access log's name",
    "visitsync.web.server._Handler": "aiohttp's own: the connection's state, not what came over it",
}
"""What prints of its members, and why none of that can be a word of a family."""
FEWEST: Final = 300
"""Types that hold words; with fewer, the walk over the package misses some."""


def told(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def ways(one: object) -> Iterator[str]:
    """By itself, inside of others, and by whoever prints objects for us or in a test."""
    yield from (repr(one), str(one), f"{one}", f"{one!s:>9}", "%s %r" % (one, one))  # noqa: UP031
    yield from (repr([one]), repr({"a": one}), repr(LookupError(one)), str(LookupError(one)))
    yield from (pprint.pformat(one), pretty_repr(one))


def name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def telling(kinds: list[type]) -> set[str]:
    """Those that tell, or cannot be printed as they are made here."""
    found = set()
    for kind in kinds:
        try:
            if any(map(told, ways(filled(kind)))):
                found.add(name_of(kind))
        except AttributeError:
            found.add(name_of(kind))
    return found


def test_h33_no_type_prints_what_it_holds_but_those_that_say_why() -> None:
    kinds = every_type()
    assert telling(kinds) == set(PRINTS)
    assert len(kinds) > FEWEST


def test_h33_what_holds_words_is_filled_with_them() -> None:
    """Or nothing would be shown: the members of most types have the canary in them."""
    holding = [one for one in every_type() if told(_members(filled(one)))]
    assert len(holding) > FEWEST


def _members(one: object) -> str:
    if isinstance(one, msgspec.Struct):
        return "".join(f"{getattr(one, name)!r}" for name in one.__struct_fields__)
    if isinstance(one, tuple):
        return "".join(map(repr, one))
    names = [*getattr(one, "__slots__", ()), *vars(one)] if hasattr(one, "__dict__") else []
    slots = dataclasses.fields(one) if dataclasses.is_dataclass(one) else ()
    return "".join(f"{getattr(one, name, '')!r}" for name in [*names, *(f.name for f in slots)])


def fail(held: list[object]) -> None:
    raise LookupError(len(held))


def test_h33_a_traceback_with_every_variable_tells_nothing() -> None:
    """Nobody prints one in visitsync; an operator's own tool might."""
    held = [filled(one) for one in every_type() if name_of(one) not in PRINTS]
    console = Console(file=io.StringIO(), width=200)
    with pytest.raises(LookupError) as caught:
        fail(held)
    error = caught.value
    kept = traceback.TracebackException.from_exception(error, capture_locals=True)
    parts = (type(error), error, error.__traceback__)
    console.print(Traceback.from_exception(*parts, show_locals=True, locals_max_length=len(held)))
    event = {"event": "x", "held": held}
    text = f"{''.join(kept.format())} {structlog.dev.ConsoleRenderer()(None, 'info', event)}"
    assert isinstance(console.file, io.StringIO)
    for one in (text, console.file.getvalue()):
        assert "Decision" in one
        assert not told(one)


async def test_h33_a_request_prints_nothing_of_what_is_asked() -> None:
    printed: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        printed.extend(ways(request))
        return web.Response()

    route = Route(method="GET", path="/{name}", handler=handler, permission=open_to_all("a test"))
    async with (
        serving(framed((route,), Limits()), Limits()) as url,
        aiohttp.ClientSession(
            url, headers={"User-Agent": "KANARI", "Referer": "/KANARI"}
        ) as session,
        session.get("/KANARI", headers={"Authorization": "Bearer KANARI"}) as response,
    ):
        assert response.status == 200
    assert printed
    assert not any(map(told, printed))


class Named(msgspec.Struct):
    name: str


class Told(NamedTuple):
    name: str


@dataclasses.dataclass
class Noted:
    note: str


@pytest.mark.parametrize("kind", [Named, Told, Noted])
def test_h33_control_a_type_of_which_nobody_thought_is_noticed(kind: type) -> None:
    assert telling([kind]) == {name_of(kind)}
    assert telling([silent(type(kind.__name__, (kind,), {}))]) == set()


def test_h33_control_without_the_mechanism_most_structs_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    structs = [one for one in every_type() if issubclass(one, Struct)]
    monkeypatch.setattr(Struct, "__repr__", msgspec.Struct.__repr__)
    assert len(telling(structs)) > len(structs) / 2
