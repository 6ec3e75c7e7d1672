"""The household's members and the visitors that a row names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, cast

from visitsync.fields.cells import (
    Code,
    Day,
    Number,
    PersonForm,
    Text,
    VisitorForm,
    as_code,
    as_day,
    as_number,
    as_text,
)
from visitsync.fields.dates import BadCell
from visitsync.fields.slots import Cells, Faults, Items, Slots, coder, items_of, label_of
from visitsync.schema.visit import Person, Sex, Visitor
from visitsync.schema.vocabulary import VOCABULARY

_REMEMBERED: Final = 4096
_TEXTS: Final = ("name", "kana", "postal_code", "address", "phone")


class Group(Protocol):
    """Reads the persons or visitors of one of a layout's forms from a row."""

    def __call__(self, cells: Cells, faults: Faults) -> tuple[Any, ...]:
        """The persons or visitors; faults are added to."""


class _Members:
    """The members of a form: each gives one text for all, or an item for each person."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self.lists: dict[str, tuple[Items, str]] = {}
        self.singles: dict[str, Callable[[Cells], str]] = {}

    def add(self, member: str, binding: Text | Day | Code | Number) -> None:
        if items_of(binding):
            self.lists[member] = (self._slots.items(binding), label_of(binding))
        elif isinstance(binding, Text | Day):
            self.singles[member] = self._slots.text(binding)
        else:
            self.singles[member] = self._slots.cell(binding.column)

    def dated(self, cells: Cells) -> bool:
        """Whether a date stands there that is of all of them."""
        return bool(self.lists) and any(
            self.singles[member](cells)
            for member in ("birth_date", "due_date")
            if member in self.singles
        )

    def read(self, cells: Cells, faults: Faults, least: int = 0) -> list[dict[str, str]]:
        """A dictionary for each person; lists of different lengths are a fault.

        Args:
            cells: of the row.
            faults: are added to.
            least: how many persons there are even where no list has that many items.
        """
        found = {member: items(cells) for member, (items, _) in self.lists.items()}
        number = max(map(len, found.values()), default=1)
        for member, texts in found.items():
            if texts and len(texts) != number:
                faults.append(("unequal_lists", self.lists[member][1]))
                return []
        singles = {member: read(cells) for member, read in self.singles.items()}
        people = []
        for place in range(max(number, least)):
            own = {m: texts[place] if place < len(texts) else "" for m, texts in found.items()}
            if place < least or any(own.values()) or (not found and any(singles.values())):
                people.append({**singles, **own})
        return people


def persons_reader(form: PersonForm, slots: Slots) -> Callable[[Cells, Faults], tuple[Person, ...]]:
    """Reads the persons that one form of a layout describes. A person of empty cells is nobody."""
    slots.used.clear()
    members = _Members(slots)
    for member in _TEXTS:
        text = getattr(form, member)
        if text is not None:
            members.add(member, as_text(text))
    for kind, identifier in form.identifiers.items():
        members.add(f"identifiers.{kind}", as_text(identifier))
    for member in ("birth_date", "due_date"):
        day = getattr(form, member)
        if day is not None:
            members.add(member, as_day(day))
    if form.sex is not None:
        members.add("sex", as_code(form.sex))
    role_of = _role_reader(form, members)
    many = None if form.count is None else slots.count(as_number(form.count))
    make = _person_maker(form, slots)
    nobody = label_of(as_number(form.count) if form.count else as_text(form.name or ""))

    def read(cells: Cells, faults: Faults) -> tuple[Person, ...]:
        before = len(faults)
        least = 0 if many is None else many(cells, faults) or 0
        if least > MOST_PERSONS:
            faults.append(("out_of_range", label_of(as_number(form.count or ""))))
            return ()
        people = members.read(cells, faults, least)
        if not people and len(faults) == before and members.dated(cells):
            # A birth or due date of nobody: whose it is must not be guessed, nor the date lost.
            faults.append(("unequal_lists", nobody))
        return tuple(make(role_of(texts, faults), texts, faults) for texts in people)

    return _remembering(read, slots)


MOST_PERSONS: Final = 50
"""More members of one form in one household are no household."""


def _role_reader(form: PersonForm, members: _Members) -> Callable[[dict[str, str], Faults], str]:
    if isinstance(form.role, str):
        role = form.role
        return lambda _texts, _faults: role
    if form.role.always is not None:
        always = form.role.always
        return lambda _texts, _faults: always
    code = form.role
    members.add("role", code)
    word = coder(code.codes)

    def read(texts: dict[str, str], faults: Faults) -> str:
        text = texts.pop("role", "")
        found = word(text) if text else code.empty
        if found is None or found not in VOCABULARY.person_roles:
            faults.append(("unknown_code", label_of(code)))
            return "other"
        return found

    return read


def _person_maker(
    form: PersonForm, slots: Slots
) -> Callable[[str, dict[str, str], Faults], Person]:
    birth, due = as_day(form.birth_date or ""), as_day(form.due_date or "")
    birth_of, due_of = slots.partial(birth), slots.day(due)
    sex = as_code(form.sex or "")
    sex_of = coder(sex.codes)

    def make(role: str, texts: dict[str, str], faults: Faults) -> Person:
        name = texts.get("name", "")
        if name in form.unborn:
            role, name = "expected_child", ""
        identifiers = {
            member.removeprefix("identifiers."): text
            for member, text in texts.items()
            if text and member.startswith("identifiers.")
        }
        born: str | BadCell | None = None
        if role != "expected_child":
            born = birth_of(texts.get("birth_date", ""))
        elif texts.get("due_date"):
            day = due_of(texts["due_date"])
            if isinstance(day, BadCell):
                faults.append((day.code, label_of(due)))
            else:
                identifiers["due_date"] = day.isoformat()
        if isinstance(born, BadCell):
            faults.append((born.code, label_of(birth)))
            born = None
        sex_text = texts.get("sex", "")
        known = sex_of(sex_text) if sex_text else sex.empty
        if sex_text and known not in ("female", "male"):
            faults.append(("unknown_code", label_of(sex)))
            known = None
        return Person(
            role=role,
            name=name or None,
            kana=texts.get("kana") or None,
            birth_date=born,
            sex=cast("Sex | None", known),
            postal_code=texts.get("postal_code") or None,
            address=texts.get("address") or None,
            phone=texts.get("phone") or None,
            identifiers=identifiers,
        )

    return make


def visitors_reader(
    form: VisitorForm, slots: Slots
) -> Callable[[Cells, Faults], tuple[Visitor, ...]]:
    """Reads the visitors that one form of a layout describes. Empty cells are nobody."""
    slots.used.clear()
    members = _Members(slots)
    for member in ("id", "name", "qualification"):
        text = getattr(form, member)
        if text is not None:
            members.add(member, as_text(text))

    def read(cells: Cells, faults: Faults) -> tuple[Visitor, ...]:
        return tuple(
            Visitor(
                id=texts.get("id") or None,
                name=texts.get("name") or None,
                qualification=texts.get("qualification") or None,
            )
            for texts in members.read(cells, faults)
        )

    return _remembering(read, slots)


def _remembering(read: Group, slots: Slots) -> Group:
    """`read`, computed once for equal cells: a household's rows name the same people."""
    columns = sorted(slots.used)
    slots.used.clear()
    known: dict[tuple[str, ...], tuple[Any, ...]] = {}

    def remembered(cells: Cells, faults: Faults) -> tuple[Any, ...]:
        key = tuple([cells[column] for column in columns])
        if key in known:
            return known[key]
        before = len(faults)
        people = read(cells, faults)
        if len(faults) == before:
            if len(known) >= _REMEMBERED:
                known.clear()
            known[key] = people
        return people

    return remembered


def first_label(forms: Sequence[PersonForm], member: str) -> str | None:
    """The label of the first form's column for `member`, for a problem that names it."""
    for form in forms:
        binding = getattr(form, member)
        if binding is not None:
            return label_of(as_text(binding) if member == "name" else as_day(binding))
    return None
