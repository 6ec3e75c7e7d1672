"""Reading the raw JSON of a scenario: single values, and the shape of each kind of fact."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from visitsync.schema.strict_json import RepeatedNames

Raw: TypeAlias = Any  # a JSON value, of whatever form
Check: TypeAlias = Callable[[Raw], bool]
Moment: TypeAlias = int | Fraction

_WORDS: Final = tomllib.loads(
    Path("visitsync/schema/vocabulary.toml").read_text(encoding="utf-8"),
)
PROGRAMS: Final = frozenset(_WORDS["program"])
CATEGORIES: Final = frozenset(_WORDS["category"])
PURPOSES: Final = frozenset(_WORDS["purpose"])
ROLES: Final = frozenset(_WORDS["role"])
PURPOSES_OF_ROLE: Final = {role: said["purposes"] for role, said in _WORDS["role"].items()}


# ── reading one value ─────────────────────────────────────────────────────────────────────────────
def part(raw: Raw, key: str) -> Raw:
    """The value of one key where that key can be read, else None."""
    if not isinstance(raw, dict):
        return None
    if isinstance(raw, RepeatedNames) and key in raw.repeated:
        return None
    return raw.get(key)


def has_keys(raw: Raw, required: str, optional: str = "") -> bool:
    """An object with every required key, no other than these, and none twice."""
    if type(raw) is not dict:
        return False
    needed = words(required)
    return needed <= raw.keys() <= needed | words(optional)


@lru_cache
def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def is_text(value: Raw) -> bool:
    return isinstance(value, str)


def is_id(value: Raw) -> bool:
    return isinstance(value, str) and value != ""


def is_ids(value: Raw) -> bool:
    return isinstance(value, list) and all(is_id(one) for one in value)


def is_codes(value: Raw, known: frozenset[str]) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one in known for one in value)


_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))"
)


@lru_cache(maxsize=100_000)
def _moment(text: str) -> Moment | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, fraction, sign, hours, minutes = found.groups(default="0")
    try:
        on = dt.date.fromisoformat(day)
        at = dt.time.fromisoformat(clock)
    except ValueError:
        return None
    seconds = on.toordinal() * 86_400 + at.hour * 3_600 + at.minute * 60 + at.second
    if int(hours) > 23 or int(minutes) > 59:
        return None
    ahead = (int(hours) * 60 + int(minutes)) * 60
    seconds += ahead if sign == "-" else -ahead
    return seconds + Fraction(int(fraction), 10 ** len(fraction)) if int(fraction) else seconds


def moment(value: Raw) -> Moment | None:
    """An RFC 3339 time with an offset as seconds; None where it is none."""
    return _moment(value) if isinstance(value, str) else None


def moment_or_null(raw: Raw, key: str) -> bool:
    return raw.get(key) is None or moment(raw[key]) is not None


@lru_cache(maxsize=100_000)
def _day(text: str) -> dt.date | None:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def day(value: Raw) -> dt.date | None:
    return _day(value) if isinstance(value, str) else None


def is_period(raw: Raw, read: Callable[[Raw], Raw] = moment) -> bool:
    """`from` and `until` can be read, and the end lies after the start."""
    start = read(raw.get("from"))
    if start is None:
        return False
    if raw.get("until") is None:
        return True
    end = read(raw["until"])
    return end is not None and end > start


def is_open(raw: Raw, at: Raw, read: Callable[[Raw], Raw] = moment) -> bool:
    """The start is inside, the end outside, and a null end is open."""
    return read(raw["from"]) <= at and (raw.get("until") is None or at < read(raw["until"]))


# ── items that name somebody or something ─────────────────────────────────────────────────────────
def is_recipient(item: Raw) -> bool:
    if not isinstance(item, str):
        return False
    if item.startswith("role:"):
        role, at, agency = item.removeprefix("role:").partition("@agency:")
        return role in ROLES and at != "" and agency != ""
    kind, colon, name = item.partition(":")
    return kind in {"agency", "office"} and colon == ":" and name != ""


def is_viewer_item(item: Raw) -> bool:
    return isinstance(item, str) and item.startswith("viewer:") and item != "viewer:"


def is_source(item: Raw) -> bool:
    if not isinstance(item, str):
        return False
    kind, _, name = item.partition(":")
    return (kind == "program" and name in PROGRAMS) or (kind == "office" and name != "")


def all_are(value: Raw, check: Check) -> bool:
    return isinstance(value, list) and all(check(item) for item in value)


def names(item: str, viewer: Raw) -> bool:
    """Whether a recipient item, or `viewer:ID`, names this viewer."""
    if item == f"viewer:{viewer['id']}" or item == f"agency:{viewer['agency']}":
        return True
    if any(item == f"office:{office}" for office in viewer["offices"]):
        return True
    return any(item == f"role:{role}@agency:{viewer['agency']}" for role in viewer["roles"])


def any_names(items: Raw, viewer: Raw) -> bool:
    return items == "*" or any(names(item, viewer) for item in items)


# ── the shape of each kind of fact ────────────────────────────────────────────────────────────────
HEAD: Final = "id version recorded_at "


def has_head(raw: Raw) -> bool:
    return readable_id(raw) is not None and version(raw) is not None and recorded(raw) is not None


def readable_id(raw: Raw) -> str | None:
    value = part(raw, "id")
    return value if is_id(value) else None


def version(raw: Raw) -> int | None:
    value = part(raw, "version")
    return value if type(value) is int and value >= 1 else None


def recorded(raw: Raw) -> Moment | None:
    return moment(part(raw, "recorded_at"))


def household(raw: Raw) -> str | None:
    value = part(raw, "household")
    return value if is_id(value) else None


def is_viewer(raw: Raw) -> bool:
    return (
        has_keys(raw, HEAD + "agency offices roles sections council_member caseload")
        and is_id(raw["agency"])
        and is_ids(raw["offices"])
        and is_codes(raw["roles"], ROLES)
        and is_codes(raw["sections"], PROGRAMS)
        and type(raw["council_member"]) is bool
        and isinstance(raw["caseload"], list)
    )


def is_caseload_entry(raw: Raw) -> bool:
    return has_keys(raw, "household from", "until") and is_id(raw["household"]) and is_period(raw)


def is_record(raw: Raw) -> bool:
    keys = "household program office commissioner registration date"
    return (
        has_keys(raw, HEAD + keys)
        and all(is_id(raw[key]) for key in keys.split())
        and raw["program"] in PROGRAMS
        and day(raw["date"]) is not None
    )


def is_directive(raw: Raw) -> bool:
    if not (
        has_keys(
            raw,
            HEAD + "household grantor effect sources recipients purposes categories valid data "
            "registrations notice_version",
            "withdrawn_at",
        )
        and is_id(raw["household"])
        and is_id(raw["grantor"])
        and is_text(raw["notice_version"])
        and moment_or_null(raw, "withdrawn_at")
        and has_keys(raw["valid"], "from", "until")
        and is_period(raw["valid"])
        and has_keys(raw["data"], "from", "until")
        and is_period(raw["data"], day)
        and (raw["registrations"] == "household" or is_ids(raw["registrations"]))
        and raw["effect"] in ("permit", "deny")
    ):
        return False
    lists = {
        "sources": all_are(raw["sources"], is_source),
        "recipients": all_are(raw["recipients"], is_recipient),
        "purposes": is_codes(raw["purposes"], PURPOSES),
        "categories": is_codes(raw["categories"], CATEGORIES),
    }
    if raw["effect"] == "permit":
        return all(lists.values())
    # Reading: an empty frozen list of registrations makes a deny malformed like any other list.
    return raw["registrations"] != [] and all(
        raw[key] == "*" or (good and raw[key] != []) for key, good in lists.items()
    )


def is_council_case(raw: Raw) -> bool:
    return (
        has_keys(raw, HEAD + "household members from", "until")
        and is_id(raw["household"])
        and all_are(raw["members"], is_recipient)
        and is_period(raw)
    )


def has_confirmation_shape(raw: Raw) -> bool:
    return (
        (raw.get("shield") is None or is_id(raw["shield"]))
        and (raw.get("confirmed_by") is None or is_id(raw["confirmed_by"]))
        and (raw.get("confirmer_role") is None or is_codes([raw["confirmer_role"]], ROLES))
    )


def is_invocation(raw: Raw) -> bool:
    return (
        has_keys(
            raw,
            HEAD + "household basis requested_by approved_by approver_role recipients categories "
            "valid",
            "shield confirmed_by confirmer_role",
        )
        and is_id(raw["household"])
        and is_id(raw["basis"])
        and is_id(raw["requested_by"])
        and is_id(raw["approved_by"])
        and raw["approved_by"] != raw["requested_by"]
        and raw["approver_role"] in ("supervisor", "protection_officer")
        and all_are(raw["recipients"], is_recipient)
        and is_codes(raw["categories"], CATEGORIES)
        and has_keys(raw["valid"], "from until")
        and is_period(raw["valid"])
        and raw["valid"]["until"] is not None
        and length(raw["valid"]) <= 184 * 24 * 3_600
        and has_confirmation_shape(raw)
    )


def is_grant(raw: Raw) -> bool:
    return (
        has_keys(
            raw,
            HEAD + "viewer household reason_code categories from until review",
            "shield confirmed_by confirmer_role",
        )
        and is_id(raw["viewer"])
        and is_id(raw["household"])
        and is_text(raw["reason_code"])
        and is_codes(raw["categories"], CATEGORIES)
        and raw["categories"] != []
        and is_period(raw)
        and raw["until"] is not None
        and length(raw) <= 4 * 3_600
        and raw["review"] in ("open", "justified", "unjustified")
        and has_confirmation_shape(raw)
    )


def length(period: Raw) -> Moment:
    start, end = moment(period["from"]), moment(period["until"])
    assert start is not None
    assert end is not None
    return end - start


def is_shield(raw: Raw) -> bool:
    return (
        has_keys(raw, HEAD + "household from allowed withhold_notes", "until closed_at")
        and is_id(raw["household"])
        and is_period(raw)
        and moment_or_null(raw, "closed_at")
        and all_are(raw["allowed"], lambda item: is_recipient(item) or is_viewer_item(item))
        and type(raw["withhold_notes"]) is bool
    )


def is_block(raw: Raw) -> bool:
    return (
        has_keys(raw, HEAD + "household who from", "until closed_at")
        and is_id(raw["household"])
        and is_period(raw)
        and moment_or_null(raw, "closed_at")
        and all_are(raw["who"], is_blocked_item)
    )


def is_blocked_item(item: Raw) -> bool:
    return is_viewer_item(item) or (is_recipient(item) and not item.startswith("role:"))


SHAPES: Final[dict[str, Check]] = {
    "viewers": is_viewer,
    "records": is_record,
    "directives": is_directive,
    "council_cases": is_council_case,
    "invocations": is_invocation,
    "break_glass": is_grant,
    "shields": is_shield,
    "blocks": is_block,
}
