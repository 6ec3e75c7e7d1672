"""Each rule and each guard, with a control that shows it is the guard that holds."""

from __future__ import annotations

import pytest
from linking.registrations import a_child, a_father, a_mother, a_person, a_registration

from visitsync.linking import Candidate, Proposal, Registration, propose
from visitsync.linking.propose import LARGEST_HOUSEHOLD, PHONE_OF_MANY
from visitsync.schema.visit import Person

KNOWN = a_registration("known", a_mother(), a_child())


def ask(*persons: Person, known: Registration = KNOWN, shielded: bool = False) -> Proposal:
    new = a_registration("new", *persons)
    return propose(
        new, [Candidate(household="H", registrations=(known,), only_a_person_may_link=shielded)]
    )


def codes(proposal: Proposal) -> set[str]:
    return {piece.code for piece in proposal.evidence}


# ── two independent strong pieces ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "persons",
    [
        pytest.param([a_mother()], id="guardian and phone"),
        pytest.param([a_mother(phone=None), a_child()], id="guardian and child"),
        pytest.param([a_mother(birth_date=None), a_child()], id="phone and child, name fits"),
        pytest.param([a_mother(kana=None), a_child(kana=None)], id="written names alone"),
        pytest.param(
            [a_mother(name="別　花子", kana="ベツ　ハナコ"), a_child()], id="a surname changed"
        ),
        pytest.param(
            [a_mother(birth_date=None), a_person("child", name="結", birth_date="2025-01-20")],
            id="a child by given name",
        ),
    ],
)
def test_two_strong_pieces_link(persons: list[Person]) -> None:
    proposal = ask(*persons)
    assert (proposal.verdict, proposal.household) == ("same", "H")
    assert proposal.candidates == ("H",)


def test_a_number_and_a_reading_link() -> None:
    mother = a_mother(phone=None, identifiers={"atena_no": "0002276407"})
    assert ask(mother, known=a_registration("known", mother)).verdict == "same"
    assert ask(a_mother(phone=None), known=a_registration("known", mother)).verdict == "review"


def test_two_adults_link() -> None:
    known = a_registration("known", a_mother(), a_father())
    assert ask(a_mother(phone=None), a_father(), known=known).verdict == "same"
    assert ask(a_mother(phone=None), known=known).verdict == "review"


@pytest.mark.parametrize(
    "persons",
    [
        pytest.param([a_mother(phone=None)], id="guardian alone"),
        pytest.param([a_mother(birth_date=None)], id="phone and name"),
        pytest.param([a_mother(birth_date="1991-09"), a_child(birth_date="2025")], id="partial"),
        pytest.param([a_mother(birth_date=None, phone=None), a_child()], id="child and name"),
        pytest.param([a_child()], id="no guardian at all"),
    ],
)
def test_one_strong_piece_asks(persons: list[Person]) -> None:
    proposal = ask(*persons)
    assert (proposal.verdict, proposal.household, proposal.candidates) == ("review", None, ("H",))


@pytest.mark.parametrize(
    "persons",
    [
        pytest.param([a_mother(birth_date=None, phone=None)], id="name and address"),
        pytest.param([a_mother(birth_date="1991-09", phone=None)], id="name and month of birth"),
        pytest.param(
            [
                a_mother(birth_date=None, phone=None),
                a_person("child", name="結", birth_date="2025-01"),
            ],
            id="name, address, child's month",
        ),
        pytest.param([a_person("guardian", birth_date="1991-09-14")], id="birth date alone"),
        pytest.param([a_person("child", birth_date="2025-01-20")], id="unnamed baby"),
    ],
)
def test_weak_pieces_never_add_up(persons: list[Person]) -> None:
    assert ask(*persons).verdict == "new"


def test_three_children_are_one_piece() -> None:
    """Parents who live apart share all of them."""
    children = [a_child(name=f"架空　{n}", birth_date=f"201{n}-01-20") for n in range(3)]
    known = a_registration("known", a_mother(birth_date=None, phone=None), *children)
    new = [a_mother(birth_date=None, phone=None), *children]
    assert ask(*new, known=known).verdict == "review"
    with_phone = a_registration("known", a_mother(birth_date=None), *children)
    assert ask(a_mother(birth_date=None), *children, known=with_phone).verdict == "same"


