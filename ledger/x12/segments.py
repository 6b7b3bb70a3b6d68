"""TEMPORARY until the shared tokenizer is merged."""

from __future__ import annotations

from collections.abc import Iterator


class Unreadable(Exception):
    """It is no X12 file."""


def segments_of(content: bytes) -> Iterator[list[str]]:
    text = content.decode("latin-1")
    el, seg = text[3], text[105]
    for each in text.split(seg):
        each = each.strip("\r\n")
        if each:
            yield each.split(el)
