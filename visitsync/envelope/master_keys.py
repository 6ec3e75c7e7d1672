"""The keys of the key file: by epoch, those that stay, and the log's signing seed.

A master key wraps data keys with the construction that also seals records, because it binds the
wrapped key to its household and commits to the master key, which AES-KWP does not. Before it stands
a short id of the master key, so that the wrong key file is told apart from an altered row.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from visitsync.envelope import keyfile
from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.form import Contents, Form, Master
from visitsync.envelope.index_key import DEFAULT_TOKEN_BITS, IdKey, IndexKey
from visitsync.envelope.plain import PLAIN
from visitsync.errors import KeyFileError, Tampered
from visitsync.schema.silent import Struct

_VERSION: Final = 1
_PREFIX_BYTES: Final = 2
_ID_BYTES: Final = 8


class Wrapped(Struct, frozen=True):
    """A data key as it stands in the database; without the key file it is noise."""

    epoch: int
    """Of the master key; in a column of its own, so that old epochs can be counted and retired."""
    sealed: bytes
    """Version, suite, the master key's id, then what it wrapped: 114 bytes, of a token's 70."""

    def __repr__(self) -> str:
        return f"<Wrapped epoch {self.epoch}>"


class MasterKeys:
    """What the key file holds. The newest epoch wraps; every epoch still there unwraps."""

    __slots__ = ("_contents", "_masters")

    def __init__(self, contents: Contents, form: Form = PLAIN) -> None:
        self._contents = contents
        self._masters: Mapping[int, Master] = {
            epoch: form.master(held) for epoch, held in contents.masters.items()
        }

    @classmethod
    def create(cls, path: Path, form: Form = PLAIN) -> MasterKeys:
        """Make new keys and write them to `path`, where nothing may stand yet.

        The file is readable by its owner alone and durable when this returns.

        Raises:
            KeyFileError: if something stands there or it cannot be written.
        """
        contents = Contents(
            masters={1: form.new_master()},
            indexes={1: secrets.token_bytes(KEY_BYTES)},
            ids=secrets.token_bytes(KEY_BYTES),
            head=secrets.token_bytes(KEY_BYTES),
            signing_seed=secrets.token_bytes(KEY_BYTES),
        )
        keyfile.write_new(path, contents, form.encode)
        return cls(contents, form)

    @classmethod
    def load(cls, path: Path, form: Form = PLAIN, *, listed: bool = False) -> MasterKeys:
        """The keys in `path`; for `listed` see `keyfile.read`.

        Raises:
            KeyFileError: if it is missing, damaged, of an unknown version, owned by somebody else,
                or readable or writable by anybody else.
        """
        return cls(keyfile.read(path, form.decode, listed=listed), form)

    @classmethod
    def rotate(cls, path: Path, form: Form = PLAIN) -> MasterKeys:
        """Add a master key of the next epoch to `path`; the older ones stay and still unwrap.

        Raises:
            KeyFileError: as `load`, or if another rotation is under way.
        """
        with keyfile.replacement(path, form.encode) as replace:
            held = keyfile.read(path, form.decode)
            following = max(held.masters) + 1
            contents = msgspec.structs.replace(
                held, masters={**held.masters, following: form.new_master()}
            )
            replace(contents)
        return cls(contents, form)

    @classmethod
    def retire(cls, path: Path, epoch: int, form: Form = PLAIN) -> MasterKeys:
        """Take the master key of an older epoch out of `path`; what it wrapped is lost for ever.

        Raises:
            KeyFileError: as `load`, if another change is under way, or if it is the newest or not
                there.
        """
        with keyfile.replacement(path, form.encode) as replace:
            held = keyfile.read(path, form.decode)
            if epoch not in held.masters or epoch == max(held.masters):
                raise KeyFileError(
                    f"there is no older master key of epoch {epoch} to take out", where=str(path)
                )
            contents = msgspec.structs.replace(
                held, masters={one: key for one, key in held.masters.items() if one != epoch}
            )
            replace(contents)
        form.dispose(held.masters[epoch])
        return cls(contents, form)

    @classmethod
    def rotate_index(cls, path: Path, form: Form = PLAIN) -> MasterKeys:
        """Add an index key of the next epoch to `path`; the older ones stay.

        Raises:
            KeyFileError: as `load`, or if another change is under way.
        """
        with keyfile.replacement(path, form.encode) as replace:
            held = keyfile.read(path, form.decode)
            following = max(held.indexes) + 1
            contents = msgspec.structs.replace(
                held, indexes={**held.indexes, following: secrets.token_bytes(KEY_BYTES)}
            )
            replace(contents)
        return cls(contents, form)

    @classmethod
    def retire_index(cls, path: Path, before: int, form: Form = PLAIN) -> MasterKeys:
        """Take the index keys of epochs before `before` out of `path`.

        Raises:
            KeyFileError: as `load`, if another change is under way, or if it holds no newer one.
        """
        with keyfile.replacement(path, form.encode) as replace:
            held = keyfile.read(path, form.decode)
            left = {one: key for one, key in held.indexes.items() if one >= before}
            if not left:
                raise KeyFileError(
                    f"there is no index key of epoch {before} or a later one; put the key file's "
                    "newest copy back",
                    where=str(path),
                )
            contents = msgspec.structs.replace(held, indexes=left)
            replace(contents)
        return cls(contents, form)

    @classmethod
    def forget_signing_seed(cls, path: Path, form: Form = PLAIN) -> MasterKeys:
        """Put a seed that signs nothing in place of the log's: a process of its own has it now.

        Raises:
            KeyFileError: as `load`, or if another change is under way.
        """
        with keyfile.replacement(path, form.encode) as replace:
            held = keyfile.read(path, form.decode)
            contents = msgspec.structs.replace(held, signing_seed=secrets.token_bytes(KEY_BYTES))
            replace(contents)
        return cls(contents, form)

    def copy(self, path: Path, form: Form) -> None:
        """Write the same keys to `path`, where nothing may stand yet, in another form.

        Raises:
            KeyFileError: if something stands there or it cannot be written.
        """
        keyfile.write_new(path, self._contents, form.encode)

    @property
    def epoch(self) -> int:
        """The newest, under which `wrap` wraps unless it is told another."""
        return max(self._masters)

    @property
    def epochs(self) -> tuple[int, ...]:
        """All that can be unwrapped, ascending."""
        return tuple(sorted(self._masters))

    @property
    def index_epochs(self) -> tuple[int, ...]:
        """Of the blind indexes, ascending."""
        return tuple(sorted(self._contents.indexes))

    def index_key(self, epoch: int = 1, *, token_bits: int = DEFAULT_TOKEN_BITS) -> IndexKey:
        """The key of the blind indexes of an epoch; rotating master keys leaves it as it is.

        Raises:
            KeyFileError: if there is no such epoch.
        """
        secret = self._contents.indexes.get(epoch)
        if secret is None:
            raise KeyFileError(
                f"the key file holds no index key of epoch {epoch}; put its newest copy back",
                where=f"index epoch {epoch}",
            )
        return IndexKey(secret, token_bits=token_bits)

    def index_id(self, epoch: int) -> str:
        """A short name of an index key that says nothing about it.

        Raises:
            KeyFileError: if there is no such epoch.
        """
        return self.index_key(epoch).id

    @property
    def id_key(self) -> IdKey:
        """The key of identifiers; it is never rotated."""
        return IdKey(self._contents.ids)

    @property
    def head_key(self) -> bytes:
        """32 bytes with which the access log's head is sealed as it is written."""
        return self._contents.head

    @property
    def signing_seed(self) -> bytes:
        """The 32-byte Ed25519 seed with which the access log's checkpoints are signed."""
        return self._contents.signing_seed

    def key_id(self, epoch: int) -> str:
        """A short name of a master key that says nothing about it, to keep beside the database.

        Raises:
            KeyFileError: if there is no such epoch.
        """
        return self._master(epoch).id.hex()

    def wrap(self, key: bytes, context: bytes, *, epoch: int | None = None) -> Wrapped:
        """Seal a data key under a master key.

        Args:
            key: 32 bytes.
            context: `KeyContext.encode()`: whose key it is.
            epoch: of the master key; None is the newest.

        Raises:
            KeyFileError: if there is no such epoch.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a data key has {KEY_BYTES} bytes")
        epoch = self.epoch if epoch is None else epoch
        master = self._master(epoch)
        prefix = bytes((_VERSION, master.suite))
        return Wrapped(epoch, prefix + master.id + master.wrap(context, key))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """The data key that was wrapped for `context`.

        Raises:
            KeyFileError: if this key file does not hold the master key that wrapped it.
            Tampered: if the wrapped key was altered or is of another context.
        """
        master = self._master(wrapped.epoch)
        start = _PREFIX_BYTES + _ID_BYTES
        prefix, key_id = wrapped.sealed[:_PREFIX_BYTES], wrapped.sealed[_PREFIX_BYTES:start]
        known = prefix == bytes((_VERSION, master.suite))
        if not known or len(wrapped.sealed) != start + master.size:
            raise Tampered("no wrapped key of a version this release knows", where="data key")
        if key_id != master.id:
            raise KeyFileError(
                f"this key file's master key of epoch {wrapped.epoch} is not the one that wrapped "
                "this data key; put the key file back that belongs to this database",
                where=f"epoch {wrapped.epoch}",
            )
        return master.unwrap(context, wrapped.sealed[start:])

    def _master(self, epoch: int) -> Master:
        try:
            return self._masters[epoch]
        except KeyError:
            raise KeyFileError(
                f"the key file holds no master key of epoch {epoch}; put the key file back that "
                "belongs to this database, or its newest copy",
                where=f"epoch {epoch}",
            ) from None

    def __repr__(self) -> str:
        return f"<MasterKeys, newest epoch {self.epoch}>"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled")
