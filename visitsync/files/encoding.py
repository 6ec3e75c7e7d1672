"""Bytes to text, in the encoding that the layout declares."""

from __future__ import annotations

import codecs
import re
from typing import Final, NamedTuple

from visitsync.fields.layout import Encoding
from visitsync.fields.text import is_mojibake

_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NO_CP932: Final = re.compile("[\uf8f0-\uf8f3]")
"""What Python makes of the single bytes A0 and FD–FF, which CP932 does not have."""
_UNDECODED: Final = "\udcff"


class Decoded(NamedTuple):
    """Text; bytes that are no character became lone surrogates."""

    text: str
    cut: bool
    """Whether the bytes end inside a character; that half is left out."""

    def __repr__(self) -> str:
        return "<Decoded>"


def decode(data: bytes, encoding: Encoding) -> Decoded | None:
    """The text of `data`, or None where its byte order mark says that it is in another encoding."""
    if data.startswith(_UTF16_MARKS) != (encoding == "utf-16"):
        return None
    match encoding:
        case "utf-16":
            return _incrementally(data, "utf-16", "replace")
        case "utf-8" | "utf-8-sig":
            return _strictly(data.removeprefix(codecs.BOM_UTF8), "utf-8")
        case "cp932":
            if data.startswith(codecs.BOM_UTF8):
                return None
            text, cut = _strictly(data, "cp932")
            return Decoded(_NO_CP932.sub(_UNDECODED, text), cut)


def decode_field(data: bytes, encoding: Encoding, *, cut_off: bool) -> str:
    """The text of one fixed-width field.

    Args:
        data: the field's bytes.
        encoding: that the layout declares.
        cut_off: whether the writing system may have cut it inside its last character.
    """
    codec = "cp932" if encoding == "cp932" else "utf-8"
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        if cut_off and error.end == len(data):
            data = data[: error.start]
        text = data.decode(codec, "surrogateescape")
    return _NO_CP932.sub(_UNDECODED, text) if codec == "cp932" else text


def is_utf8(data: bytes) -> bool:
    """Whether `data` holds more than ASCII, all of it UTF-8: no CP932 of any length does."""
    try:
        return not data.isascii() and bool(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        # A file that is cut off inside a character was UTF-8 before that.
        return error.reason == "unexpected end of data" and not data[: error.start].isascii()


def why_no_label(data: bytes, text: str, encoding: Encoding) -> str:
    """The problem of a text file in which none of a layout's labels was found.

    UTF-8 taken for CP932 looks like mojibake too; but only in mojibake, which was saved once more,
    have the bytes without a partner become ・.
    """
    start = text[:_LOOKED_AT]
    garbled = any(is_mojibake(cell) for cell in _CELL_ENDS.split(start))
    lost = _LOST.search(text) is not None
    if encoding == "cp932":
        lost = lost or is_utf8(data)
        garbled = garbled and (not lost or "・" in start)
    elif lost:
        garbled = False
    if garbled:
        return "mojibake"
    return "wrong_encoding" if lost else "no_header"


_LOOKED_AT: Final = 4_000
_CELL_ENDS: Final = re.compile('[,\t\r\n"]')
_LOST: Final = re.compile("[\ud800-\udfff\ufffd]")


def _strictly(data: bytes, encoding: str) -> Decoded:
    try:
        return Decoded(data.decode(encoding), cut=False)
    except UnicodeDecodeError:
        return _incrementally(data, encoding, "surrogateescape")


def _incrementally(data: bytes, encoding: str, errors: str) -> Decoded:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    text = decoder.decode(data, final=False)
    return Decoded(text, cut=bool(decoder.getstate()[0]))
