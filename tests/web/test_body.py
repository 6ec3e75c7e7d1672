"""Files handed in together, and their names."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.errors import BadMultipart, CallerError, TooLarge
from visitsync.web.body import bare_name, file_name, split_multipart


def multipart(*parts: tuple[str, bytes], boundary: str = "line") -> bytes:
    written = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: text/csv\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in parts
    )
    return written + f"--{boundary}--\r\n".encode()


def test_parts_come_out_as_they_went_in() -> None:
    body = multipart(("PH_202604.txt", b"a\r\nb\x00\xff"), ("料金.csv", b""))

    files = split_multipart(body, "line", most=2)

    assert [(one.name, one.content) for one in files] == [
        ("PH_202604.txt", b"a\r\nb\x00\xff"),
        ("料金.csv", b""),
    ]
    assert {one.media_type for one in files} == {"text/csv"}


@given(content=st.binary(max_size=300).filter(lambda one: b"\r\n--line" not in b"\r\n" + one))
def test_any_content_survives(content: bytes) -> None:
    (file,) = split_multipart(multipart(("a.bin", content)), "line", most=1)

    assert file.content == content


@given(body=st.binary(max_size=300))
def test_any_bytes_give_files_or_a_callers_error(body: bytes) -> None:
    try:
        split_multipart(body, "line", most=3)
    except CallerError as error:
        assert error.where  # noqa: PT017 -- either outcome is right


def test_every_truncation_is_refused() -> None:
    body = multipart(("a.txt", b"content"))
    end = body.index(b"--line--")

    for length in range(end + 8):
        with pytest.raises(BadMultipart):
            split_multipart(body[:length], "line", most=3)


def test_more_parts_than_allowed_are_refused() -> None:
    parts = [("a.txt", b"x")] * 4

    assert len(split_multipart(multipart(*parts), "line", most=4)) == 4
    with pytest.raises(TooLarge):
        split_multipart(multipart(*parts), "line", most=3)


def test_a_part_without_a_file_name_is_refused() -> None:
    body = b'--line\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--line--\r\n'

    with pytest.raises(BadMultipart, match="no file name"):
        split_multipart(body, "line", most=3)


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\HS.xlsx", "HS.xlsx"),
        ("a\x00b\x1b[31m.csv", "ab[31m.csv"),
        ("\u202egnp.csv", "gnp.csv"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("/", ""),
    ],
)
def test_names_lose_folders_and_control_characters(name: str, bare: str) -> None:
    assert bare_name(name) == bare


def test_encoded_file_names_are_read() -> None:
    header = "attachment; filename*=UTF-8''MT_2026-09_%E5%A4%9A%E8%83%8E.tsv"

    assert file_name(header, "x") == "MT_2026-09_多胎.tsv"
    assert file_name(None, "x") == "x"
    assert file_name("attachment", "x") == "x"


@pytest.mark.parametrize("charset", ["undefined", "nosuch", "zlib_codec", "utf-16"])
def test_a_name_in_a_charset_that_nobody_reads_is_no_name(charset: str) -> None:
    header = f"attachment; filename*={charset}''%41"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert file_name(header, "file") == "file"
