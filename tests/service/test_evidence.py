"""Evidence: what is taken in is of its type, and who is given it stands in the log first."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
import sqlalchemy as sa
from build import CARE, a_consent
from service.test_recording import (
    AUDITOR,
    CHIEF,
    HELPER,
    OTHER,
    SCAN,
    WORKER,
    a_home,
    denials,
    recorded,
)

from visitsync.errors import (
    BadParameter,
    NotAllowed,
    NotItsMediaType,
    Tampered,
    UnknownHousehold,
)
from visitsync.service import accesses, blocks, directives, evidence_reading, shields
from visitsync.service.blocks import BlockDraft
from visitsync.service.caller import Caller
from visitsync.service.context import Context
from visitsync.service.evidence import Evidence, MediaType
from visitsync.service.evidence_reading import Signed
from visitsync.service.looking_back import Period
from visitsync.service.shields import ShieldDraft
from visitsync.store import data_keys
from visitsync.store import evidence as stored
from visitsync.store.tables import data_key, log_entry

PDF = b"%PDF-1.7\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert\\(1\\))>> >>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
GOOD: dict[MediaType, bytes] = {
    "application/pdf": PDF,
    "image/jpeg": JPEG,
    "image/png": PNG,
    "image/tiff": b"II*\x00\x08\x00\x00\x00",
    "application/json": b'{"agreed": true}',
    "text/plain": "同意します。\r\n".encode(),
}


async def evidenced(context: Context, home: str, given: Evidence = SCAN) -> str:
    return (await directives.record(context, WORKER, a_consent(home), given)).id


async def read(
    context: Context, directive: str, caller: Caller = WORKER, purpose: str = CARE
) -> Evidence:
    return (await signed(context, directive, caller, purpose)).evidence


async def signed(
    context: Context,
    directive: str,
    caller: Caller = WORKER,
    purpose: str = CARE,
    *,
    acknowledged: bool = True,
) -> Signed:
    return await evidence_reading.of_directive(
        context, caller, directive, purpose, acknowledged=acknowledged
    )


async def leaves(context: Context) -> list[dict[str, Any]]:
    async with context.database.reading() as connection:
        found = await connection.execute(sa.select(log_entry.c.leaf).order_by(log_entry.c.seq))
        return [msgspec.json.decode(one) for one in found.scalars()]


# ── taken in ──────────────────────────────────────────────────────────────────────────────────────
def test_every_type_has_an_example() -> None:
    assert set(GOOD) == set(get_args(MediaType))


async def test_every_type_is_taken_in_and_handed_out_as_it_was(context: Context) -> None:
    home = await a_home(context)
    for media_type, content in GOOD.items():
        given = Evidence(kind="paper", media_type=media_type, content=content)
        assert await read(context, await evidenced(context, home, given)) == given


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("image/jpeg", HTML),
        ("image/jpeg", HTML + JPEG),
        ("image/jpeg", b"\n" + JPEG),
        ("image/jpeg", PNG),
        ("image/png", SVG),
        ("image/png", PNG[:8] + HTML),
        ("image/png", b"GIF89a" + PNG),
        ("image/tiff", PDF),
        ("application/pdf", HTML + PDF),
        ("application/pdf", JPEG + PDF),
        ("application/pdf", b"%PDF"),
        ("application/pdf", b"PK\x03\x04" + PDF),
        ("application/json", HTML),
        ("application/json", b'{"agreed": true'),
        ("application/json", b'{"agreed": true, "agreed": false}'),
        ("application/json", PDF),
        ("text/plain", PDF),
        ("text/plain", JPEG),
        ("text/plain", b"MZ\x90\x00"),
        ("text/plain", b"agreed\x1b[2J"),
        ("text/plain", "同意".encode("cp932")),
    ],
)
async def test_what_is_of_another_type_is_refused_and_nothing_recorded(
    context: Context, media_type: MediaType, content: bytes
) -> None:
    home = await a_home(context)
    before = await leaves(context)
    with pytest.raises(NotItsMediaType) as refused:
        await evidenced(
            context, home, Evidence(kind="paper", media_type=media_type, content=content)
        )
    assert refused.value.where == "evidence"
    assert await leaves(context) == before


# ── handed out ────────────────────────────────────────────────────────────────────────────────────
async def test_it_is_logged_before_it_is_handed_out(context: Context) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)

    for caller in (WORKER, CHIEF):
        assert await read(context, made, caller) == SCAN
        leaf = (await leaves(context))[-1]
        assert (leaf["kind"], leaf["decision"]) == ("export", "shown")
        assert (leaf["actor"], leaf["purpose"]) == (f"staff:{caller.id}", CARE)
    auditor = Caller(kind="staff", id="auditor", scopes=frozenset({"audit"}))
    found = await accesses.accesses(context, auditor, home, "audit", Period())
    assert [one.kind for one in found.accesses] == ["export", "export"]


async def test_what_is_not_there_and_not_theirs_is_one_answer_and_logged(
    context: Context,
) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)
    without = (await recorded(context, home)).id
    before = await denials(context)
    asked = [
        (WORKER, without, CARE),
        (WORKER, "d" + "a" * 26, CARE),
        (WORKER, "\0", CARE),
        (WORKER, made, "billing"),
        (OTHER, made, CARE),
        (AUDITOR, made, CARE),
        (HELPER, made, CARE),
    ]
    answers = set()
    for caller, directive, purpose in asked:
        with pytest.raises(UnknownHousehold) as refused:
            await read(context, directive, caller, purpose)
        answers.add(str(refused.value))
    assert len(answers) == 1
    assert await denials(context) == before + len(asked)


async def test_it_needs_the_scope_and_a_purpose_that_there_is(context: Context) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)
    with pytest.raises(NotAllowed):
        await read(context, made, Caller.as_staff("worker", "tests"))
    with pytest.raises(BadParameter):
        await read(context, made, purpose="curiosity")


async def test_under_a_shield_only_whom_it_allows_is_given_it(context: Context) -> None:
    """The form tells where the family lives."""
    home = await a_home(context)
    made = await evidenced(context, home)
    await shields.record(context, WORKER, home, ShieldDraft())
    with pytest.raises(UnknownHousehold):
        await read(context, made)


async def test_whom_the_shield_allows_is_given_it(context: Context) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)
    allowed = ("role:child_protection_worker@agency:city", "viewer:worker")
    await shields.record(context, WORKER, home, ShieldDraft(allowed=allowed))
    assert await signed(context, made) == Signed(SCAN, protected=True)
    with pytest.raises(UnknownHousehold):
        await read(context, made, CHIEF)


async def test_a_client_that_does_not_heed_a_shield_is_given_none_whoever_asks(
    context: Context,
) -> None:
    """D2: the form is a locator, and so goes the way of every other one."""
    home = await a_home(context)
    made = await evidenced(context, home)
    assert await signed(context, made, acknowledged=False) == Signed(SCAN, protected=False)
    allowed = ("role:child_protection_worker@agency:city", "viewer:worker")
    await shields.record(context, WORKER, home, ShieldDraft(allowed=allowed))
    before = await denials(context)

    with pytest.raises(UnknownHousehold):
        await signed(context, made, acknowledged=False)

    assert await denials(context) == before + 1


async def test_whom_a_block_names_is_given_none(context: Context) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)
    await blocks.record(context, CHIEF, home, BlockDraft(who=("viewer:worker",)))
    with pytest.raises(UnknownHousehold):
        await read(context, made)
    assert await read(context, made, CHIEF) == SCAN


async def test_with_its_key_destroyed_there_is_none(context: Context) -> None:
    home = await a_home(context)
    made = await evidenced(context, home)
    async with context.database.writing() as connection:
        await connection.execute(
            sa.update(data_key)
            .where(data_key.c.household == home, data_key.c.kind == "evidence")
            .values(state=data_keys.DESTROYED, wrapped=None)
        )
    with pytest.raises(UnknownHousehold):
        await read(context, made)


@pytest.mark.parametrize("plain", [b"\xff", msgspec.msgpack.encode({"kind": "paper"})])
async def test_what_is_stored_in_no_known_form_is_noticed(context: Context, plain: bytes) -> None:
    home = await a_home(context)
    await evidenced(context, home)
    made = (await recorded(context, home)).id
    async with context.database.writing() as connection:
        rows = await data_keys.of_households(connection, [home])
        key = context.keyring.opened(rows)[home, "", "evidence"]
        sealed = context.keyring.seal_evidence(key, home, made, plain)
        await stored.add(connection, stored.Evidence(made, home, 0, "paper", sealed, 1))
    with pytest.raises(Tampered):
        await read(context, made)
