"""Signing heads of the access log: only such as extend the last one, whoever asks.

It is given hashes of entries, never a head to sign: it grows its own tree by them, so that what it
signs extends what it signed before by construction. What it signed is durable before the note
leaves, so that neither an old database nor a second copy of one gets a head signed that contradicts
an older one.
"""

from __future__ import annotations

from pathlib import Path

from visitsync.audit import (
    INCIDENT,
    Certificate,
    Checkpoint,
    Frontier,
    LogEntry,
    NoteSigner,
    NoteVerifier,
    Receipt,
    leaf_hash,
    open_signed,
    order_of,
    read_leaf,
    sign_backup_note,
    sign_certificate,
    sign_checkpoint,
    sign_receipt,
)
from visitsync.errors import LogBroken, SignerError
from visitsync.signer.extension import Extension, Signed
from visitsync.signer.state import held


class Signer:
    """Signs for one log; several processes of one host may do so, one after the other.

    Args:
        path: of what it remembers; its folder must be there.
        key: with which it signs.
    """

    def __init__(self, path: Path, key: NoteSigner) -> None:
        self._path = path
        self._key = key

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._key.vkey

    def signed(self) -> Signed | None:
        """What was signed last; None where nothing ever was.

        Raises:
            SignerError: it cannot be told.
        """
        with held(self._path) as state:
            return state.read()

    def extend(self, asked: Extension) -> Signed | None:
        """Sign the head after these entries.

        Returns:
            The head, signed; None if `asked` does not begin where the last one ended: look again.

        Raises:
            LogBroken: it would contradict what was signed before.
            SignerError: it could not be remembered, so it is not signed.
        """
        with held(self._path) as state:
            last = state.read()
            tree = _from_which(last, asked, NoteVerifier(self.vkey))
            if tree is None:
                return None
            for one in asked.hashes:
                tree.append(one)
            if tree.root() != asked.root:
                raise LogBroken(
                    "The access log is not the one that was signed: entries were changed, or "
                    "another database was put in its place. Keep it as it is, tell the auditors",
                    where=asked.shard,
                )
            if last is not None and not asked.hashes:
                return last
            checkpoint = Checkpoint(asked.shard, tree.size, tree.root())
            made = Signed(
                shard=asked.shard,
                frontier=tree.to_bytes(),
                note=sign_checkpoint(checkpoint, self._key),
            )
            state.write(made)
            return made

    def receipt(self, told: Receipt) -> str:
        """A receipt as a signed note; it can be no checkpoint.

        Raises:
            SignerError: its entry is not covered by a signed head yet.
        """
        self._refuse_uncovered(told.shard, told.index)
        return sign_receipt(told, self._key)

    def certificate(self, told: Certificate) -> str:
        """A certificate of erasure as a signed note; it can be neither a checkpoint nor a receipt.

        Raises:
            SignerError: its entry is not covered by a signed head yet.
        """
        self._refuse_uncovered(told.shard, told.index)
        return sign_certificate(told, self._key)

    def manifest(self, told: str) -> str:
        """What a backup says of itself, one line, as a signed note; it can be none of the others.

        Raises:
            SignerError: it is no line.
        """
        try:
            return sign_backup_note(told, self._key)
        except ValueError:
            raise SignerError("A backup says of itself one line", where="signer") from None

    def _refuse_uncovered(self, shard: str, index: int) -> None:
        with held(self._path) as state:
            last = state.read()
        if last is None or not _covers(last, shard, index):
            raise SignerError("A receipt is signed once its entry is", where="signer")

    def adopt(self, frontier: bytes, note: str) -> Signed:
        """Remember a head that this key signed before it remembered any.

        For an installation that is older than this part, and for the operator's ceremony.

        Raises:
            LogBroken: something is remembered already, or the note is not of this tree.
            BadNote: this key did not sign it.
        """
        with held(self._path) as state:
            if state.read() is not None:
                raise LogBroken("The signer remembers what it signed", where="signer")
            tree = Frontier.from_bytes(frontier)
            checkpoint = self._opened(note)
            if (checkpoint.size, checkpoint.root) != (tree.size, tree.root()):
                raise LogBroken("The access log's head is not what was signed", where="signer")
            made = Signed(shard=checkpoint.origin, frontier=frontier, note=note)
            state.write(made)
            return made

    def _opened(self, note: str) -> Checkpoint:
        return open_signed(note, [NoteVerifier(self.vkey)])

    def __repr__(self) -> str:
        return f"<Signer {self._key.name}>"


def _covers(last: Signed, shard: str, index: int) -> bool:
    if shard == last.shard:
        return index < last.size
    return order_of(shard) < order_of(last.shard)


def _from_which(last: Signed | None, asked: Extension, key: NoteVerifier) -> Frontier | None:
    """The tree that `asked` goes on from; None where it begins elsewhere.

    Raises:
        LogBroken: it is another log, an earlier year, or a year that is not chained to the last.
    """
    if last is not None and last.shard == asked.shard:
        return Frontier.from_bytes(last.frontier) if asked.start == last.size else None
    if asked.start != 0:
        return None
    _refuse_unchained(last, asked, key)
    return Frontier()


def _refuse_unchained(last: Signed | None, asked: Extension, key: NoteVerifier) -> None:
    if asked.opening is None or asked.hashes[:1] != (leaf_hash(asked.opening),):
        raise LogBroken("A year begins without its first entry", where=asked.shard)
    entry = read_leaf(asked.opening)
    if entry.shard != asked.shard or entry.seq != 0:
        raise LogBroken("A year begins with an entry of another", where=asked.shard)
    if order_of(asked.shard)[2] > 1:
        _refuse_unfit_incident(last, entry, key)
    elif last is None:
        if entry.previous is not None:
            raise LogBroken("The signer does not know the year before", where=asked.shard)
    elif order_of(last.shard) >= order_of(asked.shard) or entry.previous != last.note:
        raise LogBroken("A year does not follow the one that was signed last", where=asked.shard)


def _refuse_unfit_incident(last: Signed | None, entry: LogEntry, key: NoteVerifier) -> None:
    """The one way past entries that were signed and lost: an incident that says so.

    It holds the last head that is remembered, to the byte, and that of the log put back, which this
    key signed, too.
    """
    where = entry.shard
    if entry.kind != INCIDENT or entry.restored is None:
        raise LogBroken("A part of a year begins with no incident", where=where)
    if last is not None and (
        order_of(last.shard) >= order_of(where) or entry.previous != last.note
    ):
        raise LogBroken("An incident does not hold the head that was signed last", where=where)
    restored = open_signed(entry.restored, [key])
    if order_of(restored.origin) >= order_of(where):
        raise LogBroken("An incident follows a later log than its own", where=where)
