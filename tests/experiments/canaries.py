"""Twelve invented people whose words stand nowhere else, and where to look for them."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from build import a_guardian, a_visit, ndjson

from visitsync.schema.visit import Person

OFFICE: Final = "shiomi-mt-01"
CASE_NO: Final = "F-013"
SURNAME, KANA, PLACE, PHONE, NOTE = "鯱鉾", "シャチホコ", "架空浜", "000971305", "覚書帖"
STEMS: Final = (
    *(SURNAME, KANA, "しゃちほこ", "ｼｬﾁﾎｺ", PLACE, NOTE),
    *(PHONE, f"{PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]}"),
)
"""What each of the twelve has in it, as it is written and as it is compared."""
_GIVEN: Final = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "百", "千"]
_ENCODINGS: Final = ("utf-8", "utf-16-le", "cp932", "euc-jp")


def persons() -> list[Person]:
    """Twelve, with everything that a report can say of a person."""
    return [
        a_guardian(
            role="guardian" if number % 4 == 0 else "child",
            name=f"{SURNAME} {given}",
            kana=f"{KANA} {'アイウエオカキクケコサシ'[number]}",
            birth_date=f"{1990 if number % 4 == 0 else 2020}-01-{number + 1:02d}",
            address=f"汐見市{PLACE}{number + 1}-2-3",
            phone=f"000-9713-05{number:02d}",
        )
        for number, given in enumerate(_GIVEN)
    ]


def reports(first: int = 1) -> bytes:
    """Three reports of one family, four of the twelve in each, and a note."""
    everybody = persons()
    visits = (
        a_visit(
            first + at,
            office=OFFICE,
            case_no=CASE_NO,
            date=dt.date(2026, 5, 1 + at),
            persons=tuple(everybody[4 * at : 4 * at + 4]),
            notes={"notes": f"{NOTE}{at}: 玄関で会えた"},
        )
        for at in range(3)
    )
    return ndjson(visits).content


def needles(words: Iterable[str] = STEMS) -> set[bytes]:
    """Words in every form in which a log, a file or a URL could hold them."""
    return {form for word in words for form in _forms(word)}


def _forms(word: str) -> Iterator[bytes]:
    yield from (quote(word).encode(), quote(word).lower().encode())
    escaped = ascii(word)[1:-1]
    yield from (escaped.encode(), escaped.upper().replace("\\U", "\\u").encode())
    for encoding in _ENCODINGS:
        try:
            data = word.encode(encoding)
        except UnicodeEncodeError:
            continue
        yield from (data, data.hex().encode(), data.hex().upper().encode())
    data = word.encode()
    for before in range(3):
        # What stands before decides how Base64 spells it; what touches its neighbours is left out.
        text = base64.b64encode(bytes(before) + data + bytes(2)).rstrip(b"=")
        yield text[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]


def hits(data: bytes, sought: set[bytes] | None = None) -> list[bytes]:
    """Which of the needles stand in it."""
    return sorted(one for one in (sought or needles()) if one in data)


def files_with_hits(folder: Path, sought: set[bytes] | None = None) -> list[str]:
    """The files below a folder that have any in them, or in their names."""
    sought = sought or needles()
    found = []
    for one in sorted(folder.rglob("*")):
        inside = one.read_bytes() if one.is_file() and not one.is_symlink() else b""
        if hits(str(one.relative_to(folder)).encode() + b"\0" + inside, sought):
            found.append(one.relative_to(folder).as_posix())
    return found
