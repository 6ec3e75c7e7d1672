"""Finding a layout's columns among the labels of a file.

Labels are compared without blanks and line breaks, and in NFKC, so that 利用者ｶﾅ is 利用者カナ. A
column under merged headings is written with all of them, ``利用者 / 保護者氏名``; the last part
alone is enough where it stands only once. ``氏名#2`` is the second column labelled 氏名.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from visitsync.fields.text import fold


class Labels:
    """The labels of one table, to be asked for columns by the names a layout gives them."""

    def __init__(self, labels: Sequence[str], synonyms: Mapping[str, Sequence[str]]) -> None:
        self.labels = tuple(labels)
        self._synonyms = {fold(label): others for label, others in synonyms.items()}
        self._places: dict[str, list[int]] = {}
        self._last_parts: dict[str, list[int]] = {}
        for index, label in enumerate(labels):
            folded = fold(label)
            self._places.setdefault(folded, []).append(index)
            self._last_parts.setdefault(folded.rpartition("/")[2], []).append(index)

    def find(self, label: str) -> int | None:
        """The index of the column that a layout calls `label`, or None."""
        folded = fold(label)
        for name in (folded, *map(fold, self._synonyms.get(folded, ()))):
            index = self._exactly(name)
            if index is not None:
                return index
        return None

    def others(self, names: Iterable[str]) -> list[int]:
        """The indices of the columns that none of `names` calls."""
        called = {self.find(name) for name in names}
        return [index for index in range(len(self.labels)) if index not in called]

    def _exactly(self, name: str) -> int | None:
        bare, _, number = name.partition("#")
        if number.isascii() and number.isdigit() and name not in self._places:
            places = self._places.get(bare) or self._last_parts.get(bare, [])
            return places[int(number) - 1] if 0 < int(number) <= len(places) else None
        places = self._places.get(name, [])
        if places:
            return places[0]
        last = self._last_parts.get(name, [])
        return last[0] if len(last) == 1 else None
