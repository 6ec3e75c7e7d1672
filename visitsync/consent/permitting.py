"""C1, C2, C5 and C6: what work, law and emergency permit without a consent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from visitsync.consent.decision import Permit
from visitsync.consent.facts import ATTENDANCE, CATEGORIES, Record
from visitsync.consent.inquiry import COORDINATING, Inquiry

_OWN_WORK: Final = frozenset({"service_delivery", "billing", *COORDINATING})
_COMMISSIONING: Final = frozenset({"eligibility", "billing", "service_delivery"})
_FOR_COMMISSIONERS: Final = frozenset({ATTENDANCE, "services", "economy", "identity", "contact"})

_Rule = Callable[[Record], Iterable[Permit]]


def own_record(inquiry: Inquiry) -> _Rule:
    """C1: an office sees what it recorded itself."""
    permits = {
        office: [Permit("C1", f"office:{office}", CATEGORIES)] for office in own_offices(inquiry)
    }
    return lambda record: permits.get(record.office, ())


def own_offices(inquiry: Inquiry) -> frozenset[str]:
    """The offices whose records C1 permits."""
    return frozenset(inquiry.viewer.offices if inquiry.purpose in _OWN_WORK else ())


def commissioner(inquiry: Inquiry) -> _Rule:
    """C2: the section that commissions a program sees what it pays for."""
    permits = {
        program: [Permit("C2", f"program:{program}", _FOR_COMMISSIONERS)]
        for program in commissioned_programs(inquiry)
    }
    agency = inquiry.viewer.agency
    return lambda record: permits.get(record.program, ()) if record.commissioner == agency else ()


def commissioned_programs(inquiry: Inquiry) -> frozenset[str]:
    """The programs whose records C2 permits, where the viewer's agency commissions them."""
    return frozenset(inquiry.viewer.sections if inquiry.purpose in _COMMISSIONING else ())


def legal_basis(inquiry: Inquiry) -> _Rule:
    """C5: the council as it stands (児童福祉法25条の2), or a law invoked for this household."""
    permits = by_law(inquiry)
    return lambda _: permits


def by_law(inquiry: Inquiry) -> list[Permit]:
    """What C5 permits of every record."""
    if inquiry.purpose not in COORDINATING:
        return []
    return [*_standing(inquiry), *_invoked(inquiry)]


def _standing(inquiry: Inquiry) -> Iterable[Permit]:
    entries = [entry for entry in inquiry.scenario.catalogue if entry.standing]
    for case in inquiry.scenario.council_cases.permitting():
        if (
            inquiry.viewer.council_member
            and case.is_open(inquiry.now)
            and inquiry.named_by(case.members)
        ):
            for entry in entries:
                yield Permit("C5", f"{case.id}:{entry.article}", frozenset(entry.categories))


def _invoked(inquiry: Inquiry) -> Iterable[Permit]:
    entries = {entry.code: entry for entry in inquiry.scenario.catalogue if not entry.standing}
    for call in inquiry.scenario.invocations.permitting():
        entry = entries.get(call.basis)
        # Shows less: an invocation without categories covers nothing, not even attendance.
        if (
            entry is not None
            and call.categories
            and call.valid.covers(inquiry.now)
            and inquiry.named_by(call.recipients)
        ):
            yield Permit(
                "C5",
                f"{call.id}:{entry.article}",
                frozenset(entry.categories).intersection([*call.categories, ATTENDANCE]),
                call.opens(viewer=inquiry.viewer.id, requester=call.requested_by),
            )


def break_glass(inquiry: Inquiry) -> _Rule:
    """C6: an emergency, for hours and under review."""
    permits = by_grant(inquiry)

    def permitted(record: Record) -> Iterable[Permit]:
        policy = inquiry.policy_of(record)
        return permits if policy is not None and policy.break_glass else ()

    return permitted


def by_grant(inquiry: Inquiry) -> list[Permit]:
    """What C6 permits of every record whose program has break-glass."""
    if inquiry.purpose != "protection":
        return []
    return [
        Permit(
            "C6",
            grant.id,
            frozenset([*grant.categories, ATTENDANCE]),
            grant.opens(viewer=inquiry.viewer.id, requester=grant.viewer),
        )
        for grant in inquiry.scenario.grants.permitting()
        if grant.viewer == inquiry.viewer.id
        and grant.span.covers(inquiry.now)
        and grant.review != "unjustified"
    ]
