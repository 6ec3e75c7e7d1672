"""The strict JSON reader, also against the public parsing suite where it is at hand."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from visitsync.schema.strict_json import MAX_DEPTH, Mark, NotStrictJson, RepeatedNames, loads


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a":1,"a":2}', "repeated_name"),
        (b'[{"b":{"a":1,"a":1}}]', "repeated_name"),
        (b"[NaN]", "not_a_number"),
        (b"[-Infinity]", "not_a_number"),
        (b"[1e999]", "not_a_number"),
        (b"[" + b"9" * 65 + b"]", "not_a_number"),
        (b'["\\ud800"]', "not_unicode"),
        (b'{"\\udfff":1}', "not_unicode"),
        (b'"\xff"', "not_unicode"),
        (b"\xef\xbb\xbf{}", "not_json"),
        (b"[" * 66 + b"]" * 66, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b"{", "not_json"),
        (b"", "not_json"),
    ],
)
def test_what_is_not_strict_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NotStrictJson) as caught:
        loads(data)
    assert caught.value.reason == reason


def test_repeated_names_can_be_marked_and_the_first_is_kept() -> None:
    value = loads(b'[{"a":1,"a":2},{"b":1}]', mark_refused=True)
    assert isinstance(value, list)
    assert isinstance(value[0], RepeatedNames)
    assert value[0] == {"a": 1}
    assert value[0].pairs == (("a", 1), ("a", 2))
    assert value[0].repeated == {"a"}
    assert not isinstance(value[1], RepeatedNames)


def test_what_a_repeated_name_hides_is_still_checked() -> None:
    value = loads(b'{"a":1,"a":"\\ud800"}', mark_refused=True)
    assert isinstance(value, RepeatedNames)
    assert value.pairs == (("a", 1), ("a", Mark.REFUSED))


@pytest.mark.parametrize(
    ("part", "marked"),
    [
        (b"1e999", Mark.REFUSED),
        (b"-1e999", Mark.REFUSED),
        (b"9" * 5_000, Mark.REFUSED),
        (b"9" * 65, 10**65 - 1),
        (b'"\\ud800"', Mark.REFUSED),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'{"\\udfff":1}', {"\ufffd": 1}),
    ],
)
def test_a_part_that_is_json_but_not_strict_can_be_marked(part: bytes, marked: object) -> None:
    assert loads(b'[{"a":' + part + b"},1]", mark_refused=True) == [{"a": marked}, 1]


def test_what_is_nested_too_deep_can_be_marked_from_there_on() -> None:
    value = loads(b"[" * 200 + b"]" * 200, mark_refused=True)
    depth = 0
    while isinstance(value, list):
        depth, value = depth + 1, value[0]
    assert (depth, value) == (MAX_DEPTH + 1, Mark.REFUSED)


@pytest.mark.parametrize(
    "data",
    [b"[NaN]", b'"\xff"', b"\xef\xbb\xbf{}", b"[" * 100_000, b"{", b"", b"[1,]", b"{} {}"],
)
def test_what_is_no_json_is_refused_whole_with_marks_too(data: bytes) -> None:
    with pytest.raises(NotStrictJson):
        loads(data, mark_refused=True)


@pytest.mark.skipif("VISITSYNC_VECTORS" not in os.environ, reason="VISITSYNC_VECTORS is not set")
def test_the_public_parsing_suite_is_answered_as_it_asks() -> None:
    archive = Path(os.environ["VISITSYNC_VECTORS"]) / "jsontest" / "test_parsing.tar.gz"
    accepted: list[str] = []
    refused: list[str] = []
    with tarfile.open(archive) as tar:
        for member in tar.getmembers():
            stream = tar.extractfile(member)
            name = Path(member.name).name
            if stream is None or not name.endswith(".json"):
                continue
            try:
                loads(stream.read())
            except NotStrictJson:
                refused.append(name)
            else:
                accepted.append(name)
    assert [name for name in accepted if name.startswith("n_")] == []
    # Two names that are equal, and nothing else that is well-formed, are refused on purpose.
    assert sorted(name for name in refused if name.startswith("y_")) == [
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    ]
    assert sum(name.startswith("n_") for name in refused) == 188
