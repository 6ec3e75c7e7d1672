r"""Master keys in a PKCS#11 token, which wraps data keys itself and never gives its own out.

Beside the token a file says which key is of which epoch, and holds all other secrets of a key file,
sealed by the newest master key together with that list:

    visitsync-token-keys v1
    master 1 <hex of the 8 bytes by which the token finds it>
    sealed <base64 of nonce, ciphertext and tag>
    sha256 <hex of the SHA-256 of all lines above>
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import GCMParams

from visitsync.envelope.construction import KEY_BYTES
from visitsync.envelope.form import Contents
from visitsync.errors import KeyFileError, Tampered

_FIRST: Final = "visitsync-token-keys v1"
_ANY_VERSION: Final = re.compile(r"visitsync-token-keys v\d+")
_MASTER: Final = re.compile(r"master ([1-9][0-9]{0,8}) ([0-9a-f]{16})")
_LABEL: Final = "visitsync master key"
_WRAP: Final = b"visitsync/token-wrap/1\0"
_SEAL: Final = b"visitsync/token-keys/1\0"
_AES_256_GCM: Final = 2
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_EPOCH_BYTES: Final = 4
_KEY_BITS: Final = 256


class Token:
    """The form of a key file whose master keys are in a token.

    Args:
        module: the token's PKCS#11 library.
        label: of the token.
        pin: asked for once, when the token is first needed.
    """

    def __init__(self, module: Path, label: str, pin: Callable[[], bytes]) -> None:
        self._module = module
        self._label = label
        self._pin = pin
        self._session: Any = None
        self._lock = threading.Lock()  # a session does one thing at a time

    def encode(self, contents: Contents) -> bytes:
        """The file's bytes."""
        lines = [_FIRST]
        lines += [f"master {epoch} {one.hex()}" for epoch, one in sorted(contents.masters.items())]
        body = "".join(f"{line}\n" for line in lines).encode()
        newest = self.master(contents.masters[max(contents.masters)])
        sealed = newest.seal(_SEAL + body, _joined(contents))
        body += b"sealed " + base64.b64encode(sealed) + b"\n"
        return body + f"sha256 {hashlib.sha256(body).hexdigest()}\n".encode()

    def decode(self, data: bytes, *, where: str) -> Contents:
        """What `encode` made `data` of.

        Raises:
            KeyFileError: it is damaged, of another form or version, or the token does not open it.
        """
        masters, body, sealed = _parts(data, where)
        try:
            both = self.master(masters[max(masters)]).open(_SEAL + body, sealed)
        except Tampered:
            raise KeyFileError(
                "the token's key does not open this key file: somebody altered it; put its copy "
                "back",
                where=where,
            ) from None
        return _parted(masters, both)

    def new_master(self) -> bytes:
        """A key in the token that it never gives out; answers by what it is found."""
        made = secrets.token_bytes(_ID_BYTES)
        with self.used() as session:
            session.generate_key(
                KeyType.AES,
                _KEY_BITS,
                id=made,
                label=_LABEL,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                },
            )
        return made

    def master(self, held: bytes) -> TokenMaster:
        """The key in the token.

        Raises:
            KeyFileError: it is not there, or the token would give it out.
        """
        with self.used() as session:
            found = list(
                session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: held})
            )
            if len(found) != 1:
                raise KeyFileError(
                    "the token does not hold the master key that the key file names; put the "
                    "token's backup and the key file of one time together",
                    where=held.hex(),
                )
            if found[0][Attribute.EXTRACTABLE] or not found[0][Attribute.SENSITIVE]:
                raise KeyFileError(
                    "the token would give this master key out; it was not made by visitsync. Make "
                    "a new one (visitsync keys rotate --master)",
                    where=held.hex(),
                )
        return TokenMaster(self, held, found[0])

    def dispose(self, held: bytes) -> None:
        """Destroy the key in the token."""
        with self.used() as session:
            for one in list(
                session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.ID: held})
            ):
                one.destroy()

    @contextmanager
    def used(self) -> Iterator[Any]:
        """The session, for one who uses it at a time.

        Raises:
            KeyFileError: the token is not there, locked, or does not answer.
        """
        with self._lock:
            try:
                if self._session is None:
                    self._session = self._open()
                yield self._session
            except PKCS11Error as error:
                raise KeyFileError(
                    f"the token does not do it ({type(error).__name__}); see that it is there, "
                    "that its PIN is right and not locked, then start again",
                    where=self._label,
                ) from None

    def _open(self) -> Any:  # noqa: ANN401 -- the library's session
        try:
            library = pkcs11.lib(str(self._module))
        except RuntimeError:
            raise KeyFileError(
                "the token's PKCS#11 library cannot be loaded; mend the setting hsm_module",
                where=str(self._module),
            ) from None
        token = library.get_token(token_label=self._label)
        return token.open(rw=True, user_pin=self._pin().decode(errors="replace"))

    def __repr__(self) -> str:
        return "<Token>"


