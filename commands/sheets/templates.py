"""Texts with cells in them: ``E-{MRN}``, ``{Visit Date} {Start}``, ``pain-{Assessed|date}``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

EACH: Final = "each"
NUMBER: Final = "number"
"""What stands in braces for one of several values in a cell, and for its number among them, from 1."""

_BRACED = re.compile(r"\{([^{}]*)\}")


class Piece(NamedTuple):
    """A stretch of plain text, or the cell under a header, as it is or through a ``filter``."""

    text: str = ""
    header: str | None = None
    filter: str | None = None


class Template(NamedTuple):
    """A text with cells in it."""

    pieces: tuple[Piece, ...]

    @property
    def headers(self) -> list[str]:
        """The headers it names."""
        return [piece.header for piece in self.pieces if piece.header is not None]


def parse(text: str) -> Template:
    """The template of a text; ValueError that says what is wrong with it."""
    pieces, place = [], 0
    for match in _BRACED.finditer(text):
        if plain := text[place : match.start()]:
            pieces.append(Piece(plain))
        header, _, chosen = match[1].rpartition("|") if "|" in match[1] else (match[1], "", "")
        if not header.strip():
            raise ValueError("names no column between { and }")
        pieces.append(Piece("", tidy(header), chosen.strip() or None))
        place = match.end()
    if plain := text[place:]:
        pieces.append(Piece(plain))
    if any("{" in piece.text or "}" in piece.text for piece in pieces):
        raise ValueError("has a { or } without its other half")
    return Template(tuple(pieces))


def tidy(header: str) -> str:
    """A header without blanks around it and with single ones in it."""
    return " ".join(header.split())


def pattern_of(template: Template) -> re.Pattern[str]:
    """What the texts that it makes look like."""
    pieces = ("(?:.*)" if piece.header is not None else re.escape(piece.text) for piece in template.pieces)
    return re.compile("".join(pieces) + r"\Z", re.DOTALL)
