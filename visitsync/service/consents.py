"""What a directive says, as it is stored: the members of ``consent.md`` but those in columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterator
from typing import Any, Final, TypeAlias

import msgspec

from visitsync.consent import read_scenario
from visitsync.errors import BadParameter
from visitsync.schema.directory import Directive
from visitsync.store import clock
from visitsync.store.facts import Fact

KIND: Final = "directive"

Body: TypeAlias = dict[str, Any]


def body(draft: Any, valid_from: int) -> Body:  # noqa: ANN401 -- whatever has these members
    """The body of a draft or of a directive in the directory's file.

    Args:
        draft: with the members of `directives.Draft`.
        valid_from: from when it holds, where the draft does not say.
    """
    begin = clock.written(valid_from) if draft.valid_from is None else _time(draft.valid_from)
    return {
        "grantor": draft.grantor,
        "effect": draft.effect,
        "sources": _list(draft.sources),
        "recipients": _list(draft.recipients),
        "purposes": _list(draft.purposes),
        "categories": _list(draft.categories),
        "valid": {"from": begin, "until": _time(draft.valid_until)},
        "data": {
            "from": draft.data_from.isoformat(),
            "until": None if draft.data_until is None else draft.data_until.isoformat(),
        },
        "registrations": _list(getattr(draft, "registrations", "household")),
        "withdrawn_at": None,
        "notice_version": draft.notice_version,
    }


def body_of_file(one: Directive, valid_from: int) -> str:
    """What the directory's file says, as it is stored."""
    return written(body(one, valid_from))


def recorded_first(known: Fact) -> int:
    """From when a stored directive holds, for comparing it with a file that does not say."""
    return clock.stored_text(read(known.body)["valid"]["from"])


def written(made: Body) -> str:
    """A body as it is stored; equal ones are equal texts."""
    return msgspec.json.encode(made, order="sorted").decode()


def read(stored: str) -> Body:
    """What `written` wrote."""
    made: Body = msgspec.json.decode(stored)
    return made


def readable(stored: str, household: str) -> Body | None:
    """What a stored directive says; None where the rules cannot read it.

    It may be damaged, or of a newer release. Then it counts as a refusal of everything (C10).
    """
    try:
        made = msgspec.json.decode(stored)
    except msgspec.DecodeError:
        return None
    if not isinstance(made, dict) or "unreadable" in _troubles(made, household, 0):
        return None
    return made


def is_withdrawn(known: Fact) -> bool:
    """Whether the family has withdrawn a stored directive."""
    return read(known.body)["withdrawn_at"] is not None


def in_force(known: Fact, now: int) -> bool:
    """Whether a stored directive is in force; one that nobody can read is not told of here."""
    try:
        made = read(known.body)
        begins, ends = made["valid"]["from"], made["valid"]["until"]
        return (
            made["withdrawn_at"] is None
            and clock.stored_text(begins) <= now
            and (ends is None or now < clock.stored_text(ends))
        )
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return False


def withdrawn(made: Body, at: int) -> Body:
    """The same directive, withdrawn at an instant of the database's clock."""
    return {**made, "withdrawn_at": clock.written(at)}


def refuse_unknown_names(
    made: Body,
    *,
    agencies: Container[str],
    offices: Container[str],
    registrations: Container[str],
) -> None:
    """Refuse a directive that names what there is not: a slip would leave a refusal without effect.

    Raises:
        BadParameter: for an agency or office that the directory does not know, or a registration
            that is not the household's.
    """
    for name in ("sources", "recipients"):
        for kind, one in _named(made[name]):
            if one not in (offices if kind == "office" else agencies):
                raise BadParameter("names an agency or office that there is not", where=name)
    for one in () if made["registrations"] == "household" else made["registrations"]:
        if one not in registrations:
            raise BadParameter("names a registration that is not there", where="registrations")


def _named(items: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- a list, or one word for all
    """The agencies and offices among sources and recipients."""
    for item in () if items == "*" else items:
        whole = item.partition("@")[2] if item.startswith("role:") else item
        kind, _, name = whole.partition(":")
        if kind in {"agency", "office"}:
            yield kind, name


def refuse_unreadable(made: Body, household: str, at: int) -> None:
    """Refuse what decisions could not read, before it is recorded for ever.

    Raises:
        BadParameter: it is malformed, or covers nothing.
    """
    if made["effect"] == "permit":
        for name in ("sources", "recipients", "purposes", "categories", "registrations"):
            if not made[name]:
                raise BadParameter("is empty, and an empty list grants nothing", where=name)
    if _troubles(made, household, at):
        raise BadParameter(
            "The directive could not be read by the rules or covers nothing; a consent names at "
            "least attendance, and every code must be one of the vocabulary",
            where="directive",
        )


def _troubles(made: Body, household: str, at: int) -> frozenset[str]:
    """What the rules report about a directive."""
    fact = {
        **made,
        "id": "new",
        "version": 1,
        "recorded_at": clock.written(at),
        "household": household,
    }
    question = {
        "viewer": "nobody",
        "purpose": "audit",
        "household": household,
        "now": clock.written(at),
        "known_at": None,
    }
    scenario = read_scenario({"vocabulary": 1, "directives": [fact], "question": question})
    return frozenset(one.trouble for one in scenario.unreadable if one.kind == "directive")


def _list(items: Any) -> Any:  # noqa: ANN401 -- a list, or one word for all
    return items if isinstance(items, str) else list(items)


def _time(at: dt.datetime | None) -> str | None:
    return None if at is None else at.isoformat()
