"""The page of an episode as one HTML file that needs nothing else: no script, no picture, no address outside itself.

Whatever was told is escaped, isolated from the direction of the text around it, and freed from marks that nobody sees.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Template

from projections.page.page import Page
from projections.rendering import TEMPLATES, environment, styled


def render_page(page: Page) -> str:
    """The page as HTML; the same page always as the same text."""
    return _template().render(page=page, **styled("episode.css"))


@cache
def _template() -> Template:
    return environment(TEMPLATES).get_template("episode.html")
