"""The one door: what leaves is what was decided, and nothing else can change it."""

from __future__ import annotations

import ast
import json
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from consent.agreement import case

from visitsync.consent import Decision, Reason, decide, read_scenario, release
from visitsync.errors import NotAllowed
from visitsync.schema.visit import Visit, decode, encode
from visitsync.schema.vocabulary import VOCABULARY

CATEGORIES: Final = tuple(VOCABULARY.categories)
WITHHELD: Final = (
    "case_no",
    "place",
    "source.office",
    "source.record_id",
    "text:child_protection",
    "text:health",
    "visitors",
)


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    """All that the five offices' sample files are expected to yield."""
    files = sorted(Path("tests/samples").rglob("expected/*.ndjson"))
    found = [decode(line) for file in files for line in file.read_bytes().splitlines()]
    assert len(found) > 500
    return found


@pytest.fixture(scope="module")
def rich() -> Visit:
    """A report in which every field is filled."""
    return msgspec.convert(
        {
            "program": "multiples",
            "source": {
                "office": "o4",
                "record_id": "R-1",
                "revision": 2,
                "state": "corrected",
                "local_program": "ふたごの会",
                "file": "sept.tsv",
                "row": 7,
            },
            "case_no": "A-12",
            "persons": [
                {
                    "role": role,
                    "name": "試験 花子",
                    "kana": "シケン ハナコ",
                    "birth_date": "2024-05",
                    "sex": "female",
                    "postal_code": "999-0000",
                    "address": "汐見市一丁目",
                    "phone": "000-0000",
                    "identifiers": {"atena_no": "1"},
                }
                for role in ("guardian", "child")
            ],
            "basis": "measure",
            "outcome": "done",
            "start": "2026-09-01T10:00:00+09:00",
            "end": "2026-09-01T12:00:00+09:00",
            "date": "2026-09-01",
            "place": "facility",
            "visitors": [{"id": "v1", "name": "支援 太郎", "qualification": "helper"}],
            "services": ["housework.cooking"],
            "units": {"kind": "hours", "quantity": "2"},
            "fee": {"class": "standard", "charged": 500, "waived": 0, "expenses": 0},
            "notes": dict.fromkeys(("notes", "health", "child_protection", "contact"), "書いた文"),
            "health": {"epds": 5},
            "confirmed_by": "stamp",
        },
        Visit,
    )


def whole(visit: Visit) -> dict[str, Any]:
    """The report as its JSON says it."""
    report: dict[str, Any] = json.loads(encode(visit))
    return report


def shown(*visible: str, withheld: tuple[str, ...] = ()) -> Decision:
    return Decision(
        record="r1",
        outcome="shown",
        visible=tuple(sorted({"attendance", *visible})),
        withheld_fields=withheld,
    )


def fields(decision: Decision, visit: Visit) -> dict[str, Any]:
    return released_from(decision, encode(visit))


def released_from(decision: Decision, line: bytes) -> dict[str, Any]:
    return release([decision], {"r1": line}).shown[0].fields


def leaves(report: dict[str, Any]) -> set[str]:
    """The paths of a nested report in the words of ``[field]`` of the vocabulary."""
    found: set[str] = set()
    for name, value in report.items():
        if isinstance(value, dict) and name in ("source", "notes"):
            found |= {f"{name}.{key}" for key in value}
        elif isinstance(value, list) and name in ("persons", "visitors"):
            found |= {f"{name}[].{key}" for one in value for key in one}
        else:
            found.add(name)
    return found


def test_with_every_category_a_report_is_released_whole(visits: list[Visit], rich: Visit) -> None:
    for visit in (*visits, rich):
        if visit.place != "supporter_home":
            assert fields(shown(*CATEGORIES), visit) == whole(visit)


@pytest.mark.parametrize("category", CATEGORIES)
def test_each_category_releases_exactly_its_fields(rich: Visit, category: str) -> None:
    attendance = set(VOCABULARY.fields_of_category["attendance"])
    expected = attendance | set(VOCABULARY.fields_of_category[category])
    assert leaves(fields(shown(category), rich)) == expected


def test_what_may_not_be_shown_is_left_out_and_what_was_not_given_is_null(rich: Visit) -> None:
    without_case = msgspec.structs.replace(rich, case_no=None)
    assert fields(shown("identity"), without_case)["case_no"] is None
    assert "case_no" not in fields(shown(), without_case)


@pytest.mark.parametrize("name", WITHHELD)
def test_each_withheld_field_is_left_out(rich: Visit, name: str) -> None:
    everything = fields(shown(*CATEGORIES), rich)
    left = fields(shown(*CATEGORIES, withheld=(name,)), rich)
    gone = {
        "text:child_protection": {"notes.child_protection"},
        "text:health": {"notes.health"},
        "visitors": {"visitors[].id", "visitors[].name", "visitors[].qualification"},
    }.get(name, {name})
    assert leaves(everything) - leaves(left) == gone
    assert "visitors" not in left or name != "visitors"


