"""Templates and the words on them. Everything is escaped; a word that is missing is an error."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final, TypeAlias

import jinja2
from aiohttp import web

from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web import wareki
from visitsync.web.language import LANGUAGES, Language

Texts: TypeAlias = Mapping[str, Mapping[str, str]]

_HERE: Final = resources.files("visitsync.web")
_TYPES: Final = {"visitsync.css": "text/css", "icon.svg": "image/svg+xml"}


def _address(name: str, content: bytes) -> str:
    """An address that holds the content's digest, so that a browser may keep it for ever."""
    stem, _, ending = name.partition(".")
    return f"/static/{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"


_FILES: Final = {name: _HERE.joinpath("static", name).read_bytes() for name in _TYPES}
STATIC: Final = {name: _address(name, content) for name, content in _FILES.items()}
"""The address of each file that pages refer to."""


def _texts(language: Language) -> Texts:
    raw = tomllib.loads(_HERE.joinpath("pages/words.toml").read_text(encoding="utf-8"))
    return {
        page: {name: words[language] for name, words in names.items()}
        for page, names in raw.items()
    }


TEXTS: Final[Mapping[Language, Texts]] = {language: _texts(language) for language in LANGUAGES}

_TEMPLATES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("visitsync.web"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals.update(
    vocabulary=VOCABULARY,
    wareki=wareki.wareki,
    era_year=wareki.era_year,
    weekday=wareki.weekday,
    static=STATIC,
)


def render(template: str, language: Language, **values: Any) -> str:  # noqa: ANN401 -- a template's own
    """The page that `template` makes of `values`."""
    everywhere = {"language": language, "t": TEXTS[language], "viewer": None}
    return _TEMPLATES.get_template(template).render({**everywhere, **values})


def page(
    template: str,
    language: Language,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,  # noqa: ANN401 -- a template's own
) -> web.Response:
    """The page as a response."""
    return web.Response(
        status=status,
        text=render(template, language, **values),
        content_type="text/html",
        charset="utf-8",
        headers={**(headers or {}), "Content-Language": language},
    )


async def static(request: web.Request) -> web.Response:
    """A file that pages refer to."""
    name = next(name for name, address in STATIC.items() if address == request.path)
    return web.Response(
        body=_FILES[name],
        content_type=_TYPES[name],
        charset="utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
