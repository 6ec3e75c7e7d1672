"""Reading a JSON body as one of our forms."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
from aiohttp import web

from visitsync.errors import BadJson, BadParameter, UnsupportedMediaType
from visitsync.schema import strict_json
from visitsync.web import body

T = TypeVar("T", bound=msgspec.Struct)

JSON: Final = "application/json"


_PLACE: Final = re.compile(r"`\$\.([^`.\[]+)")
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")


async def read_as(
    request: web.Request, form: type[T], *, empty: bool = False, most: int | None = None
) -> T:
    """The body of `request`.

    Args:
        request: whose body nobody has read yet.
        form: what it must be.
        empty: whether no body at all stands for one that says nothing.
        most: bytes; None: as many as a small body may have.

    Raises:
        UnsupportedMediaType, BadJson, BadParameter: what the caller must mend; never says what
            stood there.
    """
    limits = request.app[body.LIMITS]
    content = await body.read(request, most=limits.small_body_bytes if most is None else most)
    if empty and not content:
        content = b"{}"
    elif request.content_type != JSON:
        raise UnsupportedMediaType("The body is JSON", where="Content-Type", accepted=(JSON,))
    try:
        return msgspec.convert(strict_json.loads(content), form)
    except strict_json.NotStrictJson as error:
        raise BadJson("The body is no strict JSON", where=error.reason) from None
    except msgspec.ValidationError as error:
        raise BadParameter("The body is not of its form", where=_where(error, form)) from None


def _where(error: msgspec.ValidationError, form: type) -> str:
    """The member to mend; never what the body calls one that there is not."""
    found = _PLACE.search(str(error)) or _MISSING.search(str(error))
    known = {one.encode_name for one in msgspec.structs.fields(form)}
    return found[1] if found is not None and found[1] in known else "body"
