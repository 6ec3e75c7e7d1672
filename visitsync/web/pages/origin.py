"""A form is only taken from a page of ours: the browser says where it stood."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from visitsync.errors import NotAllowed


def require_own(request: web.Request) -> None:
    """Refuse a form that another site, or no page at all, sent.

    Browsers send ``Origin`` with every POST (Fetch, 3.1) and no page can forge it; what is no
    browser has no session to lend.

    Raises:
        NotAllowed: where the origin is not this host's own.
    """
    origin = urlsplit(request.headers.get("Origin", ""))
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    own = origin.scheme in {"http", "https"} and origin.netloc == request.host
    if not own or site != "same-origin":
        raise NotAllowed("The form came from another site")
