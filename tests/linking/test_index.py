"""What the blind index is asked: compound values, and nothing that could be counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from linking.registrations import a_child, a_mother, a_person, a_registration, registrations

from visitsync.linking import Registration, index_terms
from visitsync.schema.visit import Person


def terms(*persons: Person) -> set[tuple[str, str]]:
    return {(term.kind, term.value) for term in index_terms(a_registration("r", *persons))}


def test_the_terms_of_a_family() -> None:
    mother = a_mother(identifiers={"atena_no": "0002276407"})
    assert terms(mother, a_child()) == {
        ("person", "カクーハナコ|1991-09-14"),
        ("person", "架空花子|1991-09-14"),
        ("phone", "00085244921"),
        ("identifier", "atena_no|0002276407"),
        ("child", "ユイ|2025-01-20"),
        ("child", "結|2025-01-20"),
    }


def test_a_name_or_a_date_alone_is_no_term() -> None:
    assert terms(a_mother(birth_date=None, phone=None)) == set()
    assert terms(a_mother(name=None, kana=None, phone=None)) == set()
    assert terms(a_person("guardian", sex="female", postal_code="0000121")) == set()


@pytest.mark.parametrize("birth_date", ["1991-09", "1991"])
def test_a_partial_date_is_no_term(birth_date: str) -> None:
    assert terms(a_mother(birth_date=birth_date, phone=None)) == set()


@pytest.mark.parametrize("number", ["0000000000", "1111", "不明"])
def test_a_placeholder_is_no_identifier(number: str) -> None:
    assert terms(a_person("child", identifiers={"atena_no": number})) == set()


def test_an_expected_child_has_no_term() -> None:
    known = {"mch_handbook_no": "汐R8-4037", "due_date": "2026-08-20"}
    expected = a_person("expected_child", phone="000-1234-5678", identifiers=known)
    assert terms(expected) == set()
    born = a_person("child", identifiers=known)
    assert terms(born) == {("identifier", "mch_handbook_no|汐R84037")}


def test_two_ways_of_typing_give_one_term() -> None:
    half_width = a_mother(name="架空 花子", kana="ｶｸｳ ﾊﾅｺ", phone="00085244921")
    assert terms(half_width) == terms(a_mother())


def test_nothing_printed_tells_a_value() -> None:
    registration = a_registration("r", a_mother(), a_child())
    printed = f"{registration!r} {index_terms(registration)!r}"
    for secret in ("架空", "カクウ", "カクー", "1991", "8524", "夕凪台"):
        assert secret not in printed


@given(registrations())
def test_terms_come_once_and_in_one_order(town: list[Registration]) -> None:
    for registration in town:
        found = index_terms(registration)
        assert list(found) == sorted(set(found))
        backwards = Registration(
            id=registration.id,
            office=registration.office,
            program=registration.program,
            persons=registration.persons[::-1],
        )
        assert index_terms(backwards) == found
