"""Reading a scenario: a question with all the facts, whatever of them can be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from visitsync.consent.amendments import judge_grants, judge_invocations
from visitsync.consent.catalogue import DEFAULT_CATALOGUE, DEFAULT_POLICIES
from visitsync.consent.facts import (
    ATTENDANCE,
    Block,
    CatalogueEntry,
    CouncilCase,
    Directive,
    Fact,
    Grant,
    Id,
    Invocation,
    Policy,
    Question,
    Record,
    Shield,
    Viewer,
)
from visitsync.consent.statements import Kind, Statement, Unreadable, member, read, same, state
from visitsync.consent.times import Instant
from visitsync.consent.versions import Counting, Judge, counting, unlike
from visitsync.schema.silent import Struct
from visitsync.schema.strict_json import RepeatedNames
from visitsync.schema.vocabulary import VOCABULARY

F = TypeVar("F", bound=Fact)

VOCABULARY_VERSION: Final = 1

_TOP_LEVEL: Final = frozenset(
    [
        *("vocabulary", "viewers", "policies", "catalogue", "records", "directives"),
        *("council_cases", "invocations", "break_glass", "shields", "blocks", "question"),
    ]
)


class Listed(Struct, frozen=True):
    """One record id of the scenario, at its first place; None is every record without one."""

    id: str | None
    elsewhere: bool
    """Of another household than the question's, or not yet recorded."""
    record: Record | None
    """None where it cannot be read."""


class Scenario(Struct, frozen=True, kw_only=True):
    """What `decide` works on: only what counts at K, for the household of the question."""

    question: Question | None
    """None where it, or the top level of the scenario, cannot be read."""
    viewers: Mapping[str, Viewer]
    """All that can be read, by id."""
    policies: Mapping[str, Policy | None]
    catalogue: tuple[CatalogueEntry, ...]
    """The entries that can open something."""
    records: tuple[Listed, ...]
    directives: Counting[Directive]
    council_cases: Counting[CouncilCase]
    invocations: Counting[Invocation]
    grants: Counting[Grant]
    shields: Counting[Shield]
    blocks: Counting[Block]
    unreadable: tuple[Unreadable, ...]
    """What the operator must look at, each once."""


def read_scenario(raw: object, records: Mapping[str, Record | None] | None = None) -> Scenario:
    """The scenario written as `raw`, a JSON value. Never raises: what is unreadable is kept so.

    Args:
        raw: as ``visitsync decide`` reads it.
        records: by id, instead of the list in `raw`, for who keeps the newest version recorded by
            K of each in a form that needs no reading; None is one that cannot be read.
    """
    return _Reader(raw).read(records)


def with_records(scenario: Scenario, records: Mapping[str, Record | None]) -> Scenario:
    """The same question and facts about these records, given as to `read_scenario`.

    Where the question cannot be read, none of them is taken for another household's.
    """
    question = scenario.question
    if question is None:
        listed = tuple(Listed(id_, False, None) for id_ in records)  # noqa: FBT003 -- not elsewhere
    else:
        at = question.now if question.known_at is None else question.known_at
        listed = tuple(
            Listed(
                id_,
                one is not None and (one.household != question.household or one.recorded_at > at),
                one,
            )
            for id_, one in records.items()
        )
    return msgspec.structs.replace(scenario, records=listed)


def asked_by(scenario: Scenario, viewer: str, purpose: str) -> Scenario:
    """The same facts at the same time, asked about by another viewer or for another purpose."""
    if scenario.question is None:
        return scenario
    question = msgspec.structs.replace(scenario.question, viewer=viewer, purpose=purpose)
    return msgspec.structs.replace(scenario, question=question)