class TokenMaster:
    """A master key that stays in its token."""

    __slots__ = ("_key", "_token", "id")
    suite: Final = _AES_256_GCM
    size: Final = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES

    def __init__(self, token: Token, held: bytes, key: Any) -> None:  # noqa: ANN401 -- the library's
        self._token = token
        self._key = key
        self.id: Final = held

    def wrap(self, context: bytes, key: bytes) -> bytes:
        """Seal a data key for its place."""
        return self.seal(_WRAP + context, key)

    def unwrap(self, context: bytes, wrapped: bytes) -> bytes:
        """The data key.

        Raises:
            Tampered: it was altered or is of another place.
            KeyFileError: the token does not answer.
        """
        return self.open(_WRAP + context, wrapped)

    def seal(self, bound: bytes, plain: bytes) -> bytes:
        """Encrypt in the token, bound to where it belongs."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        with self._token.used():
            made: bytes = self._key.encrypt(
                plain,
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce, bound, _TAG_BYTES * 8),
            )
        return nonce + made

    def open(self, bound: bytes, sealed: bytes) -> bytes:
        """Decrypt in the token.

        Raises:
            Tampered: it was altered or belongs elsewhere.
        """
        with self._token.used():
            try:
                plain: bytes = self._key.decrypt(
                    sealed[_NONCE_BYTES:],
                    mechanism=Mechanism.AES_GCM,
                    mechanism_param=GCMParams(sealed[:_NONCE_BYTES], bound, _TAG_BYTES * 8),
                )
            except _NOT_OPENED:
                raise Tampered("altered after it was sealed, or of another place") from None
        return plain

    def __repr__(self) -> str:
        return "<TokenMaster>"


_NOT_OPENED: Final = (
    pkcs11.exceptions.EncryptedDataInvalid,
    pkcs11.exceptions.EncryptedDataLenRange,
    pkcs11.exceptions.GeneralError,
)
"""What tokens say of a tag that does not fit; SoftHSM says the last."""


def _joined(contents: Contents) -> bytes:
    """All secrets but the master keys: what stays, then each index key after its epoch.

    Those of a file of the first version are the two that stood there, so that older releases read
    it until its index key is rotated.
    """
    one = contents.one_secret
    if one is not None:
        return one + contents.signing_seed
    indexes = (
        epoch.to_bytes(_EPOCH_BYTES, "big") + key for epoch, key in sorted(contents.indexes.items())
    )
    return b"".join((contents.ids, contents.head, contents.signing_seed, *indexes))


def _parted(masters: dict[int, bytes], joined: bytes) -> Contents:
    if len(joined) == 2 * KEY_BYTES:
        return Contents.of_one_secret(masters, joined[:KEY_BYTES], joined[KEY_BYTES:])
    ids, head, seed = (joined[at : at + KEY_BYTES] for at in range(0, 3 * KEY_BYTES, KEY_BYTES))
    step = _EPOCH_BYTES + KEY_BYTES
    indexes = {
        int.from_bytes(joined[at : at + _EPOCH_BYTES], "big"): joined[at + _EPOCH_BYTES : at + step]
        for at in range(3 * KEY_BYTES, len(joined), step)
    }
    return Contents(masters=masters, indexes=indexes, ids=ids, head=head, signing_seed=seed)


def _parts(data: bytes, where: str) -> tuple[dict[int, bytes], bytes, bytes]:
    """The list of keys, the lines of it, and what is sealed; no byte is out of place."""
    lines = data.decode("ascii", errors="replace").split("\n")
    if lines[0] != _FIRST and _ANY_VERSION.fullmatch(lines[0]) is not None:
        raise KeyFileError(
            "the key file is of a version this release does not know; run the release that wrote "
            "it or a newer one",
            where=where,
        )
    named = [_MASTER.fullmatch(line) for line in lines[1:-3]]
    masters = {int(one[1]): bytes.fromhex(one[2]) for one in named if one is not None}
    try:
        sealed = base64.b64decode(lines[-3].removeprefix("sealed "), validate=True)
    except (binascii.Error, IndexError, ValueError):
        sealed = b""
    body = "".join(
        [
            f"{_FIRST}\n",
            *(f"master {epoch} {one.hex()}\n" for epoch, one in sorted(masters.items())),
        ]
    ).encode()
    whole = body + b"sealed " + base64.b64encode(sealed) + b"\n"
    good = whole + f"sha256 {hashlib.sha256(whole).hexdigest()}\n".encode()
    if not masters or not sealed or good != data:
        raise KeyFileError(
            "the key file is damaged (its checksum or form is wrong) or not of a token; put its "
            "copy back, or mend the setting key_provider",
            where=where,
        )
    return masters, body, sealed
