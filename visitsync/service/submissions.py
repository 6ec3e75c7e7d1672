"""Handing in: an office's reports are read, linked, sealed, stored and logged, all or nothing."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from visitsync.errors import NotAllowed, RepeatedKey, UnknownOffice
from visitsync.fields.layout import Layout
from visitsync.schema.directory import Directory, Office
from visitsync.schema.reading import Problem
from visitsync.schema.silent import silent
from visitsync.service import caseloads, entries, intake, placing, revisions, sheltering
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.directory import known_directory, known_layouts, office_of
from visitsync.service.ids import new_id
from visitsync.service.intake import Item
from visitsync.service.keyring import LOG, REPORTS, held
from visitsync.service.logbook import Turn
from visitsync.service.placed import Placed
from visitsync.service.reading import read_files
from visitsync.service.reports import (
    AS_IT_COMES,
    Counts,
    Files,
    Line,
    Linked,
    Records,
    Report,
    Terms,
)
from visitsync.service.revisions import Judged
from visitsync.service.writing import still_signed_in
from visitsync.store import clock, data_keys, directory, households, submissions, visits
from visitsync.store.submissions import Submission

_REPORT: Final = msgspec.json.Decoder(Report)


@silent
class _Read(NamedTuple):
    """What was handed in, record by record."""

    items: list[Item]
    problems: tuple[Problem, ...] = ()
    unread_columns: tuple[str, ...] = ()

    @property
    def rejected_rows(self) -> int:
        """Rows of files, and whole files, that gave no record."""
        found = {(one.file, one.row) for one in self.problems if one.level != "warn"}
        return len(found)


async def submit(
    context: Context,
    caller: Caller,
    office: str,
    payload: Records | Files,
    terms: Terms = AS_IT_COMES,
) -> Report:
    """Take what an office hands in, in one transaction with its access-log entry.

    Handing the same in again is safe: under the same key it answers the stored report, without a
    key every record is ``unchanged``.

    Raises:
        NotAllowed: the caller is not this office.
        UnknownOffice: no such office.
        NotSignedIn: the caller's token has ended meanwhile.
        RepeatedKey: the key was used for something else.
        BadJson: the payload is no strict JSON as a whole.
        LayoutError: no layout of the office fits its file.
        DatabaseUnavailable: nothing was stored.
    """
    caller.must("submit")
    if caller.kind == "staff" or (caller.kind == "office" and caller.id != office):
        raise NotAllowed("A token hands in for its own office only")
    async with context.database.reading() as connection:
        found = await office_of(connection, office)
        known = None if isinstance(payload, Records) else await known_directory(context, connection)
        layouts = () if known is None else await known_layouts(connection, office)
    if found is None:
        raise UnknownOffice("No office is registered under this id", where=office)
    fingerprint = _fingerprint(context, office, payload, terms)
    read = await _read(found, known, layouts, payload)
    async with context.log.writing() as turn:
        connection = turn.connection
        if await directory.lock_office(connection, office) is None:
            raise UnknownOffice("The office was taken from the directory", where=office)
        if (stored := await _stored(context, connection, office, fingerprint, terms)) is not None:
            await still_signed_in(connection, caller, await clock.now(connection))
            return stored
        return await _take(context, turn, caller, _Work(found, read, terms, fingerprint))


@silent
class _Work(NamedTuple):
    office: Office
    read: _Read
    terms: Terms
    fingerprint: bytes


@silent
class _Taken(NamedTuple):
    report: Report
    rows: list[visits.Row]
    placed: Placed


async def _read(
    office: Office, known: Directory | None, layouts: Sequence[Layout], payload: Records | Files
) -> _Read:
    if isinstance(payload, Records):
        lines = intake.lines_of(payload.content, ndjson=payload.ndjson)
        return _Read(await intake.read(lines, office))
    assert known is not None  # noqa: S101 -- read above for files
    reading = await asyncio.to_thread(read_files, known, office.id, layouts, payload.files)
    items = await intake.of_visits(reading.visits, office)
    return _Read(items, reading.problems, tuple(sorted(reading.unread_columns)))


async def _take(context: Context, turn: Turn, caller: Caller, work: _Work) -> Report:
    """Everything within the transaction."""
    connection = turn.connection
    at = await clock.now(connection)
    await households.hold_intake(connection)
    judged = await revisions.judge(connection, context.keyring, work.read.items)
    arrivals = revisions.arrivals(judged, work.office)
    placed = await placing.place(context, connection, arrivals, at)
    refused = work.terms.mode == "all" and (
        work.read.rejected_rows or any(one.status in _NOT_GOOD for one in judged)
    )
    nothing = bool(refused) or work.terms.dry_run
    made = new_id("s")
    report = _report(work, judged, placed, at, None if nothing else made, refused=bool(refused))
    rows: list[visits.Row] = []
    if not nothing:
        rows = await revisions.rows(context.keyring, placed, judged, made, at)
        await placing.store(connection, context.keyring, placed, at)
        await visits.add(connection, rows)
        await visits.set_elsewhere(connection, revisions.moved(judged))
        await _keep(context, connection, report, work)
    await _log(context, turn, caller, work, _Taken(report, rows, placed))
    return report


_NOT_GOOD: Final = frozenset({"rejected", "conflict"})


def _report(  # noqa: PLR0913 -- all that a report tells
    work: _Work,
    judged: list[Judged],
    placed: Placed,
    at: int,
    made: str | None,
    *,
    refused: bool,
) -> Report:
    lines = tuple(_line(one, refused=refused) for one in judged)
    counts = dict.fromkeys(Counts.__struct_fields__, 0)
    for line in lines:
        counts[line.status] += 1
    counts["rejected"] += work.read.rejected_rows
    return Report(
        submission=made,
        office=work.office.id,
        dry_run=work.terms.dry_run,
        mode=work.terms.mode,
        recorded_at=clock.instant(at),
        counts=Counts(**counts),
        linking=Linked() if refused else placed.linked,
        records=lines,
        problems=work.read.problems,
        unread_columns=work.read.unread_columns,
    )


def _line(one: Judged, *, refused: bool) -> Line:
    visit = one.item.visit
    status = one.status
    if refused and status not in _NOT_GOOD:
        status = "not_taken"
    return Line(
        index=one.item.index,
        record=None if visit is None else visit.source.record_id,
        revision=None if visit is None else visit.source.revision,
        status=status,
        codes=one.codes,
        where=one.item.where,
    )


async def _log(
    context: Context,
    turn: Turn,
    caller: Caller,
    work: _Work,
    taken: _Taken,
) -> None:
    """The submission's own entry, and what its new households mean for caseloads."""
    keyring = context.keyring
    report, rows, placed = taken
    general = keyring.opened(await data_keys.of_households(turn.connection, [""]))
    draft = entries.draft(
        keyring,
        caller,
        "submission",
        held(general, ("", "", LOG)),
        household=None,
        private={"submission": report.submission, "counts": msgspec.to_builtins(report.counts)},
        public={
            "decision": "dry_run" if work.terms.dry_run else "stored" if rows else "unchanged",
            "office": work.office.id,
            "program": work.office.program,
            "records": len(rows),
        },
    )
    head = await turn.hold()
    await still_signed_in(turn.connection, caller, max(head.now, head.last_at))
    if report.submission is not None and placed.new_registrations:
        homes = {one.id: one.household for one in placed.new_registrations}
        at = max(head.now, head.last_at)
        await sheltering.shelter(turn.connection, placed.reviews, homes, at)
        await caseloads.fulfil(turn.connection, homes, at)
    await turn.append([draft])


