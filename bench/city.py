"""An invented load: households of five registrations, visits of about 1 kB, all by a seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

import msgspec

from visitsync.schema.directory import Directory
from visitsync.schema.visit import JST, Person, Source, Units, Visit, Visitor, encode

OFFICES = {
    "household_support": "shiomi-hs-01",
    "nurturing_support": "shiomi-ns-01",
    "single_parent": "shiomi-sp-01",
    "multiples": "shiomi-mt-01",
    "perinatal_helper": "shiomi-ph-01",
}
SEEN_BY_CONSENT = ("household_support", "multiples", "perinatal_helper")
"""Three of five programs: what the consent of each household covers."""

_SYLLABLES = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロ"
)
_KANJI = "山川田中村木林森本井上下小大高松竹梅藤原野島石橋池谷沢水清金銀東西南北春夏秋冬"
_NOTE = (
    "室温は適切で、お子さんの機嫌もよく、授乳の間隔と睡眠について話を聞いた。次回は沐浴を予定する。"
)
_START = dt.date(2026, 4, 1)


def label(household: int) -> str:
    """What the directory calls a household."""
    return f"B{household:06}"


def case_no(household: int) -> str:
    """The same number at every office; nothing is linked by it."""
    return f"K-{household:06}"


def directory_of(shipped: Directory, households: int) -> Directory:
    """The shipped directory, with every household in one case worker's caseload."""
    caseload = tuple(label(number) for number in range(households))
    staff = tuple(
        msgspec.structs.replace(one, caseload=caseload if one.id == "u01" else ())
        for one in shipped.staff
    )
    return msgspec.structs.replace(shipped, staff=staff)


def registrations_of(households: int) -> dict[str, tuple[tuple[str, str], ...]]:
    """The labels of the caseload, each with its registration at every office."""
    return {
        label(number): tuple((office, case_no(number)) for office in OFFICES.values())
        for number in range(households)
    }


def lines(program: str, households: int, each: int, seed: int = 1) -> Iterator[bytes]:
    """NDJSON lines of one office: `each` visits for every household, month by month."""
    chance = random.Random(f"{seed}")  # noqa: S311 -- the same load every time, nothing secret
    families = [_family(chance, number) for number in range(households)]
    details = random.Random(f"{seed}/{program}")  # noqa: S311
    for turn in range(each):
        for number, persons in enumerate(families):
            yield encode(_visit(details, program, number, turn, persons)) + b"\n"


def _family(chance: random.Random, number: int) -> tuple[Person, ...]:
    surname = "".join(chance.sample(_KANJI, 2))
    reading = "".join(chance.sample(_SYLLABLES, 4))
    given = "".join(chance.sample(_SYLLABLES, 3))
    child = "".join(chance.sample(_SYLLABLES, 3))
    born = dt.date(1985, 1, 1) + dt.timedelta(days=chance.randrange(5000))
    child_born = dt.date(2024, 1, 1) + dt.timedelta(days=chance.randrange(700))
    guardian = Person(
        role="guardian",
        name=f"{surname}　{''.join(chance.sample(_KANJI, 2))}",
        kana=f"{reading}　{given}",
        birth_date=born.isoformat(),
        sex="female",
        postal_code="000-0121",
        address=f"汐見市夕凪台{1 + number % 9}丁目{1 + number % 30}番{1 + number % 20}号",
        phone=f"000-{1000 + number // 10000:04}-{number % 10000:04}",
        identifiers={"atena_no": f"{number:010}"},
    )
    return (
        guardian,
        Person(
            role="child",
            name=f"{surname}　{child}",
            kana=f"{reading}　{child}",
            birth_date=child_born.isoformat(),
            sex=None,
            postal_code=None,
            address=None,
            phone=None,
            identifiers={},
        ),
    )


def _visit(
    chance: random.Random, program: str, number: int, turn: int, persons: tuple[Person, ...]
) -> Visit:
    day = _START + dt.timedelta(days=turn * 28 + chance.randrange(28))
    start = dt.datetime.combine(day, dt.time(9 + chance.randrange(7)), JST)
    return Visit(
        program=program,
        source=Source(
            office=OFFICES[program],
            record_id=f"{case_no(number)}/{turn:03}",
            revision=1,
            state="active",
            local_program=None,
            file=None,
            row=None,
        ),
        case_no=case_no(number),
        persons=persons,
        basis="application",
        outcome="done",
        start=start,
        end=start + dt.timedelta(hours=2),
        date=day,
        place="home",
        visitors=(Visitor(id=f"V-{chance.randrange(50):02}", name=None, qualification="保育士"),),
        services=("housework.cooking", "childcare.feeding", "consultation.listening"),
        units=Units(kind="hours", quantity="2"),
        fee=None,
        notes={"notes": _NOTE},
        health={},
        confirmed_by="stamp",
    )
