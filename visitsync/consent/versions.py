"""Which versions count: of each fact the highest recorded by K.

Making a fact unreadable never shows more. So an unreadable version is passed over only for a
readable higher one, and an unreadable permitting fact without an id stands above all of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from visitsync.consent.facts import Block, Directive, Fact, Shield
from visitsync.consent.statements import Statement, same
from visitsync.consent.times import Instant
from visitsync.schema.silent import silent

F = TypeVar("F", bound=Fact)

Versions = Sequence[Statement[F]]
Judge = Callable[[Versions[F]], None]
"""Makes unreadable what is malformed only beside other versions of the same fact."""


@silent
class Counting(msgspec.Struct, Generic[F], kw_only=True):
    """What counts of one kind of fact."""

    readable: list[Statement[F]]
    unreadable: list[Statement[F]]
    """Among these also facts that have no id at all."""

    def of(self, household: str) -> Counting[F]:
        """What speaks of this household; what names none that can be read speaks of all."""
        return Counting(
            readable=[one for one in self.readable if one.household == household],
            unreadable=[one for one in self.unreadable if one.household in (None, household)],
        )

    def permitting(self) -> list[F]:
        """The facts that may permit something: none where one without an id is unreadable."""
        if any(one.id is None for one in self.unreadable):
            return []
        return self.facts()

    def facts(self) -> list[F]:
        """The facts that can be read."""
        return [one.fact for one in self.readable if one.fact is not None]


def unlike(statements: Iterable[Statement[F]]) -> list[Statement[F]]:
    """The statements without those that repeat an equal one."""
    kept: dict[tuple[str | None, int | None], list[Statement[F]]] = {}
    answer = []
    for one in statements:
        alike = kept.setdefault((one.id, one.version), [])
        if not any(same(one.raw, other.raw) for other in alike):
            alike.append(one)
            answer.append(one)
    return answer


def counting(
    statements: Iterable[Statement[F]], at: Instant | None, judge: Judge[F] | None = None
) -> Counting[F]:
    """What counts at `at`; marks what is unreadable beside its other versions.

    Args:
        statements: of one kind, no two equal.
        at: K; None where it cannot be read, and then everything counts.
        judge: for kinds whose later versions may change only some things.
    """
    found: Counting[F] = Counting(readable=[], unreadable=[])
    versions: dict[str, list[Statement[F]]] = {}
    for one in statements:
        if not one.recorded_by(at):
            continue
        if one.id is None:
            found.unreadable.append(one)
        else:
            versions.setdefault(one.id, []).append(one)
    for group in versions.values():
        if len(group) > 1:
            _refuse_conflicts(group)
        if judge is not None:
            judge(group)
        _add_highest(group, found)
    return found


def _refuse_conflicts(group: Versions[F]) -> None:
    numbers = [one.version for one in group]
    for one in group:
        if one.version is not None and numbers.count(one.version) > 1:
            one.fact = None


def _add_highest(group: Versions[F], found: Counting[F]) -> None:
    if len(group) == 1:
        (found.unreadable if group[0].fact is None else found.readable).append(group[0])
        return
    highest = max(
        (one for one in group if one.fact is not None),
        key=lambda one: one.version or 0,
        default=None,
    )
    above = [one for one in group if one.fact is None and _is_above(one, highest)]
    found.unreadable += above
    if highest is not None and (not above or _still_protects(highest, above)):
        found.readable.append(highest)


def _is_above(one: Statement[F], highest: Statement[F] | None) -> bool:
    return (
        highest is None
        or one.version is None
        or (highest.version is not None and one.version > highest.version)
    )


def _still_protects(highest: Statement[F], above: Versions[F]) -> bool:
    """Whether a protection stays although only unreadable versions stand above it.

    Shows less: those above speak of other households, and nothing readable lifted it here.
    """
    fact = highest.fact
    protects = isinstance(fact, Shield | Block) or (
        isinstance(fact, Directive) and fact.effect == "deny"
    )
    return protects and all(one.household not in (None, highest.household) for one in above)
