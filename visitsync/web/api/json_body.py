"""Reading a small JSON body as one of our forms."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from aiohttp import web

from visitsync.errors import BadJson, BadParameter, UnsupportedMediaType
from visitsync.schema import strict_json
from visitsync.web import body

T = TypeVar("T", bound=msgspec.Struct)

JSON: Final = "application/json"


async def read_as(request: web.Request, form: type[T], *, empty: bool = False) -> T:
    """The body of `request`.

    Args:
        request: whose body nobody has read yet.
        form: what it must be.
        empty: whether no body at all stands for one that says nothing.

    Raises:
        UnsupportedMediaType, BadJson, BadParameter: what the caller must mend; never says what
            stood there.
    """
    content = await body.read(request, most=request.app[body.LIMITS].small_body_bytes)
    if empty and not content:
        content = b"{}"
    elif request.content_type != JSON:
        raise UnsupportedMediaType("The body is JSON", where="Content-Type", accepted=(JSON,))
    try:
        return msgspec.convert(strict_json.loads(content), form)
    except strict_json.NotStrictJson as error:
        raise BadJson("The body is no strict JSON", where=error.reason) from None
    except msgspec.ValidationError as error:
        names = [one.encode_name for one in msgspec.structs.fields(form)]
        where = next((one for one in names if f"`{one}`" in str(error)), None)
        where = where or next((one for one in names if f"$.{one}" in str(error)), "body")
        raise BadParameter("The body is not of its form", where=where) from None