class _Reader:
    """Reads one scenario, gathering what cannot be read."""

    def __init__(self, raw: object) -> None:
        self.raw = raw
        self.unreadable: list[Unreadable] = []
        self.asked = member(raw, "question")
        self.household = read(Id, member(self.asked, "household"))
        self.at = self._known_at()

    def read(self, records: Mapping[str, Record | None] | None) -> Scenario:
        question = self._question()
        listed = self._stated_records() if records is None else self._given_records(records)
        viewers = self._count(self._statements("viewers", Viewer), "viewer")
        if question is not None:
            self._note_unknown_viewer(question, viewers)
        return Scenario(
            question=question,
            viewers={one.id: one for one in viewers.permitting()},
            policies=self._policies(),
            catalogue=self._catalogue(),
            records=listed,
            directives=self._about("directives", Directive, "directive"),
            council_cases=self._about("council_cases", CouncilCase, "council case"),
            invocations=self._about("invocations", Invocation, "invocation", judge_invocations),
            grants=self._about("break_glass", Grant, "break-glass grant", judge_grants),
            shields=self._about("shields", Shield, "shield"),
            blocks=self._about("blocks", Block, "block"),
            unreadable=tuple(self.unreadable),
        )

    # ── the question ──────────────────────────────────────────────────────────────────────────────
    def _known_at(self) -> Instant | None:
        """K, as far as it can be read."""
        repeated = isinstance(self.asked, RepeatedNames) and "known_at" in self.asked.repeated
        if repeated:
            return None
        known_at = member(self.asked, "known_at")
        return read(Instant, member(self.asked, "now") if known_at is None else known_at)

    def _question(self) -> Question | None:
        version = member(self.raw, "vocabulary")
        top_level = (
            isinstance(self.raw, dict)
            and not isinstance(self.raw, RepeatedNames)
            and self.raw.keys() <= _TOP_LEVEL
            and type(version) is int
            and version == VOCABULARY_VERSION
        )
        question = read(Question, self.asked)
        if not top_level:
            self.unreadable.append(Unreadable(kind="scenario", id=None))
        if question is None:
            self.unreadable.append(Unreadable(kind="question", id=None))
        return question if top_level else None

    def _note_unknown_viewer(self, question: Question, viewers: Counting[Viewer]) -> None:
        listed = {one.id for one in viewers.readable + viewers.unreadable}
        if listed.isdisjoint({question.viewer, None}):
            self.unreadable.append(Unreadable(kind="question", id=None))

    # ── facts ─────────────────────────────────────────────────────────────────────────────────────
    def _list(self, name: str) -> Iterable[object]:
        """The members of a list; one that is none is one unreadable fact."""
        if isinstance(self.raw, RepeatedNames):
            found = [value for key, value in self.raw.pairs if key == name]
        else:
            found = [self.raw[name]] if isinstance(self.raw, dict) and name in self.raw else []
        for each in found:
            yield from each if isinstance(each, list) else [None]

    def _statements(self, name: str, kind: type[F]) -> list[Statement[F]]:
        return unlike(state(kind, raw) for raw in self._list(name))

    def _count(
        self, statements: list[Statement[F]], kind: Kind, judge: Judge[F] | None = None
    ) -> Counting[F]:
        found = counting(statements, self.at, judge)
        self.unreadable += [
            Unreadable(kind=kind, id=one.id) for one in statements if one.fact is None
        ]
        return found

    def _about(
        self, name: str, kind: type[F], word: Kind, judge: Judge[F] | None = None
    ) -> Counting[F]:
        statements = self._statements(name, kind)
        found = self._count(statements, word, judge)
        for one in statements:
            if isinstance(one.fact, Directive) and covers_nothing(one.fact):
                self.unreadable.append(Unreadable(kind=word, id=one.id, trouble="covers_nothing"))
        # Where the household cannot be read the question is answered without looking at facts.
        return found if self.household is None else found.of(self.household)

    def _given_records(self, records: Mapping[str, Record | None]) -> tuple[Listed, ...]:
        return tuple(
            Listed(id_, one is not None and self._is_elsewhere(one), one)
            for id_, one in records.items()
        )

    def _is_elsewhere(self, record: Record) -> bool:
        of_another = self.household is not None and record.household != self.household
        return of_another or (self.at is not None and record.recorded_at > self.at)

    def _stated_records(self) -> tuple[Listed, ...]:
        statements = self._statements("records", Record)
        records = self._count(statements, "record")
        of_household = records if self.household is None else records.of(self.household)
        here = {one.id for one in of_household.readable + of_household.unreadable}
        readable = {one.id: one for one in of_household.permitting()}
        return tuple(
            Listed(one, one not in here, None if one is None else readable.get(one))
            for one in dict.fromkeys(statement.id for statement in statements)
        )

    # ── policies and catalogue, the same at every K ───────────────────────────────────────────────
    def _policies(self) -> Mapping[str, Policy | None]:
        if not isinstance(self.raw, dict) or "policies" not in self.raw:
            return DEFAULT_POLICIES
        given = member(self.raw, "policies")
        if not isinstance(given, dict) or isinstance(given, RepeatedNames):
            self.unreadable.append(Unreadable(kind="policy", id=None))
            return {}
        policies: dict[str, Policy | None] = dict(DEFAULT_POLICIES)
        for program in VOCABULARY.programs:
            if program in given:
                policies[program] = policy = read(Policy, given[program])
                if policy is None:
                    self.unreadable.append(Unreadable(kind="policy", id=program))
        return policies

    def _catalogue(self) -> tuple[CatalogueEntry, ...]:
        if not isinstance(self.raw, dict) or "catalogue" not in self.raw:
            return DEFAULT_CATALOGUE
        given: list[object] = []
        for raw in self._list("catalogue"):
            if not any(same(raw, other) for other in given):
                given.append(raw)
        codes = [read(Id, member(raw, "code")) for raw in given]
        found = []
        for raw, code in zip(given, codes, strict=True):
            entry = read(CatalogueEntry, raw)
            if entry is None or codes.count(entry.code) > 1:
                self.unreadable.append(Unreadable(kind="catalogue entry", id=code))
            else:
                found.append(entry)
        return tuple(found)


def covers_nothing(directive: Directive) -> bool:
    """A permit that does not name attendance covers nothing, and is reported."""
    return directive.effect == "permit" and ATTENDANCE not in directive.categories
