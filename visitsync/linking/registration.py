"""What is compared: registrations, the households they may belong to, and what is proposed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from visitsync.schema.silent import Struct
from visitsync.schema.visit import Person

Verdict: TypeAlias = Literal["same", "new", "review"]
"""``same``: links by itself; ``new``: nothing known resembles it; ``review``: a person decides."""

Strength: TypeAlias = Literal["strong", "supporting", "contradicting", "blocking"]
"""``strong`` pieces can add up to a link, ``supporting`` ones never do; one ``contradicting`` or
``blocking`` piece leaves the link to a person."""


class Registration(Struct, frozen=True, kw_only=True):
    """One office's registration of a household, as that office knows it."""

    id: str
    """visitsync's own id of the registration; says nothing about the family."""
    office: str
    program: str
    persons: tuple[Person, ...]
    """Every form of every person that the office ever gave, each once: those of the newest report
    first, in its order, then older forms. The first guardian or widow is the applicant."""


class Candidate(Struct, frozen=True, kw_only=True):
    """A household that shares an index term with the new registration.

    A registration that waits for review stands in a household of its own until a person decides,
    so every registration is in exactly one household.
    """

    household: str
    registrations: tuple[Registration, ...]
    """All of them, not only those found by the index: one that contradicts must be seen."""
    only_a_person_may_link: bool = False
    """Somebody in it is under an address shield (支援措置): nothing joins it by itself."""


class Evidence(Struct, frozen=True, kw_only=True, order=True):
    """One named piece of evidence for or against one household. Holds no value of a record."""

    household: str
    kind: str
    """What was compared: ``guardian``, ``adult``, ``child``, ``identifier``, ``phone``, or
    ``guard`` for a rule that leaves the decision to a person."""
    strength: Strength
    code: str
    """Stable; its sentences in Japanese and English stand in ``words.toml``."""


class Proposal(Struct, frozen=True, kw_only=True):
    """What the rules say about a new registration, and why."""

    verdict: Verdict
    household: str | None
    """The household to join; None unless the verdict is ``same``."""
    candidates: tuple[str, ...]
    """The households with strong evidence, the best first; what a person has to choose from in a
    review. With ``same`` the household is the first."""
    evidence: tuple[Evidence, ...]
    """All pieces for the households in `candidates`, in a fixed order."""
    rules: str
    """The version of the rules and of the folding tables that said so."""
