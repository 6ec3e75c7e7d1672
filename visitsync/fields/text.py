"""Text as an office typed it, and what may be wrong with it.

Nothing is folded here: half-width kana, variant characters and the gap in a name stay as typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from visitsync.schema.reading import Level

TRIMMED: Final = " \t\u3000\u00a0"
"""What is taken off both ends of a cell: blank, tab, full-width blank, no-break blank."""

ITEM_MARK: Final = "\x1e"
"""Stands between the items of a cell that is a list (a JSON array)."""

NO_VALUE: Final = "\ufdd0"
"""Stands for a cell with an error or a formula without its result: neither empty nor text."""

MAX_CELL: Final = 32_767
"""Characters; what a spreadsheet's cell can hold."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Zero width, or turning the direction of writing: what is seen is not what stands there."""
_UNDECODED: Final = re.compile("[\ud800-\udfff]")
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]")


def clean(text: str) -> str:
    """`text` in NFC, without blanks at its ends.

    >>> clean("　か\u3099 ")
    'が'
    """
    return composed(text).strip(TRIMMED)


def composed(text: str) -> str:
    """`text` in NFC.

    A heap of combining marks would take hours to sort. It becomes a noncharacter, which `looks`
    rejects.
    """
    if unicodedata.is_normalized("NFC", text):
        return text
    if len(text) > _HEAP:
        pieces = ("".join(run) for _, run in groupby(text, _is_combining))
        text = "".join(
            "\uffff" if len(run) > _HEAP and _is_combining(run[0]) else run for run in pieces
        )
    return unicodedata.normalize("NFC", text)


_HEAP: Final = 100
"""More combining marks on one character are no writing."""


def _is_combining(character: str) -> bool:
    return unicodedata.combining(character) != 0


def fold(text: str) -> str:
    """`text` as labels are compared: NFKC, without any blank or line break.

    >>> fold("利用者 ｶﾅ"), fold("児童氏名１")
    ('利用者カナ', '児童氏名1')
    """
    return "".join(unicodedata.normalize("NFKC", text).split())


_NARROW: Final[Mapping[int, int | str]] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    0xFFE5: "¥",
    0x32FF: "令和",
    0x337B: "平成",
    0x337C: "昭和",
    0x337D: "大正",
    0x337E: "明治",
}


def narrow(text: str) -> str:
    """`text` as dates, times and numbers are read: full-width ASCII made narrow, no blanks.

    Unlike `fold` it leaves ① and ² alone: they are no figures.

    >>> narrow("１，２００ 円"), narrow("㋿８．７．３"), narrow("①")
    ('1,200円', '令和8.7.3', '①')
    """
    return "".join(text.translate(_NARROW).split())


def looks(text: str) -> Iterator[tuple[Level, str]]:
    """What a person should look at in a clean cell: problem codes, at most one that rejects.

    >>> list(looks("=1+1")), list(looks("母は元気"))
    ([('warn', 'formula_text')], [])
    """
    if len(text) > MAX_CELL:
        yield "reject", "too_long"
    elif _UNDECODED.search(text):
        yield "reject", "wrong_encoding"
    elif "\ufffd" in text or is_mojibake(text):
        yield "reject", "mojibake"
    elif text == NO_VALUE:
        yield "reject", "no_value"
    elif _CONTROL.search(text):
        yield "reject", "control_character"
    else:
        if _PRIVATE.search(text):
            yield "warn", "private_use_character"
        if _INVISIBLE.search(text):
            yield "warn", "invisible_character"
        if _INVISIBLE.sub("", text).startswith(tuple(FORMULA_STARTS)):
            yield "warn", "formula_text"


FORMULA_STARTS: Final = frozenset("=+-@")
"""A spreadsheet takes a cell that begins so for a formula."""


# ── UTF-8 that was read as CP932 ──────────────────────────────────────────────────────────────────
# Most Japanese characters are three bytes in UTF-8: E3–E9 or EF, then two of 80–BF (𠮷: F0 and
# three). Read as CP932 these become pairs of which the first starts with such a lead byte (縺, 荳),
# and bytes without a partner become ・. The sign is that, turned back, a cell holds whole Japanese
# characters.


def _bytes_of(character: str) -> bytes:
    if "\x80" <= character <= "\x9f":
        return bytes([ord(character)])
    try:
        return character.encode("cp932")
    except UnicodeEncodeError:
        return b""


def _class_of(lead: bytes, trail: range) -> str:
    found = []
    for first in lead:
        for second in trail:
            try:
                found.append(bytes([first, second]).decode("cp932"))
            except UnicodeDecodeError:
                continue
    return "".join(found)


_LEADS: Final = bytes([*range(0xE3, 0xEA), 0xEF, 0xF0])
_CONTINUED: Final = range(0x80, 0xC0)
_LEADING: Final = re.escape(_class_of(_LEADS, _CONTINUED))
_FOLLOWING: Final = re.escape(
    "".join(map(chr, range(0x80, 0xA0)))
    + "".join(bytes([byte]).decode("cp932") for byte in range(0xA1, 0xC0))
    + "・"
    + _class_of(bytes(range(0x81, 0xA0)), range(0x40, 0xFD))
)
_LEADING_PAIR: Final = re.compile(f"[{_LEADING}][{_FOLLOWING}]|・[ｽｾ]")
_WHOLE: Final = re.compile(
    rb"[\xe3-\xe9\xef][\x80-\xbf\x00][\x80-\xbf\x00]|\xf0[\x80-\xbf][\x80-\xbf\x00]{2}"
    rb"|\x00[\xbd\xbe][\x80-\xbf\x00]"  # a half-width kana that lost its EF
)
_JAPANESE: Final = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff9f\U00020000-\U0003ffff]")
_LOST: Final = 0x00
"""Stands for a byte that became ・."""


def is_mojibake(text: str) -> bool:
    """Whether `text` is (mostly) UTF-8 that was read as CP932.

    >>> is_mojibake("蟯｡逕ｰ 譬・"), is_mojibake("齋藤　邉美"), is_mojibake("ｻｲﾄｳ")
    (True, False, False)
    """
    if _LEADING_PAIR.search(text) is None:
        return False
    pieces = [bytes([_LOST]) if one == "・" else _bytes_of(one) for one in text]
    raw = b"".join(pieces)
    outside_ascii = sum(len(piece) for piece in pieces if piece and not 0 < piece[0] < 0x80)  # noqa: PLR2004 -- ASCII ends there
    whole = [
        len(found[0])
        for found in _WHOLE.finditer(raw)
        # A lost byte was some continuation; B8 leads to an ideograph after every lead byte but E3.
        if found[0][0] == _LOST
        or _JAPANESE.match(found[0].replace(b"\0", b"\xb8").decode("utf-8", "ignore"))
    ]
    covered = sum(whole) / outside_ascii
    # One character must be all there is (莉子 is a name); several may stand beside a real one (様).
    return covered > 0.9 or (len(whole) > 1 and covered >= 0.75)  # noqa: PLR2004 -- shares


_SUSPECT: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\uf8ff\ufdd0-\ufdef\ufeff\ufffd-\uffff\U000f0000-\U0010ffff]"
)


def suspicious(row: str) -> bool:
    """Whether `looks` may have something to say about a cell of `row`, joined by line feeds.

    Nearly every row is cleared by this one look, which is why reading is quick.
    """
    return (
        _SUSPECT.search(row) is not None
        or _LEADING_PAIR.search(row) is not None
        or row[:1] in FORMULA_STARTS
        or any("\n" + start in row for start in FORMULA_STARTS)
        or len(row) > MAX_CELL
    )
