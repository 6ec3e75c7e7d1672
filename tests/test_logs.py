"""The service's own log holds nothing about a family, whatever somebody writes to it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from visitsync import logs

PLANTED = ("試験 花子", "シケン ハナコ", "000-8524-4921", "F-013")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.set_up(stream)
    yield stream
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = before


def test_a_planted_name_is_nowhere(written: io.StringIO) -> None:
    log = structlog.get_logger()
    name, kana, phone, case_no = PLANTED
    log.info("request", status=200, person=name, code=kana, address=phone, case_no=case_no)
    log.error("failed", frames=name, error=ValueError(name), exc_info=ValueError(phone))
    logging.getLogger("aiohttp.access").critical("GET /?name=%s", name)

    text = written.getvalue()

    for value in PLANTED:
        assert value not in text
        assert json.dumps(value).strip('"') not in text
    first, second = map(json.loads, text.splitlines())
    assert first["status"] == 200
    assert first["dropped"] == 4
    assert second["event"] == "failed"


def test_a_warning_of_a_library_repeats_nothing() -> None:
    program = "import warnings; from visitsync import logs; logs.set_up(); warnings.warn('planted')"

    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert (run.stdout, run.stderr) == (b"", b"")


def test_lines_are_ascii_and_one_each(written: io.StringIO) -> None:
    structlog.get_logger().info("started\n{", host="127.0.0.1", port=8080)

    assert written.getvalue().isascii()
    assert written.getvalue().count("\n") == 1
    assert json.loads(written.getvalue())["port"] == 8080


def test_places_pass_and_a_name_among_them_drops_all(written: io.StringIO) -> None:
    log = structlog.get_logger()
    log.error("failed", frames=["visitsync/web/edge.py:59"], where="source.office")
    log.error("failed", frames=["visitsync/web/edge.py:59", PLANTED[0]], where=PLANTED[1])

    first, second = map(json.loads, written.getvalue().splitlines())
    assert first["frames"] == ["visitsync/web/edge.py:59"]
    assert first["where"] == "source.office"
    assert second["dropped"] == 2


def test_every_allowed_field_passes(written: io.StringIO) -> None:
    fields = dict.fromkeys(logs.ALLOWED - {"event", "level", "timestamp", "dropped"}, "x")
    structlog.get_logger().info("all", **fields)

    assert fields.items() <= json.loads(written.getvalue()).items()