def otherwise(value: Any) -> Any:
    """The same shape with every value changed."""
    if isinstance(value, dict):
        return {key: otherwise(member) for key, member in value.items()} | {"more": 1}
    if isinstance(value, list):
        return [*map(otherwise, value), "one more"]
    return f"not {value}"


def changed_where_unreleased(whole: Any, released: Any) -> Any:
    if isinstance(whole, dict) and isinstance(released, dict):
        return {
            key: changed_where_unreleased(value, released[key])
            if key in released
            else otherwise(value)
            for key, value in whole.items()
        }
    if isinstance(whole, list) and isinstance(released, list) and len(whole) == len(released):
        return list(map(changed_where_unreleased, whole, released))
    return whole


def test_a_withheld_or_invisible_field_cannot_change_what_is_released(rich: Visit) -> None:
    """Every combination of categories, each alone and with each field withheld."""
    report = whole(rich)
    for size in range(len(CATEGORIES)):
        for visible in combinations(CATEGORIES, size):
            for withheld in ((), *((name,) for name in WITHHELD)):
                decision = shown(*visible, withheld=withheld)
                released = fields(decision, rich)
                other = changed_where_unreleased(report, released)
                assert (other == report) == (released == report)
                assert released_from(decision, json.dumps(other).encode()) == released


def test_persons_whose_address_is_unknown_are_not_counted_to_who_may_not_know_them(
    rich: Visit,
) -> None:
    nowhere = msgspec.structs.replace(rich.persons[1], address=None, postal_code=None, phone=None)
    visit = msgspec.structs.replace(rich, persons=(rich.persons[0], nowhere))
    assert len(fields(shown("contact"), visit)["persons"]) == 1
    assert len(fields(shown("contact", "identity"), visit)["persons"]) == 2


def test_the_address_of_a_supporters_home_is_shown_to_nobody(rich: Visit) -> None:
    visit = msgspec.structs.replace(rich, place="supporter_home")
    released = fields(shown(*CATEGORIES), visit)
    assert released["place"] == "supporter_home"
    assert "contact" not in released["notes"]
    assert leaves(whole(visit)) - leaves(released) == {"notes.contact"}


def test_masked_records_give_their_offices_once_and_nothing_else() -> None:
    decisions = [
        Decision(record=f"r{number}", outcome="masked", office=office)
        for number, office in enumerate(("o5", "o4", "o5"))
    ]
    released = release(decisions, {})
    assert released.masked == ("o4", "o5")
    assert released.shown == ()


def test_hidden_records_leave_no_trace(rich: Visit) -> None:
    hidden = Decision(record="r1", reasons=(Reason("notes", "C8", "b1", "withhold"),))
    assert release([hidden], {"r1": encode(rich)}) == release([], {})


def test_a_viewer_is_told_only_why_something_is_shown(rich: Visit) -> None:
    reasons = (
        Reason("attendance", "C3", "d1@1", "show"),
        Reason("notes", "C4", "x1@1", "withhold"),
    )
    decision = Decision(record="r1", outcome="shown", visible=("attendance",), reasons=reasons)
    assert release([decision], {"r1": encode(rich)}).shown[0].why == reasons[:1]


def test_a_simulation_releases_nothing(rich: Visit) -> None:
    scenario = case("c3-a-consent-shows-what-it-names")
    question = scenario["question"]
    asked_then = scenario | {"question": question | {"known_at": question["now"]}}
    decisions = decide(read_scenario(asked_then))
    assert [decision.outcome for decision in decisions] == ["shown"]
    with pytest.raises(NotAllowed):
        release(decisions, {"r1": encode(rich)})
    assert release(decide(read_scenario(scenario)), {"r1": encode(rich)}).shown


def test_only_the_decision_to_show_needs_the_visit() -> None:
    decisions = decide(read_scenario(case("masked-beside-a-record-that-consent-shows")))
    with pytest.raises(KeyError):
        release(decisions, {})
    assert release(decisions[1:], {}).masked == ("o5",)


def test_printing_a_release_tells_nothing(rich: Visit) -> None:
    printed = repr(release([shown(*CATEGORIES)], {"r1": encode(rich)}))
    report = json.dumps(whole(rich), ensure_ascii=False)
    assert all(word not in printed for word in ("花子", "汐見市", "A-12"))
    assert all(word in report for word in ("花子", "汐見市", "A-12"))


def test_only_one_file_makes_a_released() -> None:
    makers = {
        file.as_posix()
        for file in Path("visitsync").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in ("Released", "ReleasedVisit"))
            or (isinstance(node.func, ast.Attribute) and node.func.attr.startswith("Released"))
        )
    }
    assert makers == {"visitsync/consent/release.py"}