# ── idempotency ───────────────────────────────────────────────────────────────────────────────────
def _fingerprint(context: Context, office: str, payload: Records | Files, terms: Terms) -> bytes:
    digest = hashlib.sha256(repr((office, terms.dry_run, terms.mode)).encode())
    files = (("", payload.content),) if isinstance(payload, Records) else payload.files
    for name, content in files:
        for part in (name.encode(), content):
            digest.update(len(part).to_bytes(8, "big") + part)
    return context.keyring.ids.exact("request", office, digest.hexdigest())


def _key(context: Context, office: str, terms: Terms) -> bytes | None:
    if terms.idempotency_key is None:
        return None
    return context.keyring.ids.exact("idempotency", office, terms.idempotency_key)


async def _stored(
    context: Context, connection: AsyncConnection, office: str, fingerprint: bytes, terms: Terms
) -> Report | None:
    """The report under this idempotency key, if there is one."""
    key = _key(context, office, terms)
    found = None if key is None else await submissions.by_key(connection, office, key)
    if found is None:
        return None
    if found.request != fingerprint:
        raise RepeatedKey(
            "This idempotency key came before with another body; make a new key", where=office
        )
    keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    sealing = held(keys, ("", "", REPORTS))
    plain = context.keyring.open_general(
        sealing, REPORTS, found.id, found.report, found.key_version
    )
    return msgspec.structs.replace(_REPORT.decode(zlib.decompress(plain)), repeated=True)


async def _keep(context: Context, connection: AsyncConnection, report: Report, work: _Work) -> None:
    """Store the report, sealed: record ids of offices stand in it."""
    made = str(report.submission)
    keys = context.keyring.opened(await data_keys.of_households(connection, [""]))
    key = held(keys, ("", "", REPORTS))
    plain = zlib.compress(msgspec.json.encode(report), 1)
    await submissions.add(
        connection,
        Submission(
            id=made,
            office=work.office.id,
            recorded_at=clock.stored(report.recorded_at),
            key=_key(context, work.office.id, work.terms),
            request=work.fingerprint,
            report=context.keyring.seal_general(key, REPORTS, made, plain),
            key_version=key.version,
        ),
    )
