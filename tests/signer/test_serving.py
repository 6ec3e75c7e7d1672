"""A signer in a process of its own: the same answers over its socket, and none to nonsense."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from signer.test_signer import KEY, YEAR, a_log, asked

from visitsync.audit import (
    NoteVerifier,
    Receipt,
    leaf_hash,
    open_backup_note,
    open_certificate,
    open_receipt,
    open_signed,
)
from visitsync.errors import BadNote, LogBroken, SignerError
from visitsync.signer import Extension, RemoteSigner, Signer, remote, serving, wire

RECEIPT = Receipt(
    tenant="shiomi",
    what="recorded",
    directive="d1@1",
    effective="at_once",
    notice="2026-04",
    effect="permit",
    sources="*",
    recipients=("agency:a",),
    purposes="*",
    categories=("attendance",),
    registrations="household",
    valid=("2026-04-01T00:00:00.000000Z", None),
    visits=("2026-04-01", None),
    at="2026-04-01T00:00:00.000000Z",
    shard=YEAR,
    index=2,
)


@pytest.fixture
def local(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "signed-head", KEY)


@pytest.fixture
async def away(local: Signer, tmp_path: Path) -> AsyncIterator[RemoteSigner]:
    async with serving.serving(local, tmp_path / "socket"):
        yield RemoteSigner(tmp_path / "socket")


async def extended(signer: RemoteSigner, extension: Extension) -> str:
    made = await asyncio.to_thread(signer.extend, extension)
    assert made is not None
    return made.note


async def test_it_signs_what_a_backup_says_of_itself_and_nothing_else_in_its_name(
    local: Signer, away: RemoteSigner
) -> None:
    verifiers = [NoteVerifier(KEY.vkey)]
    note = await asyncio.to_thread(away.manifest, '{"kind":"full"}')
    assert note == local.manifest('{"kind":"full"}')
    assert open_backup_note(note, verifiers) == '{"kind":"full"}'
    for opening in (open_signed, open_receipt, open_certificate):
        with pytest.raises(BadNote):
            opening(note, verifiers)
    # Two lines more would be those of a head: another log's, but signed by this key.
    for told in ("", f"3\n{'A' * 43}=", "one\ntwo", "line\n"):
        with pytest.raises(SignerError):
            await asyncio.to_thread(away.manifest, told)
    head = await extended(away, asked(a_log(3), 0))
    with pytest.raises(BadNote):
        open_backup_note(head, verifiers)


async def test_it_answers_as_it_would_here(local: Signer, away: RemoteSigner) -> None:
    log = a_log(5)
    assert await asyncio.to_thread(lambda: away.vkey) == KEY.vkey
    assert await asyncio.to_thread(away.signed) is None
    note = await extended(away, asked(log[:3], 0))
    assert local.signed() == await asyncio.to_thread(away.signed)
    assert note != await extended(away, asked(log, 3))
    assert await asyncio.to_thread(away.extend, asked(log[:3], 0)) is None


async def test_what_it_never_signs_is_refused_as_here(away: RemoteSigner) -> None:
    log = a_log(5)
    await extended(away, asked(log, 0))
    other = msgspec.structs.replace(asked(log, 5), hashes=(leaf_hash(b"x"),))
    with pytest.raises(LogBroken, match="not the one that was signed"):
        await asyncio.to_thread(away.extend, other)


async def test_a_receipt_is_signed_once_its_entry_is(away: RemoteSigner) -> None:
    log = a_log(3)
    with pytest.raises(SignerError, match="once its entry is"):
        await asyncio.to_thread(away.receipt, RECEIPT)
    await extended(away, asked(log[:2], 0))
    with pytest.raises(SignerError, match="once its entry is"):
        await asyncio.to_thread(away.receipt, RECEIPT)
    await extended(away, asked(log, 2))
    note = await asyncio.to_thread(away.receipt, RECEIPT)
    assert open_receipt(note, [NoteVerifier(KEY.vkey)]) == RECEIPT
    later = msgspec.structs.replace(RECEIPT, shard="visitsync/shiomi/2027", index=0)
    with pytest.raises(SignerError, match="once its entry is"):
        await asyncio.to_thread(away.receipt, later)
    earlier = msgspec.structs.replace(RECEIPT, shard="visitsync/shiomi/2025", index=99)
    assert await asyncio.to_thread(away.receipt, earlier)


def _said(path: Path, sent: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        said = b""
        while part := line.recv(65536):
            said += part
    return said


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\xff",
        b"[" * 5_000,
        b'{"type":"sign","text":"visitsync/shiomi/2026\\n9\\n"}',
        b'{"type":"key","also":1}',
        b'{"type":"extend"}',
        b'{"type":"receipt","receipt":{"tenant":"shiomi"}}',
    ],
)
async def test_what_is_no_question_is_refused_and_it_goes_on(
    away: RemoteSigner, tmp_path: Path, body: bytes
) -> None:
    sent = len(body).to_bytes(4, "big") + body
    said = await asyncio.to_thread(_said, tmp_path / "socket", sent)
    assert isinstance(wire.answer(said[4:]), wire.Refused)
    assert await asyncio.to_thread(lambda: away.vkey) == KEY.vkey


async def test_too_much_at_once_is_refused_unread(away: RemoteSigner, tmp_path: Path) -> None:
    said = await asyncio.to_thread(_said, tmp_path / "socket", b"\xff\xff\xff\xff")
    refused = wire.answer(said[4:])
    assert isinstance(refused, wire.Refused)
    assert "too much" in refused.message
    assert await asyncio.to_thread(lambda: away.vkey) == KEY.vkey


async def test_half_a_question_gets_no_answer(
    away: RemoteSigner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_PATIENCE", 0.2)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(tmp_path / "socket"))
        line.sendall(b"\0\0")
        assert await asyncio.to_thread(line.recv, 10) == b""
    assert await asyncio.to_thread(lambda: away.vkey) == KEY.vkey


async def test_a_second_one_at_the_same_place_is_refused(
    away: RemoteSigner, local: Signer, tmp_path: Path
) -> None:
    with pytest.raises(SignerError, match="Another signer"):
        async with serving.serving(local, tmp_path / "socket"):
            pass
    assert await asyncio.to_thread(lambda: away.vkey) == KEY.vkey


async def test_what_a_dead_one_left_is_no_obstacle(local: Signer, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "socket"))
    async with serving.serving(local, tmp_path / "socket"):
        assert await asyncio.to_thread(lambda: RemoteSigner(tmp_path / "socket").vkey)


async def test_the_socket_is_for_its_owner_and_group(away: RemoteSigner, tmp_path: Path) -> None:
    assert repr(away)
    assert (tmp_path / "socket").stat().st_mode & 0o777 == 0o660


def test_one_that_is_away_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="cannot be reached"):
        RemoteSigner(tmp_path / "socket").signed()


async def test_one_that_says_nothing_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_PATIENCE", 0.2)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "socket"))
        mute.listen()
        with pytest.raises(SignerError, match="cannot be reached"):
            await asyncio.to_thread(RemoteSigner(tmp_path / "socket").signed)


@pytest.mark.parametrize("said", [b"", b"\0\0\0\x02{}", b"\xff\xff\xff\xff", b"\0\0\0\x09{}"])
async def test_an_answer_that_is_none_is_said_so(tmp_path: Path, said: bytes) -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_unix_server(nonsense, tmp_path / "socket")
    async with server:
        with pytest.raises(SignerError):
            await asyncio.to_thread(RemoteSigner(tmp_path / "socket").signed)
