"""The rules of a TOML file, read strictly: what contradicts itself is refused as a whole."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from visitsync.errors import RetentionError
from visitsync.schema.silent import Struct
from visitsync.schema.vocabulary import VOCABULARY

_Text: TypeAlias = Annotated[str, Meta(min_length=1, max_length=400)]
_Years: TypeAlias = Annotated[int, Meta(ge=1, le=100)]
_SHORTEST: Final = 7
"""Days for which every erasure is announced at least."""

RETENTION_ENDED: Final = "retention_ended"
"""The ground on which the job asks; others are for people."""


class _Strict(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class RecordRule(_Strict, frozen=True, kw_only=True):
    """How long records of some programs are kept, from a day on."""

    programs: tuple[str, ...]
    from_: dt.date = msgspec.field(name="from")
    years: _Years | Literal["unknown"]
    counted_from: Literal["last_visit", "fiscal_year_of_last_visit"]
    until_child_is: Annotated[int, Meta(ge=1, le=100)] | None = None
    """And at least until the youngest child has this age."""
    source: _Text


class LogRule(_Strict, frozen=True, kw_only=True):
    """How long the access log's sealed parts are kept, from the newest one about a household on."""

    years: _Years
    source: _Text


class Ground(_Strict, frozen=True, kw_only=True):
    """Why something is erased."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}\Z")]
    announce_days: Annotated[int, Meta(ge=_SHORTEST, le=3660)]
    log: Literal["by_rule", "with_records"]
    ja: _Text
    en: _Text


class Rules(_Strict, frozen=True, kw_only=True):
    """All of them."""

    records: tuple[RecordRule, ...]
    log: LogRule
    ground: tuple[Ground, ...]

    @property
    def grounds(self) -> Mapping[str, Ground]:
        """By id."""
        return {one.id: one for one in self.ground}

    def of(self, program: str, on: dt.date) -> RecordRule | None:
        """The rule for a program's records that is in force on a day; None where there is none."""
        begun = [one for one in self.records if program in one.programs and one.from_ <= on]
        return max(begun, key=lambda one: one.from_, default=None)


def read(text: str, *, where: str = "rules.toml") -> Rules:
    """The rules that stand in `text`.

    Raises:
        RetentionError: it is no TOML, or not of the form; names the place, not what stands there.
    """
    try:
        found = msgspec.convert(tomllib.loads(text), Rules)
    except tomllib.TOMLDecodeError:
        raise RetentionError("The rules are no TOML; mend the file", where=where) from None
    except msgspec.ValidationError as error:
        place = str(error).rpartition(" - at ")[2].strip("`") if " - at " in str(error) else "$"
        raise RetentionError(
            f"A rule is not of the form at {place}; mend the file", where=where
        ) from None
    _refuse_contradictions(found, where)
    return found


def shipped() -> Rules:
    """The rules that come with visitsync."""
    return read(resources.files(__package__).joinpath("rules.toml").read_text(encoding="utf-8"))


def _refuse_contradictions(rules: Rules, where: str) -> None:
    begun = [(program, one.from_) for one in rules.records for program in one.programs]
    if len(set(begun)) != len(begun):
        raise RetentionError("Two rules for one program begin on one day", where=where)
    if not {program for program, _ in begun} <= VOCABULARY.programs.keys():
        raise RetentionError("A rule is for a program that there is not", where=where)
    ids = [one.id for one in rules.ground]
    if len(set(ids)) != len(ids) or RETENTION_ENDED not in ids:
        raise RetentionError(f"The grounds must differ, one of them {RETENTION_ENDED}", where=where)
    if rules.grounds[RETENTION_ENDED].log != "by_rule":
        raise RetentionError(
            "Where a period has ended, the log has its own", where=f"{where} {RETENTION_ENDED}"
        )
