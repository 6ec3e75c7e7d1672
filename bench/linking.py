"""How well and how fast the conservative rules link a city whose truth is known.

    python bench/linking.py FOLDER        (or VISITSYNC_LINKAGE=FOLDER)

FOLDER holds ``persons.ndjson.gz`` and ``truth.ndjson.gz``. Registrations arrive by the day on which
they were registered. Two runs are printed: in ``waiting`` nobody settles a review; in ``settled``
a person does so at once, and rightly, which is how later registrations find whole households.
Counted over pairs of registrations; pairs named neutral in the truth count neither way.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from visitsync.linking import Linker, Proposal, Registration
from visitsync.schema.visit import Person

Pair = tuple[str, str]
_PERSON = ("role", "name", "kana", "birth_date", "sex", "postal_code", "address", "phone")


@dataclass(frozen=True)
class City:
    """Registrations in order of arrival, and which household each is in."""

    registrations: Sequence[Registration]
    household: Mapping[str, str]
    neutral: Mapping[str, frozenset[str]]

    def counts(self, pair: Pair) -> bool:
        """Whether the truth says anything about the pair."""
        one, other = pair
        return (
            self.household[other] not in self.neutral[one]
            and self.household[one] not in self.neutral[other]
        )


@dataclass
class Run:
    """Proposals, and the households that came of them."""

    households: Mapping[str, Sequence[str]]
    proposals: dict[str, Proposal] = field(default_factory=dict)
    seconds: float = 0.0


def read(folder: Path) -> City:
    """The registrations and their truth."""
    lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in _lines(folder / "persons.ndjson.gz"):
        lines[line["registration"]].append(line)
    truth = {line["registration"]: line for line in _lines(folder / "truth.ndjson.gz")}
    arrivals = sorted(lines.items(), key=lambda item: item[1][0]["registered_on"])
    return City(
        registrations=[_registration(key, persons) for key, persons in arrivals],
        household={key: line["household_id"] for key, line in truth.items()},
        neutral={key: frozenset(line["neutral_with"]) for key, line in truth.items()},
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _registration(key: str, lines: Sequence[dict[str, Any]]) -> Registration:
    return Registration(
        id=key,
        office=lines[0]["office"],
        program=lines[0]["program"],
        persons=tuple(
            msgspec.convert(
                {**{name: line[name] for name in _PERSON}, "identifiers": line["identifiers"]},
                Person,
            )
            for line in lines
        ),
    )


def waiting(city: City) -> Run:
    """Link everything; reviews stay open."""
    linker = Linker()
    begun = time.perf_counter()
    proposals = {one.id: linker.place(one) for one in city.registrations}
    return Run(linker.households(), proposals, time.perf_counter() - begun)


def settled(city: City) -> Run:
    """Link everything; every review is settled at once by somebody who knows the truth."""
    linker = Linker()
    proposals: dict[str, Proposal] = {}
    begun = time.perf_counter()
    for one in city.registrations:
        proposal = proposals[one.id] = linker.place(one)
        if proposal.verdict == "review":
            right = [
                home
                for home in proposal.candidates
                if city.household[home] == city.household[one.id]
            ]
            linker.settle(one.id, right)
    return Run(linker.households(), proposals, time.perf_counter() - begun)


def figures(city: City, run: Run) -> dict[str, Any]:
    """Precision and recall of what linked by itself, recall with reviews, and their share."""
    by_truth: dict[str, list[str]] = defaultdict(list)
    for one in city.registrations:
        by_truth[city.household[one.id]].append(one.id)
    true = {pair for pair in _pairs(by_truth.values()) if city.counts(pair)}
    linked = {pair for pair in _pairs(run.households.values()) if city.counts(pair)}
    reviews = sum(proposal.verdict == "review" for proposal in run.proposals.values())
    return {
        "registrations": len(city.registrations),
        "pairs_linked": len(linked),
        "pairs_linked_falsely": len(linked - true),
        "precision": round(1 - len(linked - true) / len(linked), 6),
        "recall": round(len(linked & true) / len(true), 4),
        "reviews": reviews,
        "review_share": round(reviews / len(city.registrations), 4),
        "largest_household": max(map(len, run.households.values())),
        "registrations_per_second": round(len(city.registrations) / run.seconds),
    }


def _pairs(groups: Iterable[Sequence[str]]) -> Iterator[Pair]:
    for group in groups:
        yield from combinations(sorted(group), 2)


def main() -> None:
    """Print the figures of both runs as JSON."""
    folder = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("VISITSYNC_LINKAGE")
    if folder is None:
        sys.exit("Name the folder with persons.ndjson.gz and truth.ndjson.gz.")
    city = read(Path(folder))
    print(
        json.dumps(
            {
                "reviews_waiting": figures(city, waiting(city)),
                "reviews_settled_at_once": figures(city, settled(city)),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
