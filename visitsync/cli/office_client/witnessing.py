"""A witness: keeps the newest head it saw, takes only one that extends it, and cosigns that.

Its folder holds ``witness.key`` (made once), ``log.key`` (the log's public key), and of each year
the newest head. What contradicts a head that is kept is put beside it and never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

import aiohttp

from visitsync.audit import (
    Checkpoint,
    Cosigner,
    NoteVerifier,
    check_extends,
    open_signed,
    parse_head_extension,
)
from visitsync.errors import LogBroken, OperatorError
from visitsync.schema.silent import silent
from visitsync.signer import key as keys
from visitsync.signer.state import replace_file

_KEY: Final = "witness.key"
_LOG_KEY: Final = "log.key"
_HEADS: Final = "heads"


class Fork(LogBroken):
    """The log contradicts a head that was kept."""


@silent
class Saw(NamedTuple):
    """What a look at the log gave."""

    shard: str
    before: int
    """How many entries the head covered that was kept; 0 if none was."""
    size: int
    vkey: str
    """The witness's public key."""


class Witness:
    """One witness, in its folder.

    Args:
        home: the folder; it is made where it is not.
        name: of the witness in signatures, such as ``office/shiomi-ph-01``; used the first time.
        key: the log's public key; needed the first time, and then kept.

    Raises:
        OperatorError: there is no key of the log, or another one is kept.
        BadParameter: it is no key.
    """

    def __init__(self, home: Path, name: str, key: str | None = None) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / _HEADS).mkdir(mode=0o700, exist_ok=True)
        self._home = home
        self.log = self._log_key(key)
        """By which heads are checked."""
        if not (home / _KEY).exists():
            keys.write(home / _KEY, name, keys.new_seed())
        kept_name, seed = keys.read_seed(home / _KEY)
        self._cosigner = Cosigner(kept_name, seed)

    @property
    def vkey(self) -> str:
        """Its public key, for auditors."""
        return self._cosigner.vkey

    def kept(self, shard: str) -> Checkpoint | None:
        """The newest head of a year that was kept."""
        path = self._path(shard)
        return open_signed(path.read_text(), [self.log]) if path.exists() else None

    def take(self, text: str, seconds: int) -> tuple[str, Saw]:
        """Check what the service sent, keep its head, and cosign it.

        Raises:
            Fork: it contradicts what is kept; both stand in the folder then.
            BadNote: it is not signed by the log, or no head at all.
        """
        sent = parse_head_extension(text)
        head = open_signed(sent.note, [self.log])
        before = self.kept(head.origin)
        if before is not None:
            try:
                check_extends(before, head, sent.proof)
            except LogBroken as error:
                self._evidence(head, sent.note)
                raise Fork(str(error), where=head.origin) from None
        replace_file(self._path(head.origin), sent.note.encode())
        note = self._cosigner.cosign(sent.note, seconds)
        return note, Saw(head.origin, 0 if before is None else before.size, head.size, self.vkey)

    def newest_year(self) -> str | None:
        """The last year of which a head is kept."""
        names = sorted(one.name for one in (self._home / _HEADS).iterdir() if "." not in one.name)
        return names[-1].replace("~", "/") if names else None

    def _log_key(self, given: str | None) -> NoteVerifier:
        path = self._home / _LOG_KEY
        kept = path.read_text().strip() if path.exists() else None
        if given is not None and kept is not None and given.strip() != kept:
            raise OperatorError(
                "Another public key of the log is kept; ask the municipality in person which one "
                "is right",
                where=str(path),
            )
        said = kept or given
        if said is None:
            raise OperatorError("Name the log's public key the first time: --key", where="key")
        verifier = NoteVerifier(said.strip())
        if kept is None:
            replace_file(path, f"{said.strip()}\n".encode())
        return verifier

    def _path(self, shard: str) -> Path:
        return self._home / _HEADS / shard.replace("/", "~")

    def _evidence(self, head: Checkpoint, note: str) -> None:
        path = self._path(head.origin)
        replace_file(path.with_name(f"{path.name}.contradicts-{head.size}"), note.encode())


async def witness(
    session: aiohttp.ClientSession,
    url: str,
    token: str,
    one: Witness,
    now: Callable[[], float],
) -> list[Saw]:
    """Look at the log once: the year whose head is kept up to its end, then the present one.

    Raises:
        Fork, BadNote: see `Witness.take`.
        OperatorError: the service cannot be reached, or does not let this token in.
    """
    saw = []
    last = one.newest_year()
    headers = {"Authorization": f"Bearer {token}"}
    for shard in (last, None) if last is not None else (None,):
        kept = one.kept(shard) if shard is not None else None
        query = f"older={0 if kept is None else kept.size}"
        query += "" if shard is None else f"&shard={quote(shard, safe='')}"
        text = await _get(session, f"{url.rstrip('/')}/api/v1/log-heads/newest?{query}", headers)
        if shard is None and open_signed(parse_head_extension(text).note, [one.log]).origin == last:
            break  # still the same year, which was looked at
        note, seen = one.take(text, int(now()))
        body = {"note": note, "key": one.vkey}
        await _post(session, f"{url.rstrip('/')}/api/v1/log-heads/cosignatures", headers, body)
        saw.append(seen)
    return saw


async def _get(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> str:
    try:
        async with session.get(url, headers=headers) as answer:
            _refuse_problem(answer.status)
            return await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _away(error) from None


async def _post(
    session: aiohttp.ClientSession, url: str, headers: dict[str, str], body: dict[str, str]
) -> None:
    try:
        async with session.post(url, headers=headers, json=body) as answer:
            _refuse_problem(answer.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise _away(error) from None


def _refuse_problem(status: int) -> None:
    if status >= 400:  # noqa: PLR2004 -- HTTP's errors start there
        raise OperatorError(f"The service answered {status}; ask its operator", where="url")


def _away(error: Exception) -> OperatorError:
    return OperatorError(
        f"The service cannot be reached ({type(error).__name__}); try again later", where="url"
    )
