"""How pages are made of templates: always escaped, nothing undefined, the style inside and known by its hash.

Whatever was told is shown so that nothing in it hides.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from projections.words import COUNTED, REASONS, counted, listed, moment, money

TEMPLATES: Final = Path(__file__).parent / "templates"


def environment(folder: Path) -> Environment:
    """The templates of a folder, and behind them those that all pages share (charts), with the words that every page
    has for numbers and instants."""
    made = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    made.filters |= {"seen": seen, "money": money, "moment": moment, "counted": counted}
    made.filters |= {"counting": COUNTED.__getitem__, "reason": REASONS.__getitem__, "listed": listed}
    return made


def styled(*names: str) -> dict[str, str]:
    """The style of a page that stands alone, from these files, and the hash by which the page allows it."""
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return {"style": style, "style_hash": f"sha256-{digest}"}


def seen(text: str) -> str:
    """Text in which nothing hides: a mark that is not printed, or turns the writing around, is named instead."""
    return "".join(mark if mark.isprintable() else f"⟨U+{ord(mark):04X}⟩" for mark in text)
