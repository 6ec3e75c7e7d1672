"""Parental authority and court orders: dated facts of a family. Authority alone is no permit.

They open nothing. They say whose consent counts (民法818条から834条の2まで), and to whom nothing
about the family may be handed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from visitsync.errors import NotNow
from visitsync.schema.silent import Struct
from visitsync.store.facts import Fact

GUARDIAN: Final = "guardian"
ORDER: Final = "court_order"
KINDS: Final = (GUARDIAN, ORDER)
"""Facts that the consent rules do not read."""

LOST: Final = frozenset({"none", "suspended"})
"""Kinds of authority with which nobody consents for the child."""
TAKES_AWAY: Final = frozenset({"authority_suspended", "authority_lost"})
"""Orders that take authority from whom they are against."""
KEEPS_AWAY: Final = frozenset({"protection_order", "approach_forbidden", "contact_limited"})
"""Orders under which somebody must not learn where the family is."""

Code: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
"""An id of a person as the office gave it, never a name."""


class Dated(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds on some days, by the calendar in Japan."""

    from_: dt.date = msgspec.field(name="from")
    until: dt.date | None = None
    """The first day on which it holds no more; the same as `from`: it never held."""

    def holds(self, day: dt.date) -> bool:
        """Whether it holds on a day."""
        return self.from_ <= day and (self.until is None or day < self.until)


class Guardian(Dated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That somebody has, or has not, parental authority."""

    person: Code
    authority: str
    """A code of ``protection.toml``."""
    basis: str
    """From what that is known; a code of ``protection.toml``."""


class CourtOrder(Dated, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a court decided about the family."""

    order: str
    """A code of ``protection.toml``."""
    against: Code | None = None
    """The person whom it restrains."""


D = TypeVar("D", bound=Dated)

_FORMS: Final[dict[str, type[Guardian | CourtOrder]]] = {
    GUARDIAN: Guardian,
    ORDER: CourtOrder,
}


def newest(facts: Iterable[Fact], kind: str, form: type[D]) -> dict[str, D | None]:
    """By id, what the newest version of each fact of a kind says; None where nobody can read it."""
    found: dict[str, Fact] = {}
    for one in facts:
        if one.kind == kind and (one.id not in found or one.version > found[one.id].version):
            found[one.id] = one
    return {name: _as(one, form) for name, one in found.items()}


def read(fact: Fact) -> Guardian | CourtOrder | None:
    """What a stored version of either kind says; None where nobody can read it."""
    return _as(fact, _FORMS[fact.kind])


def _as(fact: Fact, form: type[D]) -> D | None:
    try:
        return msgspec.json.decode(fact.body, type=form)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def has_lost(facts: Iterable[Fact], person: Any, day: dt.date) -> bool:  # noqa: ANN401 -- as it was stored
    """Whether somebody is known to have no parental authority on a day.

    Of somebody of whom nothing is recorded nothing is known. What cannot be read may be about
    anybody, so nobody's consent counts until it is mended.
    """
    known = list(facts)
    guardians = newest(known, GUARDIAN, Guardian).values()
    orders = newest(known, ORDER, CourtOrder).values()
    return any(
        one is None or (one.person == person and one.authority in LOST and one.holds(day))
        for one in guardians
    ) or any(
        one is None or (one.against == person and one.order in TAKES_AWAY and one.holds(day))
        for one in orders
    )


def refuse_lost(facts: Iterable[Fact], body: Mapping[str, Any], person: str, day: dt.date) -> None:
    """Refuse a consent, or its withdrawal, by somebody known to have no parental authority.

    A refusal is anybody's to give and its grantor's to take back: it shows less.

    Raises:
        NotNow: for a permit of theirs.
    """
    if body["effect"] == "permit" and has_lost(facts, person, day):
        raise NotNow("No parental authority by what is recorded", where="no_authority")


def keeps_away(facts: Iterable[Fact], day: dt.date) -> bool:
    """Whether a court keeps somebody away from the family on a day; unreadable ones do."""
    return any(
        one is None or (one.order in KEEPS_AWAY and one.holds(day))
        for one in newest(facts, ORDER, CourtOrder).values()
    )
