"""What a decision gives away, as a set, so that "never shows more" is a comparison of sets."""

from __future__ import annotations

from consent.agreement import Line, lines

_NEEDS = {
    "case_no": "identity",
    "source.record_id": "identity",
    "text:child_protection": "child_protection",
    "text:health": "health",
    "place": "attendance",
    "source.office": "attendance",
    "visitors": "attendance",
}


def exposed(line: Line) -> frozenset[str]:
    """Categories and fields that are shown; of a masked record, that its office has one."""
    if line["outcome"] == "masked":
        return frozenset({"source.office"})
    visible = set(line["visible"])
    fields = {field for field, category in _NEEDS.items() if category in visible}
    return frozenset(visible | fields - set(line["withheld_fields"]))


def exposure(scenario: object) -> dict[str | None, frozenset[str]]:
    """What each record of a scenario gives away."""
    return {line["record"]: exposed(line) for line in lines(scenario)}


def shows_more(after: object, before: object) -> bool:
    """Whether some record gives away something after that it did not give away before."""
    then = exposure(before)
    return any(now - then.get(record, frozenset()) for record, now in exposure(after).items())
