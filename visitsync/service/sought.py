"""What a search was for, sealed so that it goes with the first of the households that it found.

A search's own entry names several households, so it stands under the general key. Its terms are a
family's name and birth date; they are sealed under the log key of each household that was found,
one inside the other, and nobody can open them any more once one of these keys is destroyed. Terms
of a search without a result belong to no household and stand in the entry itself.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from visitsync.envelope import Context, open_sealed, seal
from visitsync.errors import Tampered
from visitsync.service.keyring import LOG, DataKey, Keyring, Place, held

_SCHEMA: Final = "log-terms/1"


def members(
    keyring: Keyring,
    keys: Mapping[Place, DataKey],
    households: Sequence[str],
    terms: Mapping[str, str],
) -> dict[str, Any]:
    """What stands in the sealed part of a search's entry.

    Args:
        keyring: of the installation.
        keys: with the log keys of the households.
        households: that were found.
        terms: by kind.
    """
    if not households:
        return {"households": [], "terms": dict(terms)}
    sealed = msgspec.json.encode(terms, order="sorted")
    versions = []
    for place, one in enumerate(households):
        key = held(keys, (one, "", LOG))
        sealed = seal(key.newest, _place(keyring, one, place, key.version), sealed)
        versions.append(key.version)
    return {
        "households": list(households),
        "key_versions": versions,
        "terms": sorted(terms),
        "sealed_terms": base64.b64encode(sealed).decode("ascii"),
    }


def opened(
    keyring: Keyring, keys: Mapping[Place, DataKey], private: Mapping[str, Any]
) -> Mapping[str, str] | None:
    """The terms, of an entry's sealed part; None where one of the households was erased since.

    Raises:
        Tampered: they were altered.
    """
    if isinstance(private["terms"], dict):
        return dict(private["terms"])
    sealed = base64.b64decode(private["sealed_terms"], validate=True)
    under = zip(private["households"], private["key_versions"], strict=True)
    for place, (one, version) in reversed(list(enumerate(under))):
        key = keys.get((one, "", LOG))
        if key is None:
            return None
        sealed = open_sealed(key.of(version), _place(keyring, one, place, version), sealed)
    try:
        return msgspec.json.decode(sealed, type=dict[str, str])
    except msgspec.DecodeError:
        raise Tampered("Terms of a search are of no form that there is", where="terms") from None


def _place(keyring: Keyring, household: str, place: int, version: int) -> Context:
    return Context(
        tenant=keyring.tenant,
        program="",
        household=household,
        record="terms",
        revision=place,
        schema=_SCHEMA,
        kind=LOG,
        key_version=version,
    )
