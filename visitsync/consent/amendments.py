"""What later versions of an invocation or a break-glass grant may change.

Compared with the lowest readable version: the confirmation for a shield, of a grant the review,
and an end earlier than that of every lower version. Another change is malformed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from visitsync.consent.facts import Grant, Invocation
from visitsync.consent.statements import Statement, member, read
from visitsync.consent.times import Instant

A = TypeVar("A", Invocation, Grant)

_FREE: Final = {
    *("id", "version", "recorded_at"),
    *("shield", "confirmed_by", "confirmer_role"),
    *("review", "from_", "until", "valid"),
}
_FIXED: Final = {
    kind: [field for field in kind.__struct_fields__ if field not in _FREE]
    for kind in (Invocation, Grant)
}


def judge_invocations(versions: Sequence[Statement[Invocation]]) -> None:
    """Make unreadable the versions of one invocation that change what they may not."""
    if len(versions) > 1:
        _judge(versions)


def judge_grants(versions: Sequence[Statement[Grant]]) -> None:
    """The same for one grant, which also starts no earlier than it was first recorded."""
    numbered = [one.version for one in versions if one.version is not None]
    first = [one.recorded_at for one in versions if numbered and one.version == min(numbered)]
    for one in versions:
        # Shows less: a first recording whose time cannot be read is after every start.
        if one.fact is not None and not all(
            at is not None and at <= one.fact.from_ for at in first
        ):
            one.fact = None
    if len(versions) > 1:
        _judge(versions)


def _judge(versions: Sequence[Statement[A]]) -> None:
    readable = [one for one in versions if one.fact is not None]
    if not readable:
        return
    lowest = min(readable, key=lambda one: one.version or 0)
    changed = [one for one in readable if not _may_follow(one, lowest, versions)]
    for one in changed:
        one.fact = None


def _may_follow(one: Statement[A], lowest: Statement[A], versions: Sequence[Statement[A]]) -> bool:
    later, first = one.fact, lowest.fact
    if later is None or first is None or one is lowest:
        return True
    if any(getattr(later, name) != getattr(first, name) for name in _FIXED[type(first)]):
        return False
    if later.span.from_ != first.span.from_:
        return False
    end = later.span.until
    if end == first.span.until:
        return True
    # Shows less: "every lower version" has also those that are unreadable as a whole, and an end
    # that cannot be read is one that nothing is known to lie before.
    ends = [
        _end_of(other.raw)
        for other in versions
        if one.version is not None and other.version is not None and other.version < one.version
    ]
    return all(other is not None and end < other for other in ends)


def _end_of(raw: object) -> Instant | None:
    valid = member(raw, "valid")
    return read(Instant, member(raw if valid is None else valid, "until"))
