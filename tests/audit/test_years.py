"""Years in one bundle hold on to each other."""

from __future__ import annotations

import json

from audit.made_logs import OTHER_SIGNER, SIGNER, entry, log, section, signed
from reference import bundle_reference as reference

from visitsync.audit import (
    EMPTY_ROOT,
    Checkpoint,
    Section,
    Verdict,
    encode_bundle,
    leaf,
    origin,
    sign_checkpoint,
    verify_bundle,
)

FIRST = log(6, 2025)
SECOND = log(7, 2026, previous=signed(FIRST, 2025))


def years(*sections: Section, since: str | None = None) -> Verdict:
    """The verdict on a bundle of these years, after asking the second verifier too."""
    data = encode_bundle(sections)
    verdict = verify_bundle(data, SIGNER.vkey, since)
    assert reference.verify(data, SIGNER.vkey, since) == verdict.exit_code
    return verdict


def test_years_that_hold_on_to_each_other_are_good() -> None:
    both = (section(FIRST, 3, year=2025), section(SECOND, 0, 4))
    assert years(*both).codes() == ("no_older", "whole", "whole")
    assert years(both[1]).exit_code == 0


def test_a_year_changed_after_it_was_closed_is_found() -> None:
    grown = [*FIRST, leaf(entry(6, 2025))]
    shorter = FIRST[:5]
    edited = [*FIRST[:5], leaf(entry(5, 2025, records=9))]
    for changed in (grown, shorter, edited):
        verdict = years(section(changed, year=2025), section(SECOND))
        assert verdict.codes() == ("no_older", "whole", "years_disagree")


def test_a_year_that_forgets_the_year_before_is_found() -> None:
    verdict = years(section(FIRST, year=2025), section(log(7)))
    assert verdict.codes() == ("no_older", "whole", "years_disagree")
    # Or names an earlier one in its stead.
    skipping = log(7, 2027, previous=signed(FIRST, 2025))
    verdict = years(section(FIRST, year=2025), section(SECOND), section(skipping, year=2027))
    assert verdict.codes() == ("no_older", "whole", "whole", "years_disagree")


def test_a_year_chained_to_something_else_is_found() -> None:
    opened = json.loads(SECOND[0])
    for note in (
        "no note",
        signed(FIRST, 2025, OTHER_SIGNER),
        signed(SECOND[:1]),
        sign_checkpoint(Checkpoint("other", 0, EMPTY_ROOT), SIGNER),
    ):
        opened["previous"] = note
        forged = json.dumps(opened, ensure_ascii=False, separators=(",", ":")).encode()
        assert years(section([forged, *SECOND[1:]])).codes() == ("no_older", "bad_previous")


def test_years_out_of_order_or_repeated_are_found() -> None:
    one, two = section(FIRST, year=2025), section(SECOND)
    for order in ((two, one), (two, two)):
        assert "years_out_of_order" in years(*order).codes()


def test_a_year_of_another_municipality_is_found() -> None:
    made = origin("oki", 2025)
    other = Section(
        origin=made, leaves=(), note=sign_checkpoint(Checkpoint(made, 0, EMPTY_ROOT), SIGNER)
    )
    assert "years_out_of_order" in years(other, section(SECOND)).codes()


def test_an_older_checkpoint_is_compared_with_its_own_year() -> None:
    both = (section(FIRST, year=2025), section(SECOND))
    assert years(*both, since=signed(FIRST[:3], 2025)).codes()[-1] == "older_agrees"
    forged = [*FIRST[:1], leaf(entry(1, 2025, actor="staff-9")), *FIRST[2:]]
    assert years(*both, since=signed(forged[:3], 2025)).codes()[-1] == "rewritten"