# ── parents who live apart ────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "father",
    [
        pytest.param(a_father(), id="own phone"),
        pytest.param(a_father(phone="000-8524-4921"), id="her phone"),
        pytest.param(a_father(birth_date=None, phone="000-8524-4921"), id="no birth date"),
    ],
)
def test_a_shared_child_never_links_other_guardians(father: Person) -> None:
    number = {"mch_handbook_no": "汐R7-6996"}
    known = a_registration("known", a_mother(), a_child(identifiers=number))
    proposal = ask(father, a_child(identifiers=number), known=known)
    assert proposal.verdict == "review"
    assert {"same_number_of_child", "child_and_birth_date", "other_guardian"} <= codes(proposal)


def test_another_applicant_of_the_same_parents_asks() -> None:
    both = a_registration("known", a_mother(), a_father(), a_child())
    assert ask(a_father(phone="000-8524-4921"), a_child(), known=both).verdict == "review"
    assert ask(a_mother(), a_child(), known=both).verdict == "same"
    assert ask(a_father(), a_mother(), a_child(), known=both).verdict == "same"


def test_one_contradicting_registration_in_the_household_is_enough() -> None:
    new = a_registration("new", a_mother(), a_child())
    father = a_registration("father", a_father(), a_child())
    household = Candidate(household="H", registrations=(KNOWN, father))
    assert propose(new, [household]).verdict == "review"
    assert propose(new, [Candidate(household="H", registrations=(KNOWN,))]).verdict == "same"


# ── contradictions ────────────────────────────────────────────────────────────────────────────────
def test_another_birth_date_asks() -> None:
    proposal = ask(a_mother(birth_date="1991-12-14"), a_child())
    assert proposal.verdict == "review"
    assert "other_birth_date" in codes(proposal)
    assert ask(a_mother(birth_date="1991-09"), a_child()).verdict == "same"


def test_a_slip_that_another_registration_puts_right_does_not_ask() -> None:
    slip = a_registration("slip", a_mother(birth_date="1991-12-14"), a_child())
    household = Candidate(household="H", registrations=(KNOWN, slip))
    assert propose(a_registration("new", a_mother()), [household]).verdict == "same"


def test_another_number_of_the_same_guardian_asks() -> None:
    known = a_registration("known", a_mother(identifiers={"atena_no": "0002276407"}), a_child())
    other = a_mother(identifiers={"atena_no": "0002276418"})
    assert ask(other, a_child(), known=known).verdict == "review"
    assert ask(a_mother(), a_child(), known=known).verdict == "same"


# ── guards ────────────────────────────────────────────────────────────────────────────────────────
def test_twins_are_no_two_members() -> None:
    """Same birth date, surname and address, but other names: nothing strong at all."""
    twins = [
        a_child(name="架空　結", kana="カクウ　ユイ"),
        a_child(name="架空　悠", kana="カクウ　ユウ"),
    ]
    others = [
        a_child(name="架空　光", kana="カクウ　ヒカリ"),
        a_child(name="架空　望", kana="カクウ　ノゾミ"),
    ]
    known = a_registration("known", a_mother(birth_date=None, phone=None), *twins)
    anonymous = a_mother(birth_date=None, phone=None)
    assert ask(anonymous, *others, known=known).verdict == "new"
    with_phone = a_registration("known", a_mother(birth_date=None), *twins)
    assert {"birth_date_only", "same_phone"} <= codes(
        ask(a_mother(birth_date=None), *others, known=with_phone)
    )
    assert ask(anonymous, *twins, known=known).verdict == "review"


def test_near_identical_twins_are_told_apart() -> None:
    one = a_registration("known", a_child(name=None, kana="カクウ　ミユ"))
    assert ask(a_child(name=None, kana="カクウ　ミユウ"), known=one).verdict == "new"
    assert ask(a_child(name=None, kana="ｶｸｳ ﾐﾕ"), known=one).verdict == "review"


@pytest.mark.parametrize("role", ["expected_child", "child"])
def test_an_expected_child_is_linked_through_its_guardian_only(role: str) -> None:
    number = {"mch_handbook_no": "汐R8-4037"}
    known = a_registration("known", a_mother(phone=None), a_person(role, identifiers=number))
    alone = ask(a_person(role, identifiers=number), known=known)
    with_mother = ask(a_mother(phone=None), a_person(role, identifiers=number), known=known)
    if role == "expected_child":
        assert (alone.verdict, with_mother.verdict) == ("new", "review")
    else:  # the control: once born, the number speaks
        assert (alone.verdict, with_mother.verdict) == ("review", "same")


def test_an_address_shield_leaves_it_to_a_person() -> None:
    shielded = ask(a_mother(), a_child(), shielded=True)
    assert (shielded.verdict, shielded.candidates) == ("review", ("H",))
    assert "address_shield" in codes(shielded)
    assert ask(a_mother(), a_child()).verdict == "same"
    assert ask(a_father(), shielded=True).verdict == "new"


