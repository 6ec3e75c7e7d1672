"""Sessions: opaque, bounded in time, ended by signing out."""

from __future__ import annotations

from visitsync.web.limits import Limits
from visitsync.web.pages.sessions import Sessions, Viewer

VIEWER = Viewer("somebody", ("protection",))
LIMITS = Limits(session_idle_seconds=10, session_seconds=25)


def test_a_session_lends_its_token_until_it_ends() -> None:
    sessions = Sessions(LIMITS)
    session = sessions.begin("the-token", VIEWER, now=0)

    assert sessions.token(session, now=1) == "the-token"
    sessions.end(session)
    assert sessions.token(session, now=1) is None


def test_unknown_sessions_lend_nothing() -> None:
    sessions = Sessions(LIMITS)
    sessions.begin("the-token", VIEWER, now=0)

    assert sessions.token(None, now=1) is None
    assert sessions.token("guess", now=1) is None


def test_an_idle_session_ends() -> None:
    sessions = Sessions(LIMITS)
    session = sessions.begin("the-token", VIEWER, now=0)

    assert sessions.token(session, now=9.9) == "the-token"
    assert sessions.token(session, now=20) is None
    assert sessions.token(session, now=20) is None


def test_a_busy_session_ends_too() -> None:
    sessions = Sessions(LIMITS)
    session = sessions.begin("the-token", VIEWER, now=0)

    assert [sessions.token(session, now=t) for t in (8, 16, 24, 25)] == ["the-token"] * 3 + [None]


def test_ids_are_long_and_never_repeat() -> None:
    sessions = Sessions(LIMITS)
    ids = {sessions.begin("t", VIEWER, now=0) for _ in range(100)}

    assert len(ids) == 100
    assert all(len(one) >= 43 for one in ids)


def test_memory_holds_no_id_in_clear() -> None:
    sessions = Sessions(LIMITS)
    session = sessions.begin("t", VIEWER, now=0)

    assert session.encode() not in repr(sessions._by_digest).encode()  # noqa: SLF001 -- its memory
