"""Where each thing is sealed: bound to its row, its revision and the version of its data key."""

from __future__ import annotations

from typing import NamedTuple

from visitsync.envelope import Context, open_sealed, seal
from visitsync.schema.silent import silent
from visitsync.service.data_key import DataKey


@silent
class VisitPlace(NamedTuple):
    """Where one revision of a report is sealed."""

    household: str
    program: str
    record: str
    revision: int


@silent
class ProfilePlace(NamedTuple):
    """Where one edition of what an office knows of a family is sealed."""

    household: str
    registration: str
    edition: int


class Sealing:
    """Seals and opens in the places of one municipality.

    Args:
        tenant: the municipality, to which everything sealed is bound.
    """

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant

    def log_place(self, household: str | None, pc: str, version: int) -> Context:
        """Where the private part of a log entry is sealed: bound to its commitment."""
        return Context(
            tenant=self.tenant,
            program="",
            household=household or "",
            record=pc,
            revision=0,
            schema="log-private/1",
            kind="log",
            key_version=version,
        )

    def seal_visit(self, key: DataKey, at: VisitPlace, line: bytes) -> bytes:
        """One revision of a report, sealed in its place."""
        return seal(key.newest, self._visit(at, key.version), line)

    def open_visit(self, key: DataKey, at: VisitPlace, sealed: bytes, version: int) -> bytes:
        """What `seal_visit` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key.of(version), self._visit(at, version), sealed)

    def seal_profile(self, key: DataKey, at: ProfilePlace, persons: bytes) -> bytes:
        """What an office knows of a registration's persons, sealed in its place."""
        return seal(key.newest, self._profile(at, key.version), persons)

    def open_profile(self, key: DataKey, at: ProfilePlace, sealed: bytes, version: int) -> bytes:
        """What `seal_profile` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key.of(version), self._profile(at, version), sealed)

    def seal_evidence(self, key: DataKey, household: str, directive: str, plain: bytes) -> bytes:
        """What a family signed for a directive, sealed in its place."""
        return seal(key.newest, self._evidence(household, directive, key.version), plain)

    def open_evidence(
        self, key: DataKey, household: str, directive: str, sealed: bytes, version: int
    ) -> bytes:
        """What `seal_evidence` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key.of(version), self._evidence(household, directive, version), sealed)

    def seal_general(self, key: DataKey, kind: str, record: str, plain: bytes) -> bytes:
        """What concerns no household, such as an entry of the directory, sealed in its place."""
        return seal(key.newest, self._general(kind, record, key.version), plain)

    def open_general(
        self, key: DataKey, kind: str, record: str, sealed: bytes, version: int
    ) -> bytes:
        """What `seal_general` sealed in this place.

        Raises:
            Tampered: it was altered, or is of another place.
        """
        return open_sealed(key.of(version), self._general(kind, record, version), sealed)

    def _visit(self, at: VisitPlace, version: int) -> Context:
        return Context(
            tenant=self.tenant,
            program=at.program,
            household=at.household,
            record=at.record,
            revision=at.revision,
            schema="visit/1",
            kind="visit",
            key_version=version,
        )

    def _profile(self, at: ProfilePlace, version: int) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household=at.household,
            record=at.registration,
            revision=at.edition,
            schema="persons/1",
            kind="persons",
            key_version=version,
        )

    def _evidence(self, household: str, directive: str, version: int) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household=household,
            record=directive,
            revision=0,
            schema="evidence/1",
            kind="evidence",
            key_version=version,
        )

    def _general(self, kind: str, record: str, version: int) -> Context:
        return Context(
            tenant=self.tenant,
            program="",
            household="",
            record=record,
            revision=0,
            schema=f"{kind}/1",
            kind=kind,
            key_version=version,
        )
