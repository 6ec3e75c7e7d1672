"""Addresses, rooms, telephones and accounts by the shape of their numbers."""

from __future__ import annotations

import re
from typing import Final

from visitsync.consent.naming import hiragana, named_before

_N: Final = "[0-9一二三四五六七八九十]"
_TELEPHONE: Final = re.compile(
    r"(?<!\d)0(?:[-\s()・の.,、]{0,2}\d){9,10}(?!\d)|\+81|0\d{1,3}から始|(?:電話|携帯|TEL|Tel|tel"
    r"|FAX|ケータイ)[^\d、。]{0,6}\d{4,}(?![\d円年時gm])|下(?:4|四)(?:桁|けた|ケタ)\D{0,3}\d{4}"
)
_LOCAL_TELEPHONE: Final = re.compile(r"(?<![\d-])(?!(?:19|20)\d\d)\d{2,4}[-の]\d{4}(?![\d-])")
_SPELT: Final = re.compile(
    "(?:ぜろ|れい|まる)(?:[-\\s、の]?(?:ぜろ|れい|まる|いち|に|さん|よん|し|ご|ろく|なな|しち"
    "|はち|きゅう|きゅー|く)){2,}"
)
_POSTAL_CODE: Final = re.compile(r"(?:〒|郵便番号\D{0,4})\s*\d")
_LOT: Final = re.compile(
    f"{_N}\\s*丁目|ちょうめ|チョウメ|ばんち|バンチ|{_N}番地|{_N}番町|{_N}番{_N}+号|{_N}号線"
    f"|国道{_N}|県道{_N}"
    "|[町条区村]の?[0-9]{1,4}[-の][0-9]|[0-9]{1,2}条[東西南北]|大字"
    "|(?<![漢文数名赤点活])字[一-龥]{1,4}[0-9]"
    "|[0-9]\\s?系統|[一-龥ぁ-んァ-ヺ](?:[ヶケ][丘浦崎原谷岡島]|が丘)"
)
_BLOCK: Final = re.compile(
    f"(?<![0-9A-Za-z])(?!(?:19|20)[0-9]{{2}}){_N}{{1,4}}[-の]{_N}{{1,3}}[-の]{_N}{{1,4}}(?![0-9])"
)
_PAIR: Final = re.compile(
    r"(?<=[一-龥ァ-ヺー])\d{1,4}-\d{1,4}(?![\d-])"
    r"(?!\s*(?:回|日|時|分|秒|歳|才|か月|ヶ月|カ月|ケ月|週|年|月|度|枚|個|本|杯|人|名|件|円|kg|g"
    r"|ml|cc|cm|点|割|%|℃))"
)
_ROOM: Final = re.compile(
    r"(?<!\d)\d{1,4}号[室棟]|(?<!\d)\d{3,4}号(?!線)|[A-Z]棟|\d{1,3}棟"
    r"|(?:隣室|居室|部屋番|部屋番号|号室|部屋|集合ポスト|郵便受け|アパート|マンション|メゾネット"
    r"|コーポ|ハイツ)[^\d、。]{0,3}\d{3,4}(?![\d円])|(?<!\d)\d{3,4}\s?(?:の(?:部屋|お部屋)|に住)"
)
_ROOM_IN_KANA: Final = re.compile(r"\d\s?(?:ごうしつ|ごうとう|とう\s?\d)|へやばんごう\D{0,3}\d")
_ACCOUNT: Final = re.compile(
    r"[A-Za-z0-9]@[A-Za-z0-9-]+\.[A-Za-z]|(?:ID|LINE"
    r"|アカウント)[^A-Za-z0-9]{1,3}[A-Za-z][A-Za-z0-9_.-]{3,}"
    r"|@[A-Za-z0-9_.]{4,}|(?:インスタ|Instagram|ツイッター|Twitter|Facebook"
    r"|フェイスブック)[^、。]{0,8}[A-Za-z0-9_]{4,}|アットマーク|ドットコム|(?i:gmail|docomo|ezweb"
    r"|softbank|icloud|hotmail)|\.(?:ne|co|ac|or)\.jp|\.(?:com|net|jp)\b|https?://|マップコード"
    r"|プラスコード|緯度|(?:ナビ|マップ|地図アプリ)(?:に|で)|\bwww\.|\d{2,3}\.\d{4,}"
    r"|\d{3}\s?[ぁ-ん]\s?\d{1,2}-\d{2}"
)
"""Also a page (a map), a place on the globe, and the plate of a car."""


def telephone(text: str) -> bool:
    """Whether a telephone number stands in `text`."""
    if _LOCAL_TELEPHONE.search(text) or _TELEPHONE.search(text):
        return True
    return _SPELT.search(hiragana(text)) is not None


def postal_code(text: str) -> bool:
    """Whether a postal code stands in `text`."""
    return _POSTAL_CODE.search(text) is not None


def address(text: str) -> bool:
    """Whether a block or lot stands in `text`."""
    if _LOT.search(text) or _BLOCK.search(text):
        return True
    return any(named_before(text, one.start(), "") for one in _PAIR.finditer(text))


def room(text: str) -> bool:
    """Whether a room or house of several stands in `text`."""
    return bool(_ROOM.search(text) or _ROOM_IN_KANA.search(hiragana(text)))


def account(text: str) -> bool:
    """Whether `text` says where somebody is reached in a network, or where on a map."""
    return _ACCOUNT.search(text) is not None
