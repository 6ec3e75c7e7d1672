"""The example consents of IHE Privacy Consent on FHIR, where they map onto ours.

IHE publishes no decisions; those compared with are the expectations kept beside the examples. A
nested provision becomes a directive of its own, an inclusive end the day after it, treatment the
purpose ``care_coordination``, research ``statistics`` (which shows no record, C9), and the group
that may break the glass a grant (C6).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Any, Final

import pytest
from consent.agreement import difference, lines

from visitsync.schema.vocabulary import VOCABULARY

pytestmark = pytest.mark.skipif(
    "VISITSYNC_VECTORS" not in os.environ, reason="VISITSYNC_VECTORS is not set"
)

PURPOSES: Final = {
    "TREAT": "care_coordination",
    "HPAYMT": "billing",
    "HOPERAT": "eligibility",
    "HRESCH": "statistics",
    "BTG": "protection",
}
LONG_AGO: Final = "2000-01-01T00:00:00+09:00"
HEAD: Final = {"version": 1, "recorded_at": LONG_AGO}


def folder() -> Path:
    return Path(os.environ.get("VISITSYNC_VECTORS", "")) / "consent"


def day_after(text: str) -> str:
    return (dt.date.fromisoformat(text) + dt.timedelta(days=1)).isoformat()


def directive(name: str, provision: dict[str, list[str]], purposes: list[str]) -> dict[str, Any]:
    """One provision as a directive of ours."""
    period = {key: day_after(value[0]) for key, value in provision.items() if key.endswith("end")}
    until = period.get("period.end")
    effect = provision["type"][0]
    authors = [f"office:{author}" for author in provision.get("data.reference", [])]
    everything = effect == "deny" and not authors
    return HEAD | {
        "id": name,
        "household": "patient",
        "grantor": "patient",
        "effect": effect,
        "sources": "*"
        if everything
        else authors or [f"program:{program}" for program in VOCABULARY.programs],
        "recipients": ["agency:city"],
        "purposes": [PURPOSES[code] for code in purposes],
        "categories": list(VOCABULARY.categories),
        "valid": {
            "from": LONG_AGO,
            "until": None if until is None else f"{until}T00:00:00+09:00",
        },
        "data": {
            "from": provision.get("dataPeriod.start", ["2000-01-01"])[0],
            "until": period.get("dataPeriod.end"),
        },
        "registrations": "household",
        "notice_version": "1",
    }


def provisions(rules: list[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The outer provision and the one nested in it, as lists of values by path."""
    outer: dict[str, list[str]] = {}
    nested: dict[str, list[str]] = {}
    for rule in rules:
        found = re.fullmatch(r"\* provision\.(.+?) = (.+)", rule)
        if found is None:
            continue
        path = re.sub(r"\[.*?\]", "", found[1])
        value = found[2].strip('"').split("#")[-1]
        reference = re.fullmatch(r"Reference\(\w+/(.+)\)", value)
        value = reference[1] if reference else value
        into = nested if path.startswith("provision.") else outer
        into.setdefault(path.removeprefix("provision."), []).append(value)
    return outer, nested


def directives(name: str, consents: dict[str, list[str]]) -> list[dict[str, Any]]:
    outer, nested = provisions(consents[name])
    purposes = outer.get("purpose", [])
    found = [directive(name, outer, purposes or list(PURPOSES))]
    # A permit nested in a refusal is for those who may break the glass: a grant, not a consent.
    if nested.get("type") == ["deny"]:
        found.append(directive(f"{name}-nested", nested, purposes))
    return found


def grant() -> dict[str, Any]:
    return HEAD | {
        "id": "btg",
        "viewer": "w1",
        "household": "patient",
        "reason_code": "BTG",
        "categories": ["notes"],
        "from": "2022-06-15T09:00:00+09:00",
        "until": "2022-06-15T12:00:00+09:00",
        "review": "open",
    }


def scenario(wanted: dict[str, Any], consents: dict[str, list[str]]) -> dict[str, Any]:
    request = wanted["request"]
    names = wanted["consent"] if isinstance(wanted["consent"], list) else [wanted["consent"]]
    return {
        "vocabulary": 1,
        "viewers": [
            HEAD
            | {
                "id": "w1",
                "agency": "city",
                "offices": [],
                "roles": list(VOCABULARY.roles),
                "sections": [],
                "council_member": False,
                "caseload": [{"household": "patient", "from": LONG_AGO}],
            }
        ],
        "records": [
            HEAD
            | {
                "id": "r1",
                "household": "patient",
                "program": "multiples",
                "office": request.get("author", "other"),
                "commissioner": "city",
                "registration": "other/1",
                "date": request.get("data_date", "2022-06-01"),
            }
        ],
        "directives": [
            one for name in names if name in consents for one in directives(name, consents)
        ],
        "break_glass": [grant()] if request.get("actor_in_btg_group") else [],
        "question": {
            "viewer": "w1",
            "purpose": PURPOSES[request["purpose"]],
            "household": "patient",
            "now": request.get("now", "2022-06-15T10:00:00+09:00"),
        },
    }


def test_the_examples_are_decided_as_expected() -> None:
    examples = json.loads((folder() / "ihe-pcf-examples.json").read_bytes())
    consents = {one["id"]: one["fsh_rules"] for one in examples["consents"]}
    expected = json.loads((folder() / "expected.json").read_bytes())["cases"]
    assert len(expected) == 21
    for wanted in expected:
        asked = scenario(wanted, consents)
        decided = "permit" if lines(asked)[0]["outcome"] == "shown" else "deny"
        assert decided == wanted["expect"], wanted
        assert difference(asked) is None
