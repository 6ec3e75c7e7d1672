"""Who is signed in, in the memory of this process: an opaque cookie, a token behind it.

A session only remembers which token was pasted. Every request asks the service again whether that
token still holds, so a revoked one ends all its sessions at once; so does a restart.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, NamedTuple

from aiohttp import web

from visitsync.schema.silent import silent
from visitsync.web.limits import Limits

COOKIE: Final = "__Host-visitsync"
_MOST: Final = 10_000


@silent
class Viewer(NamedTuple):
    """Who signed in, as the page greets them."""

    name: str
    purposes: tuple[str, ...]
    """That they may state, as of signing in; the service decides anew each time."""


@silent
@dataclass(slots=True)
class _Session:
    token: str
    viewer: Viewer
    began: float
    seen: float


class Sessions:
    """All sessions of one process, kept by the digest of their id."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_digest: dict[bytes, _Session] = {}

    def begin(self, token: str, viewer: Viewer, now: float) -> str:
        """A new session for `token`; answers the id that only the browser will know."""
        self._drop_ended(now)
        session_id = secrets.token_urlsafe(32)
        self._by_digest[_digest(session_id)] = _Session(token, viewer, now, now)
        return session_id

    def token(self, session_id: str | None, now: float) -> str | None:
        """The token of a session that has not ended; using it keeps it from going idle."""
        session = self._by_digest.get(_digest(session_id or ""))
        if session is None:
            return None
        if self._ended(session, now):
            self.end(session_id)
            return None
        session.seen = now
        return session.token

    def viewer(self, session_id: str | None) -> Viewer:
        """Who signed in; nobody where there is no session."""
        session = self._by_digest.get(_digest(session_id or ""))
        return Viewer("", ()) if session is None else session.viewer

    def end(self, session_id: str | None) -> None:
        """Forget a session, if there is one."""
        self._by_digest.pop(_digest(session_id or ""), None)

    def _ended(self, session: _Session, now: float) -> bool:
        limits = self._limits
        return (
            now - session.seen >= limits.session_idle_seconds
            or now - session.began >= limits.session_seconds
        )

    def _drop_ended(self, now: float) -> None:
        if len(self._by_digest) >= _MOST:
            kept = {k: v for k, v in self._by_digest.items() if not self._ended(v, now)}
            self._by_digest = dict(sorted(kept.items(), key=lambda one: one[1].seen)[1 - _MOST :])


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()


def set_cookie(response: web.StreamResponse, session_id: str) -> None:
    """Hand the id to the browser: this host only, TLS only, never to a script or another site."""
    response.set_cookie(COOKIE, session_id, path="/", secure=True, httponly=True, samesite="Strict")


def drop_cookie(response: web.StreamResponse) -> None:
    """Take it back."""
    response.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
