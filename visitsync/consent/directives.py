"""C3 and C4: what the family consents to, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from visitsync.consent.decision import UNREADABLE, Limit, Permit
from visitsync.consent.facts import ATTENDANCE, CATEGORIES, Directive, Record, has_happened
from visitsync.consent.inquiry import Inquiry
from visitsync.consent.scenario import covers_nothing


def consent(inquiry: Inquiry) -> Callable[[Record], Iterable[Permit]]:
    """C3: a consent covers it, and the viewer has the case, stands over it, or is the office."""
    permits = [
        (Permit("C3", _ref(one), frozenset(one.categories)), one) for one in _consents(inquiry)
    ]
    return lambda record: [permit for permit, one in permits if _covers(one, record)]


def refusal(inquiry: Inquiry) -> Callable[[Record], Iterable[Limit]]:
    """C4: a refusal covers it. One that cannot be read refuses everything."""
    unreadable = [Limit("C4", UNREADABLE) for _ in inquiry.scenario.directives.unreadable]
    denies = [(Limit("C4", _ref(one), _categories(one)), one) for one in _refusals(inquiry)]
    return lambda record: unreadable + [limit for limit, one in denies if _covers(one, record)]


def may_permit(inquiry: Inquiry) -> bool:
    """Whether some record could be permitted by C3 and not be refused by C4, whatever it says."""
    if inquiry.scenario.directives.unreadable:
        return False
    refusals = [one for one in _refusals(inquiry) if ATTENDANCE in _categories(one)]
    return any(
        not any(_covers_all_of(refused, one) for refused in refusals) for one in _consents(inquiry)
    )


def _covers_all_of(refused: Directive, permitted: Directive) -> bool:
    """Whether every record that the consent covers is covered by the refusal too."""
    until, last = refused.data.until, permitted.data.until
    return (
        refused.data.from_ <= permitted.data.from_
        and (until is None or (last is not None and last <= until))
        and (refused.sources == "*" or set(permitted.sources) <= set(refused.sources))
        and (
            refused.registrations == "household"
            or (
                permitted.registrations != "household"
                and set(permitted.registrations) <= set(refused.registrations)
            )
        )
    )


def _consents(inquiry: Inquiry) -> Iterable[Directive]:
    for one in inquiry.scenario.directives.facts():
        covers = one.effect == "permit" and not covers_nothing(one)
        if covers and _concerns(one, inquiry) and _has_the_case(one, inquiry):
            yield one


def _refusals(inquiry: Inquiry) -> Iterable[Directive]:
    for one in inquiry.scenario.directives.facts():
        if one.effect == "deny" and _concerns(one, inquiry):
            yield one


def _ref(directive: Directive) -> str:
    return f"{directive.id}@{directive.version}"


def _categories(directive: Directive) -> frozenset[str]:
    return CATEGORIES if directive.categories == "*" else frozenset(directive.categories)


def _concerns(directive: Directive, inquiry: Inquiry) -> bool:
    """The conditions that are the same for every record."""
    return (
        not has_happened(directive.withdrawn_at, inquiry.now)
        and directive.valid.covers(inquiry.now)
        and (directive.purposes == "*" or inquiry.purpose in directive.purposes)
        and inquiry.named_by(directive.recipients)
    )


def _covers(directive: Directive, record: Record) -> bool:
    """The conditions that each record meets or not."""
    return (
        directive.data.covers(record.date)
        and (
            directive.sources == "*"
            or f"program:{record.program}" in directive.sources
            or f"office:{record.office}" in directive.sources
        )
        and (
            directive.registrations == "household" or record.registration in directive.registrations
        )
    )


def _has_the_case(permit: Directive, inquiry: Inquiry) -> bool:
    viewer, household, now = inquiry.viewer, inquiry.household, inquiry.now
    if viewer.has_case(household, now):
        return True
    if any(f"office:{office}" in permit.recipients for office in viewer.offices):
        return True
    # Shows less: who has the case is among the recipients too, not only their supervisor.
    return "supervisor" in viewer.roles and any(
        other.agency == viewer.agency
        and other.has_case(household, now)
        and not other.names().isdisjoint(permit.recipients)
        for other in inquiry.scenario.viewers.values()
    )
