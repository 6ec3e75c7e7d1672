"""One table from exceptions to answers: RFC 9457 problem details with a stable code.

An answer says where and who must act, in the reader's language. It never repeats what the request
or a record said; a 500 carries an incident number that the operator finds in the service's log.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final, NamedTuple

import msgspec
from aiohttp import web

from visitsync import errors
from visitsync.schema.silent import silent
from visitsync.web.language import Language

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5


@silent
class Words(NamedTuple):
    """What a reader is told, in one language."""

    title: str
    detail: str


@silent
class Rule(NamedTuple):
    """How one kind of error is answered."""

    status: int
    code: str | None = None
    """None: the exception's own code."""
    tells_where: bool = True
    """Whether `where` is for the client; it never is where the operator must act."""


STATUSES: Final[Mapping[type[errors.VisitsyncError], Rule]] = {
    errors.NotSignedIn: Rule(401, tells_where=False),
    errors.NotAllowed: Rule(403, tells_where=False),
    # An office that does not exist is answered like one that is not the token's.
    errors.UnknownOffice: Rule(403, "not_allowed", tells_where=False),
    errors.UnknownHousehold: Rule(404, tells_where=False),
    errors.UnsupportedMediaType: Rule(415),
    errors.TooLarge: Rule(413),
    errors.TooSlow: Rule(408),
    errors.TooManyRequests: Rule(429),
    errors.NotItsMediaType: Rule(422),
    errors.NotNow: Rule(409),
    errors.NotProven: Rule(403, tells_where=False),
    errors.CallerError: Rule(400),
    errors.RecordError: Rule(400),
    errors.RepeatedKey: Rule(422, tells_where=False),
    errors.OfficeError: Rule(422),
    errors.DatabaseUnavailable: Rule(503, tells_where=False),
    errors.OperatorError: Rule(503, "not_ready", tells_where=False),
    errors.IntegrityError: Rule(500, "integrity", tells_where=False),
}
"""The nearest class on an exception's line of descent counts."""


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One answer that is not what was asked for.

    Attributes:
        status: of HTTP.
        code: stable.
        where: the parameter, line or path to mend; never a value.
        incident: the number under which the log has more; only for what nobody outside can mend.
        report: the full account of a submission of which nothing was taken.
        headers: that go with it.
    """

    status: int
    code: str
    where: str | None = None
    incident: str | None = None
    report: object = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def words(self, language: Language) -> Words:
        """Title and sentence for people."""
        return WORDS[self.code][language]

    def body(self, language: Language) -> bytes:
        """The JSON document of RFC 9457."""
        words = self.words(language)
        members: dict[str, Any] = {
            "type": f"urn:visitsync:problem:{self.code}",
            "title": words.title,
            "status": self.status,
            "detail": words.detail,
            "code": self.code,
        }
        for name in ("where", "incident", "report"):
            if (value := getattr(self, name)) is not None:
                members[name] = value
        return msgspec.json.encode(members)

    def answer(self, language: Language) -> web.Response:
        """The HTTP response."""
        return web.Response(
            status=self.status,
            body=self.body(language),
            content_type=MEDIA_TYPE,
            headers={**self.headers, "Content-Language": language},
        )


def of(error: BaseException, incident: str) -> Problem:
    """The answer to an exception, whatever it is.

    Args:
        error: what was raised below.
        incident: the number under which it is logged.
    """
    if isinstance(error, web.HTTPException):
        return _of_http(error, incident)
    if not isinstance(error, errors.VisitsyncError):
        return Problem(status=500, code="internal", incident=incident)
    rule = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    code = rule.code or error.code
    headers: dict[str, str] = {}
    if rule.status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = 'Bearer realm="visitsync"'
    if rule.status in {429, 503}:
        seconds = getattr(error, "seconds", RETRY_SECONDS)
        headers["Retry-After"] = str(seconds)
    if isinstance(error, errors.UnsupportedMediaType):
        headers["Accept"] = ", ".join(error.accepted)
        headers["Accept-Encoding"] = "identity"
    return Problem(
        status=rule.status,
        code=code,
        where=error.where if rule.tells_where else None,
        incident=incident if rule.status >= 500 else None,  # noqa: PLR2004 -- the server's errors
        headers=headers,
    )


def _of_http(error: web.HTTPException, incident: str) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allow = ", ".join(sorted(error.allowed_methods))
        return Problem(status=405, code="method_not_allowed", headers={"Allow": allow})
    if error.status == web.HTTPNotFound.status_code:
        return Problem(status=404, code="no_such_route")
    if error.status == web.HTTPRequestEntityTooLarge.status_code:
        return Problem(status=413, code="too_large", headers={"Connection": "close"})
    if error.status < 500:  # noqa: PLR2004 -- the client's errors
        return Problem(status=400, code="bad_request", where="request")
    return Problem(status=500, code="internal", incident=incident)


def _load() -> Mapping[str, Mapping[Language, Words]]:
    text = resources.files(__package__).joinpath("problems.toml").read_text(encoding="utf-8")
    return {
        code: {language: Words(**words) for language, words in by_language.items()}
        for code, by_language in tomllib.loads(text).items()
    }


WORDS: Final = _load()
