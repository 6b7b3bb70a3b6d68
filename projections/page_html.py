"""The page of an episode as one HTML file that needs nothing else: no script, no picture, no address outside itself.

Whatever was told is escaped, isolated from the direction of the text around it, and freed from marks that nobody sees.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from projections.page import Page

_TEMPLATES: Final = Path(__file__).parent / "templates"


def render_page(page: Page) -> str:
    """The page as HTML; the same page always as the same text."""
    style = (_TEMPLATES / "episode.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return _template().render(page=page, style=style, style_hash=f"sha256-{digest}")


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"seen": seen, "money": money, "moment": moment, "counted": counted}
    return environment.get_template("episode.html")


def seen(text: str) -> str:
    """Text in which nothing hides: a mark that is not printed, or turns the writing around, is named instead."""
    return "".join(mark if mark.isprintable() else f"⟨U+{ord(mark):04X}⟩" for mark in text)


def money(cents: int) -> str:
    """Whole cents as dollars."""
    return f"{'−' if cents < 0 else ''}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def moment(instant: str) -> str:
    """An instant as a person reads it, to the second."""
    return f"{instant[:10]} {instant[11:19].rstrip('Z')} UTC"


def counted(number: int, what: str) -> str:
    """A number of things: ``1 day``, ``1,200 days``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
