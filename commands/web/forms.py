"""The fields of forms as browsers send them, bounded before they are read; files that are sent are in memory alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from commands.desk.fields import MOST_ROWS
from commands.desk.uploads import MOST_BYTES, Upload
from commands.web.guard.sessions import Session
from commands.web.site import Refused, Site

Fields = dict[str, str]


class Bounds(NamedTuple):
    """How long a form may be, and how many fields it may have."""

    most_bytes: int
    most_fields: int
    files: bool = False


SHORT: Final = Bounds(4096, 8)
"""A search, a sign-in."""
FACT: Final = Bounds(512 * 1024, 80 * MOST_ROWS)
"""A fact, be it a remittance of fifty lines, each with its adjustments."""
FILES: Final = Bounds(MOST_BYTES + 64 * 1024, 16, files=True)
"""A spreadsheet with its mapping."""
MOST_WITHOUT_FILES: Final = 64 * 1024
"""Of a form that may bring files and comes without any."""
_MULTIPART: Final = b"multipart/form-data"


async def body_of(request: Request, bounds: Bounds, arriving: Callable[[int], None]) -> bytes:
    """A form as it was sent; ``arriving`` is told of each part as it comes, and may refuse it."""
    has_files, body = bounds.files and _kind_of(request)[0] == _MULTIPART, bytearray()
    most = bounds.most_bytes if has_files or not bounds.files else MOST_WITHOUT_FILES
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Refused(413, "Too long", "A file has 20 MB at most." if has_files else "This form is shorter.")
        arriving(len(part))
    return bytes(body)


def fields_of(site: Site, request: Request, body: bytes, bounds: Bounds) -> Fields:
    """The fields of a form, of one given more than once the last; a file's value is what it is kept under."""
    kind, options = _kind_of(request)
    try:
        if kind == _MULTIPART and bounds.files:
            return _of_parts(site, request.scope["session"], body, options.get(b"boundary", b""), bounds)
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=bounds.most_fields, errors="strict")
    except (ValueError, FormParserError):
        raise Refused(400, "Not understood", "The form could not be read.") from None
    return {name: values[-1] for name, values in fields.items()}


def _kind_of(request: Request) -> tuple[bytes, dict[bytes, bytes]]:
    return parse_options_header(request.headers.get("content-type", ""))


class _Parts:
    """What a parser calls while it reads."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self.parts: list[tuple[dict[bytes, bytes], bytearray]] = []
        self._name = self._value = b""
        self._headers: dict[bytes, bytes] = {}

    def begin(self) -> None:
        """A part begins."""
        if len(self.parts) >= self._at_most:
            raise ValueError  # each costs far more than the few bytes it has
        self._headers = {}
        self.parts.append((self._headers, bytearray()))

    def name(self, data: bytes, start: int, end: int) -> None:
        """Some of a header's name."""
        self._name += data[start:end]

    def value(self, data: bytes, start: int, end: int) -> None:
        """Some of its value."""
        self._value += data[start:end]

    def header(self) -> None:
        """A header is whole."""
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        """Some of what the part holds."""
        self.parts[-1][1].extend(data[start:end])


def _of_parts(site: Site, session: Session | None, body: bytes, boundary: bytes, bounds: Bounds) -> Fields:
    if session is None or not boundary:
        raise ValueError
    found = _Parts(bounds.most_fields)
    parser = MultipartParser(
        boundary,
        {"on_part_begin": found.begin, "on_header_field": found.name, "on_header_value": found.value,
         "on_header_end": found.header, "on_part_data": found.data},
    )  # fmt: skip
    parser.write(body)
    parser.finalize()
    fields: Fields = {}
    for headers, content in found.parts:
        _, options = parse_options_header(headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode()
        if b"filename" not in options:
            fields[name] = content.decode()
        elif content:  # a browser sends a file that was not chosen as an empty one
            sent = options[b"filename"].decode(errors="replace")
            fields[name] = site.uploads.keep(Upload(session.name, sent, bytes(content), session.user))
    return fields