def test_private_use_characters_are_never_compared() -> None:
    def woman(glyph: str) -> Person:
        return a_mother(name=f"{glyph}川　花子", kana=None)

    assert ask(woman("\ue000"), known=a_registration("k", woman("\ue000"))).verdict == "review"
    assert ask(woman("皆"), known=a_registration("k", woman("皆"))).verdict == "same"


def test_what_fits_two_households_joins_neither() -> None:
    new = a_registration("new", a_mother(), a_child())
    one = Candidate(household="A", registrations=(a_registration("a", a_mother()),))
    two = Candidate(household="B", registrations=(a_registration("b", a_mother()),))
    proposal = propose(new, [one, two])
    assert (proposal.verdict, proposal.candidates) == ("review", ("A", "B"))
    assert "fits_several" in codes(proposal)
    assert propose(new, [two]).household == "B"


def test_a_household_that_only_resembles_does_not_stand_in_the_way() -> None:
    father = a_registration("father", a_father(), a_child())
    proposal = propose(
        a_registration("new", a_mother(), a_child()),
        [
            Candidate(household="father's", registrations=(father,)),
            Candidate(household="mother's", registrations=(KNOWN,)),
        ],
    )
    assert (proposal.verdict, proposal.household) == ("same", "mother's")
    assert proposal.candidates == ("mother's", "father's")


@pytest.mark.parametrize("pair", [("new", "known"), ("known", "new")])
def test_a_person_who_said_no_is_obeyed(pair: tuple[str, str]) -> None:
    new = a_registration("new", a_mother(), a_child())
    household = Candidate(household="H", registrations=(KNOWN,))
    refused = propose(new, [household], never=[pair])
    assert (refused.verdict, refused.candidates, refused.evidence) == ("new", (), ())
    assert propose(new, [household], never=[("new", "else")]).verdict == "same"


def test_a_refused_registration_bars_its_whole_household() -> None:
    new = a_registration("new", a_mother(), a_child())
    household = Candidate(
        household="H", registrations=(KNOWN, a_registration("joined later", a_mother()))
    )
    assert propose(new, [household], never=[("new", "joined later")]).verdict == "new"


@pytest.mark.parametrize(
    ("size", "verdict"), [(LARGEST_HOUSEHOLD - 1, "same"), (LARGEST_HOUSEHOLD, "review")]
)
def test_a_household_that_grew_too_large_asks(size: int, verdict: str) -> None:
    members = tuple(a_registration(f"r{n}", a_mother(), a_child()) for n in range(size))
    household = Candidate(household="H", registrations=members)
    assert propose(a_registration("new", a_mother(), a_child()), [household]).verdict == verdict


@pytest.mark.parametrize(("holders", "verdict"), [(PHONE_OF_MANY, "review"), (9, "new")])
def test_the_telephone_of_an_institution_says_nothing(holders: int, verdict: str) -> None:
    homes = [
        Candidate(
            household=f"H{n}",
            registrations=(
                a_registration(f"r{n}", a_mother(name=f"某　{n}", kana=None, birth_date=None)),
            ),
        )
        for n in range(holders)
    ]
    new = a_registration("new", a_father(phone="000-8524-4921"))
    assert propose(new, homes).verdict == verdict


def test_a_registration_is_not_compared_with_itself() -> None:
    household = Candidate(household="H", registrations=(KNOWN,))
    assert propose(KNOWN, [household]).verdict == "new"


def test_forms_of_one_guardian_are_one_person() -> None:
    """An older form with another reading is no second member, and no other guardian."""
    old = a_mother(name="旧姓　花子", kana="キュウセイ　ハナコ", phone=None)
    known = a_registration("known", a_mother(phone=None), old)
    new = [a_mother(phone=None), old]
    assert ask(*new, known=known).verdict == "review"
    assert ask(old, a_child(), known=a_registration("k", *new, a_child())).verdict == "same"


def test_forms_that_nothing_connects_are_still_counted_once() -> None:
    """A reading alone and a written name alone, with one birth date: one member, not two."""
    spoken, written = a_mother(name=None, phone=None), a_mother(kana=None, phone=None)
    for known in ([a_mother(phone=None)], [spoken, written]):
        assert ask(spoken, written, known=a_registration("known", *known)).verdict == "review"
    assert ask(spoken, written, a_child(), known=KNOWN).verdict == "same"
