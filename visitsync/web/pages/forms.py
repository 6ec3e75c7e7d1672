"""Reading a form that one of our pages sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from visitsync.errors import BadParameter, UnsupportedMediaType
from visitsync.web import body
from visitsync.web.pages import origin

_TYPE: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 20


async def read(request: web.Request, names: frozenset[str]) -> Mapping[str, str]:
    """The fields of a form, trimmed; empty ones are left out.

    Raises:
        NotAllowed: the form did not stand on a page of ours.
        BadParameter: it has a field that is not in `names`, or one twice.
    """
    origin.require_own(request)
    if request.content_type != _TYPE:
        raise UnsupportedMediaType(
            "A form is sent as such", where="Content-Type", accepted=(_TYPE,)
        )
    content = await body.read(request, most=request.app[body.LIMITS].small_body_bytes)
    try:
        pairs = parse_qsl(
            content.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(content),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise BadParameter("The form cannot be read", where="body") from None
    fields = dict(pairs)
    if len(fields) != len(pairs) or not names.issuperset(fields):
        raise BadParameter("The form has a field twice or one that is not its own", where="body")
    return {name: value.strip() for name, value in fields.items() if value.strip()}
