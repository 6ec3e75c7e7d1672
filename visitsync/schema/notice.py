"""What families are told before they decide, word for word and by version: the form of its file."""

from __future__ import annotations

import tomllib
from typing import Annotated

import msgspec

from visitsync.errors import DirectoryError
from visitsync.schema.silent import Struct

_Said = Annotated[str, msgspec.Meta(min_length=1)]


class Spoken(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in both languages."""

    ja: _Said
    en: _Said


class Notice(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of the notice; never changed once a family has signed it."""

    version: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
    text: Spoken
    retroactive: bool
    """Whether a consent may cover visits from before the day on which it begins to hold."""
    clause: Spoken
    """The sentence of the text that says so, or that it may not."""


def parse(text: str) -> Notice:
    """Read the file of a notice.

    Raises:
        DirectoryError: it is no TOML or not of this form, or its clause does not stand in its text.
    """
    try:
        notice = msgspec.convert(tomllib.loads(text), Notice)
    except tomllib.TOMLDecodeError as error:
        raise DirectoryError("The notice is no TOML; mend it at", where=str(error)) from None
    except msgspec.ValidationError as error:
        raise DirectoryError("The notice has a wrong member", where=str(error)) from None
    if notice.clause.ja not in notice.text.ja or notice.clause.en not in notice.text.en:
        raise DirectoryError("The clause is no part of the text", where="clause")
    return notice
