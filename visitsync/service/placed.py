"""Where the registrations of one submission belong, and what there is to store for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from visitsync.envelope import new_data_key
from visitsync.schema.silent import silent
from visitsync.schema.visit import Person
from visitsync.service.keyring import PERSONS, DataKey, DataKeys, Keyring, Place, ProfilePlace, held
from visitsync.service.reports import Linked
from visitsync.store.households import Edition, Link, Registration, Review, Term

_PERSONS: Final = msgspec.json.Decoder(tuple[Person, ...])
_ENCODER: Final = msgspec.json.Encoder()


@silent
class Arrival(NamedTuple):
    """What one submission says about one registration."""

    id: str
    office: str
    program: str
    persons: tuple[Person, ...]
    """Every form, those of the newest report first."""


@silent
class Placed(msgspec.Struct, kw_only=True):
    """Where the registrations of a submission belong, and what there is to store."""

    homes: dict[str, str]
    """By registration, its household."""
    keys: DataKeys
    """All keys of these households."""
    new_keys: dict[Place, bytes] = msgspec.field(default_factory=dict)
    new_households: list[str] = msgspec.field(default_factory=list)
    new_registrations: list[Registration] = msgspec.field(default_factory=list)
    links: list[Link] = msgspec.field(default_factory=list)
    reviews: list[Review] = msgspec.field(default_factory=list)
    terms: set[Term] = msgspec.field(default_factory=set)
    profiles: dict[str, Edition] = msgspec.field(default_factory=dict)
    linked: Linked = Linked()

    def key(self, place: Place) -> DataKey:
        """The key of a place, made where there is none yet."""
        if place not in self.keys:
            made = self.new_keys[place] = new_data_key()
            self.keys.put(place, made)
        return self.keys[place]


def seal_profile(
    placed: Placed, keyring: Keyring, at: ProfilePlace, persons: Sequence[Person]
) -> Edition:
    """The persons of a registration, sealed for its household."""
    key = placed.key((at.household, "", PERSONS))
    sealed = keyring.seal_profile(key, at, _ENCODER.encode(persons))
    return Edition(at.edition, sealed, key.version)


def open_profile(
    keys: Mapping[Place, DataKey], keyring: Keyring, row: Registration
) -> tuple[Person, ...]:
    """The persons of a stored registration.

    Raises:
        Tampered: it was altered or moved.
    """
    key = held(keys, (row.household, "", PERSONS))
    place = ProfilePlace(row.household, row.id, row.edition)
    return _PERSONS.decode(keyring.open_profile(key, place, row.profile, row.key_version))
