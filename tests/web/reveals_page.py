"""``docs/reveals.md``: what each route can let out of each category, made from the route table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web.app import ROUTES
from visitsync.web.route import REVEALS, Reveals

HEAD = """# What each route can let out

Made from the route table; a test keeps this page equal to it (`REWRITE_DOCS=1` writes it anew). A
route that does not say what it reveals stops the service's start. Whatever is *released* goes
through one door, `consent.release`, and is asked of one evaluator; `tests/web/test_reveals.py`
compares what really comes out, route by route, with the slow evaluator.
"""

OUT: Final[dict[Reveals, str]] = {
    "nothing": "–",
    "own": "own",
    "released": "released",
    "reasons": "why",
    "signed": "signed",
    "measures": "–",
    "log": "–",
}


def page() -> str:
    """The whole page."""
    words = [f"- **{name}**: {what}" for name, what in REVEALS.items()]
    return "\n".join([HEAD, *words, "", *_rows(), ""])


def _rows() -> Iterable[str]:
    categories = list(VOCABULARY.categories)
    yield f"| route | reveals | {' | '.join(categories)} |"
    yield "|---|---|" + "---|" * len(categories)
    for route in ROUTES:
        if route.reveals is not None:
            cell = OUT[route.reveals]
            cells = " | ".join(cell for _ in categories)
            yield f"| `{route.method} {route.path}` | {route.reveals} | {cells} |"
