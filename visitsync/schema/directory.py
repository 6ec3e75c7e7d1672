"""Who is who: the municipality's agencies, offices with contracts, and staff with caseloads.

The form of a directory file (TOML). What it names is public within the municipality except the
names of staff.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Literal

import msgspec

from visitsync.errors import DirectoryError
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Municipality(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The municipality that runs visitsync."""

    name: str
    kana: str
    code: str
    """The six digits of 全国地方公共団体コード, the last a check digit."""
    timezone: str = "Asia/Tokyo"
    second_person: bool = False
    """Whether a consent holds only once somebody else has confirmed it; a refusal never waits."""


class Agency(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation: the city itself, or a contractor."""

    id: str
    name: str
    kind: str


class Office(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One organisation's desk for one program; access goes by it, not by organisation."""

    id: str
    agency: str
    name: str
    number_in_files: str
    """What the office's own files call it (事業所番号); only compared, never trusted."""
    program: str
    local_program: str
    contract_from: dt.date
    contract_to: dt.date | None = None
    """The last day of the contract, inclusive; None while it is open."""
    in_council: bool = False
    """Member of the 要保護児童対策地域協議会 (児童福祉法25条の2)."""
    commissioner: str | None = None
    """The agency that commissions the program; by default the first ``public`` agency."""

    def under_contract(self, day: dt.date) -> bool:
        """Whether the contract covers `day`."""
        return self.contract_from <= day and (self.contract_to is None or day <= self.contract_to)


class Staff(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who signs in, with one role at one agency."""

    id: str
    name: str
    role: str
    agency: str
    office: str | None = None
    programs: tuple[str, ...] = ()
    """Programs whose commissioning section this person belongs to."""
    team: str | None = None
    council_member: bool = False
    caseload: tuple[str, ...] = ()
    """Households by the labels of the ``households.json`` beside the directory."""


class Directive(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consent or refusal that the family gave on paper, entered with the directory."""

    id: str
    household: str
    """The label of the ``households.json`` beside the directory."""
    grantor: str
    effect: Literal["permit", "deny"]
    sources: tuple[str, ...] | Literal["*"]
    recipients: tuple[str, ...] | Literal["*"]
    purposes: tuple[str, ...] | Literal["*"]
    categories: tuple[str, ...] | Literal["*"]
    valid_from: dt.datetime | None = None
    """From when; by default from the instant it is recorded."""
    valid_until: dt.datetime | None = None
    data_from: dt.date = dt.date(2000, 1, 1)
    data_until: dt.date | None = None
    notice_version: str


class Directory(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole directory file."""

    municipality: Municipality
    agency: tuple[Agency, ...]
    office: tuple[Office, ...]
    staff: tuple[Staff, ...] = ()
    directive: tuple[Directive, ...] = ()

    def office_by_id(self, office: str) -> Office | None:
        """The office registered under this id."""
        return next((one for one in self.office if one.id == office), None)

    def commissioner_of(self, office: Office) -> str | None:
        """The agency that commissions the office's program."""
        if office.commissioner is not None:
            return office.commissioner
        return next((agency.id for agency in self.agency if agency.kind == "public"), None)


def parse(text: str) -> Directory:
    """Read a directory file.

    Raises:
        DirectoryError: where it is no TOML, has an unknown member, or names an unknown agency,
            office or role, or one id twice.
    """
    try:
        directory = msgspec.convert(tomllib.loads(text), Directory)
    except tomllib.TOMLDecodeError as error:
        raise DirectoryError("The directory is no TOML; mend it at", where=str(error)) from None
    except msgspec.ValidationError as error:
        raise DirectoryError("The directory has a wrong member", where=str(error)) from None
    _check(directory)
    return directory


def _check(directory: Directory) -> None:
    agencies = _unique([one.id for one in directory.agency], "agency")
    offices = _unique([one.id for one in directory.office], "office")
    _unique([one.id for one in directory.staff], "staff")
    _unique([one.id for one in directory.directive], "directive")
    for office in directory.office:
        if office.agency not in agencies:
            raise DirectoryError("The office's agency is not listed", where=f"office {office.id}")
        if office.commissioner is not None and office.commissioner not in agencies:
            raise DirectoryError("The commissioner is not listed", where=f"office {office.id}")
    for person in directory.staff:
        if person.agency not in agencies:
            raise DirectoryError("The agency is not listed", where=f"staff {person.id}")
        if person.role not in VOCABULARY.roles:
            raise DirectoryError("The role is not known", where=f"staff {person.id}")
        if person.office is not None and person.office not in offices:
            raise DirectoryError("The office is not listed", where=f"staff {person.id}")


def _unique(ids: list[str], kind: str) -> frozenset[str]:
    for one in ids:
        if ids.count(one) > 1:
            raise DirectoryError("The id stands twice", where=f"{kind} {one}")
    return frozenset(ids)
