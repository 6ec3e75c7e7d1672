"""What holds whatever the offices write."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from linking.registrations import a_person, a_registration, persons, registrations
from reference.linking_reference import Answer, propose_slowly

from visitsync.linking import Candidate, Linker, Proposal, Registration, propose
from visitsync.linking.names import is_comparable
from visitsync.linking.words import CODES, KINDS, STRENGTHS
from visitsync.schema.visit import Person

RANK = {"new": 0, "review": 1, "same": 2}


def alone(registration: Registration) -> Candidate:
    return Candidate(household=registration.id, registrations=(registration,))


def answer(proposal: Proposal) -> Answer:
    return Answer(proposal.verdict, proposal.household, frozenset(proposal.candidates))


def with_persons(registration: Registration, people: list[Person]) -> Registration:
    return Registration(
        id=registration.id,
        office=registration.office,
        program=registration.program,
        persons=tuple(people),
    )


@settings(max_examples=400)
@given(registrations(max_size=10), st.data())
def test_the_index_misses_nothing_that_comparing_all_pairs_finds(
    town: list[Registration], data: st.DataObject
) -> None:
    ids = st.sampled_from([one.id for one in town])
    never = data.draw(st.lists(st.tuples(ids, ids), max_size=2))
    linker = Linker(never)
    slowly: dict[str, list[Registration]] = {}
    for new in town:
        expected = propose_slowly(new, slowly, never)
        assert answer(linker.place(new)) == expected
        slowly.setdefault(expected.household or new.id, []).append(new)


@given(registrations(max_size=2))
def test_links_are_symmetric(town: list[Registration]) -> None:
    one, other = town[0], town[1]
    there, back = propose(one, [alone(other)]), propose(other, [alone(one)])
    assert there.verdict == back.verdict
    assert {(e.kind, e.strength, e.code) for e in there.evidence} == {
        (e.kind, e.strength, e.code) for e in back.evidence
    }


@given(registrations(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(town: list[Registration], order: object) -> None:
    new, *others = town
    homes = [alone(other) for other in others]
    first = propose(new, homes)
    order.shuffle(homes)  # type: ignore[attr-defined]
    assert propose(new, homes) == first


@given(registrations())
def test_a_human_no_always_wins(town: list[Registration]) -> None:
    new, *others = town
    homes = [alone(other) for other in others]
    refused = others[0].id
    for pair in ((new.id, refused), (refused, new.id)):
        proposal = propose(new, homes, never=[pair])
        assert refused not in proposal.candidates
        assert proposal == propose(new, homes[1:])


@given(registrations())
def test_private_use_characters_never_link(town: list[Registration]) -> None:
    """Blotting out every name and reading that has one changes nothing."""

    def blotted(registration: Registration) -> Registration:
        return with_persons(
            registration,
            [
                a_person(
                    person.role,
                    name=person.name if person.name and is_comparable(person.name) else None,
                    kana=person.kana,
                    birth_date=person.birth_date,
                    phone=person.phone,
                    identifiers=person.identifiers,
                )
                for person in registration.persons
            ],
        )

    new, *others = town
    assert propose(new, [alone(other) for other in others]) == propose(
        blotted(new), [alone(blotted(other)) for other in others]
    )


@given(registrations(), persons())
def test_an_expected_child_never_links(town: list[Registration], child: Person) -> None:
    """Adding one to every registration, the same one, changes nothing."""
    expected = a_person(
        "expected_child",
        name=child.name,
        kana=child.kana,
        birth_date=child.birth_date,
        phone=child.phone,
        identifiers={**child.identifiers, "mch_handbook_no": "汐R8-4037"},
    )
    expecting = [with_persons(one, [*one.persons, expected]) for one in town]
    new, *others = town
    assert propose(new, [alone(other) for other in others]) == propose(
        expecting[0], [alone(other) for other in expecting[1:]]
    )


@given(registrations(max_size=4), st.booleans())
def test_more_contradiction_never_links_more(town: list[Registration], shield: bool) -> None:  # noqa: FBT001 -- drawn
    """A stranger among the household's guardians, or a shield, only ever takes certainty away."""
    new, *others = town
    stranger = a_person("guardian", name="別　人", kana="ベツ　ジン", birth_date="1901-01-01")
    joined = with_persons(a_registration("joined"), [stranger])
    before = propose(new, [Candidate(household="H", registrations=tuple(others))])
    after = propose(
        new,
        [
            Candidate(
                household="H",
                registrations=(*others, joined),
                only_a_person_may_link=shield,
            )
        ],
    )
    assert RANK[after.verdict] <= RANK[before.verdict]
    guardians = [person for person in new.persons if person.role == "guardian"]
    if all(person.kana is not None for person in guardians):  # each can be told from the stranger
        assert after.verdict != "same"


@given(registrations())
def test_evidence_is_named_and_holds_no_value(town: list[Registration]) -> None:
    new, *others = town
    proposal = propose(new, [alone(other) for other in others])
    for piece in proposal.evidence:
        assert piece.kind in KINDS
        assert piece.strength in STRENGTHS
        assert piece.code in CODES
        assert piece.household in proposal.candidates
