"""One log per fiscal year, each holding on to the year before."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visitsync.audit import (
    EMPTY_ROOT,
    Checkpoint,
    NoteSigner,
    fiscal_year,
    instant,
    key_name,
    leaf,
    opening,
    origin,
    read_leaf,
    sign_checkpoint,
)
from visitsync.audit.shards import JST, bounds, split
from visitsync.errors import LogBroken

SIGNER = NoteSigner(key_name("shiomi"), bytes(range(32)))
NOW = dt.datetime(2026, 4, 1, 0, 0, 5, tzinfo=JST)


def closed(made: str) -> str:
    return sign_checkpoint(Checkpoint(made, 0, EMPTY_ROOT), SIGNER)


@pytest.mark.parametrize(
    ("local", "year"),
    [
        ("2026-03-31T23:59:59.999999+09:00", 2025),
        ("2026-04-01T00:00:00+09:00", 2026),
        ("2026-03-31T15:00:00+00:00", 2026),
        ("2026-12-31T23:59:59+09:00", 2026),
        ("2027-01-01T00:00:00+09:00", 2026),
    ],
)
def test_a_year_begins_on_the_first_of_april_in_japan(local: str, year: int) -> None:
    now = dt.datetime.fromisoformat(local)
    assert fiscal_year(now) == year
    start, end = bounds(year)
    assert start <= instant(now) < end


EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
moments = st.integers(1_500_000_000_000_000, 4_000_000_000_000_000).map(
    lambda microseconds: EPOCH + dt.timedelta(microseconds=microseconds)
)


@given(one=moments, other=moments)
def test_instants_sort_as_text_as_they_do_in_time(one: dt.datetime, other: dt.datetime) -> None:
    assert (instant(one) < instant(other)) == (one < other)


@pytest.mark.parametrize(
    "tenant", ["", "Shiomi", "a b", "a/b", "a+b", "-a", "a-", "汐見", "a" * 64]
)
def test_a_tenant_is_a_plain_word(tenant: str) -> None:
    with pytest.raises(LogBroken):
        origin(tenant, 2026)


def test_an_origin_is_taken_apart_as_it_was_made() -> None:
    assert split(origin("shiomi-2", 2026)) == (key_name("shiomi-2"), 2026)
    for other in ("example.com/log", "visitsync/shiomi", "visitsync/shiomi/26", ""):
        with pytest.raises(LogBroken):
            split(other)


def test_the_first_year_opens_with_nothing_before_it() -> None:
    entry = opening("shiomi", NOW, previous=None)
    assert read_leaf(leaf(entry)) == entry
    assert (entry.kind, entry.seq, entry.shard) == ("year_opened", 0, "visitsync/shiomi/2026")
    assert entry.previous is None


def test_a_year_opens_with_the_last_checkpoint_of_the_year_before() -> None:
    note = closed(origin("shiomi", 2025))
    entry = read_leaf(leaf(opening("shiomi", NOW, previous=note, request="r-1")))
    assert (entry.previous, entry.request) == (note, "r-1")


@pytest.mark.parametrize(
    "made", [origin("shiomi", 2026), origin("shiomi", 2027), origin("oki", 2025), "other"]
)
def test_a_year_opens_only_with_an_earlier_year_of_its_own_log(made: str) -> None:
    with pytest.raises(LogBroken):
        opening("shiomi", NOW, previous=closed(made))
