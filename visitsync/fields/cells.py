"""How a layout binds columns to what a report holds: the small tables of a layout file.

Wherever only the column's label is to be said, a layout may give the label alone:
``case_no = "登録番号"`` means ``case_no = { column = "登録番号" }``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from visitsync.fields.dates import Style
from visitsync.schema.silent import Struct


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a layout: frozen, and strict about members it does not know."""


class Text(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Text, kept as typed."""

    column: str | None = None
    """The column's label; see "Labels"."""
    columns: tuple[str, ...] = ()
    """Several columns instead of one. With `join` they are one text; without, one item each."""
    join: str | None = None
    """Put between the columns' texts, those that are empty left out; or, where it holds ``{}``, a
    pattern that they fill (all or none): ``"{}{}年{}月{}日"``."""
    split: str | None = None
    """The character that separates several items in one cell, such as ``、``."""
    optional: bool = False
    """Whether some of the office's files lack the column."""
    strip_end: tuple[str, ...] = ()
    """Words taken off the end, such as ``様``."""


class Day(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A date."""

    column: str | None = None
    """As for text."""
    columns: tuple[str, ...] = ()
    """As for text: split columns (元号, 年, 月, 日) are joined before they are read."""
    join: str | None = None
    """As for text."""
    split: str | None = None
    """As for text."""
    optional: bool = False
    """As for text."""
    styles: tuple[Style, ...] = ()
    """How the date may be written; by default the layout's ``dates``."""
    style_from: str | None = None
    """The label of a header record's field, or of a title cell, that decides the style."""
    style_by: dict[str, tuple[Style, ...]] = msgspec.field(default_factory=dict)
    """With `style_from`: the styles for each thing that it may say."""
    unknown: tuple[str, ...] = ("不詳",)
    """Birth dates only: words that say that it is not known."""


class Time(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time of day, or for `time` two of them."""

    column: str
    """As for text."""
    optional: bool = False
    """As for text."""


class Number(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that is not negative."""

    column: str
    """As for text."""
    optional: bool = False
    """As for text."""
    suffixes: tuple[str, ...] = ()
    """Words that may follow the figures, such as ``人``."""
    empty: int | None = None
    """What an empty cell means."""


class Units(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the office bills."""

    column: str
    """As for text."""
    kind: str
    """A unit of the vocabulary: ``times``, ``hours``, ``days``, ``tickets`` or ``yen``."""
    optional: bool = False
    """As for text."""
    suffixes: tuple[str, ...] = ()
    """As for numbers."""
    divide: int = 1
    """By how much to divide: 60 where the office counts minutes and reports hours."""


class Code(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cell that says one of a few things; a label alone means that it uses our own words."""

    column: str | None = None
    """As for text."""
    codes: dict[str, str] = msgspec.field(default_factory=dict)
    """What the cell may say, letter for letter, and the word of the vocabulary it stands for."""
    always: str | None = None
    """Instead of a column: the one word that holds for every row, such as ``done``."""
    empty: str | None = None
    """What an empty cell stands for; by default it is the same as saying nothing."""
    optional: bool = False
    """As for text."""


class Services(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where services stand: either words in one column, or one column for each service."""

    column: str | None = None
    """The column that holds words or codes; with a JSON list ``LABEL[]``."""
    split: str | None = None
    """The character that separates them."""
    each_character: bool = False
    """Whether every character is a mark of its own (①②⑤)."""
    codes: dict[str, str] = msgspec.field(default_factory=dict)
    """What may stand there, and the service it stands for."""
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    """Instead: the label of each column, and the service that a mark in it stands for."""
    given: tuple[str, ...] = ()
    """The marks that mean that it was given. Anything else is an error, never guessed."""
    not_given: tuple[str, ...] = ()
    """The marks that mean that it was not; an empty cell always does."""
    optional: bool = False
    """As for text."""


class PersonForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of household member in a row: one person, or a list of them."""

    role: str | Code
    """``guardian``, ``child``, ``expected_child``, ``widow`` or ``other``, or where that stands."""
    name: str | Text | None = None
    """The name. Items (split, several columns, a JSON list) make that many persons."""
    kana: str | Text | None = None
    """The reading of the name."""
    birth_date: str | Day | None = None
    """Whole or partial; left out for an expected child."""
    due_date: str | Day | None = None
    """予定日; only for an expected child."""
    sex: str | Code | None = None
    """``female`` or ``male``."""
    postal_code: str | Text | None = None
    """As typed."""
    address: str | Text | None = None
    """As typed."""
    phone: str | Text | None = None
    """As typed."""
    identifiers: dict[str, str | Text] = msgspec.field(default_factory=dict)
    """By kind: ``atena_no`` (宛名番号), ``mch_handbook_no`` (母子健康手帳番号) or your own."""
    count: str | Number | None = None
    """How many there are, where names may be lacking (before the birth)."""
    unborn: tuple[str, ...] = ()
    """Words in place of a name that mean an expected child, such as ``胎児``."""


class VisitorForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who came; as for persons, items make that many visitors."""

    id: str | Text | None = None
    """The office's number of the visitor."""
    name: str | Text | None = None
    """The name."""
    qualification: str | Text | None = None
    """Such as 保育士."""


class FeeForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the household was charged, in yen."""

    class_: Code = msgspec.field(name="class")
    """``welfare``, ``non_taxed``, ``allowance``, ``reduced`` or ``standard``; empty: no fee."""
    charged: str | Number
    """What the household pays."""
    waived: str | Number | None = None
    """What it need not pay."""
    expenses: str | Number | None = None
    """Costs passed on, such as fares."""


class HealthForm(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A structured health value."""

    column: str
    """As for text."""
    kind: Literal["number", "text"] = "number"
    """Whether it is a whole number."""
    suffixes: tuple[str, ...] = ()
    """As for numbers."""
    optional: bool = False
    """As for text."""


def as_text(given: str | Text) -> Text:
    """A text binding, also where only the label is given."""
    return Text(column=given) if isinstance(given, str) else given


def as_day(given: str | Day) -> Day:
    """A date binding, also where only the label is given."""
    return Day(column=given) if isinstance(given, str) else given


def as_number(given: str | Number) -> Number:
    """A number binding, also where only the label is given."""
    return Number(column=given) if isinstance(given, str) else given


def as_code(given: str | Code) -> Code:
    """A code binding, also where only the label is given."""
    return Code(column=given) if isinstance(given, str) else given


def as_time(given: str | Time) -> Time:
    """A time binding, also where only the label is given."""
    return Time(column=given) if isinstance(given, str) else given


def as_health(given: str | HealthForm) -> HealthForm:
    """The binding of a health value, also where only the label is given."""
    return HealthForm(column=given) if isinstance(given, str) else given
