"""The fields of forms as browsers send them, bounded before they are read."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import parse_qs

from starlette.requests import Request

from commands.web.site import Refused

Fields = dict[str, str]


class Bounds(NamedTuple):
    """How long a form may be, and how many fields it may have."""

    most_bytes: int
    most_fields: int


SHORT: Final = Bounds(4096, 8)
"""A search, a sign-in."""


async def fields_of(request: Request, bounds: Bounds) -> Fields:
    """The fields of a form; of one given more than once, the last."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > bounds.most_bytes:
            raise Refused(413, "Too long", "This form is shorter.")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=bounds.most_fields, errors="strict")
    except ValueError:
        raise Refused(400, "Not understood", "The form could not be read.") from None
    return {name: values[-1] for name, values in fields.items()}
