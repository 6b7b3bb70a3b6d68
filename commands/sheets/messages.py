"""A refusal of a line, told of the row and the columns that the line was made from."""

from __future__ import annotations

import re
from typing import Final

from commands.sheets.mapped import Place

_LINE = re.compile(r"line [0-9]+: ")
_PATH = re.compile(r"([A-Za-z_.\[\]0-9]+|\(a field name that is not shown\)): ")
_INDEX = re.compile(r"\[[0-9]+\]")

_ADVICE: Final = (
    ("Correct the field and send the line again.", "Correct the row and import it again."),
    ("Correct the line and send it again.", "Correct the row and import it again."),
    ("send the line again", "import the row again"),
    ("Send its EpisodeOpened first, then this line again.", "Import the patients first, then this row again."),
    ("Send it again when", "Import it again when"),
)


def of_the_row(place: Place, message: str) -> str:
    """The message of a refused line, with file, sheet, row and columns in place of line and field."""
    text = _LINE.sub("", message, count=1)
    if path := _PATH.match(text):
        text = f"{_columns_of(place, _INDEX.sub('', path[1]))}: {text[path.end() :]}"
    for said, instead in _ADVICE:
        text = text.replace(said, instead)
    return place.says(text)


def _columns_of(place: Place, path: str) -> str:
    """The columns that a field is made from; the field, if it is made from none."""
    columns = place.fact.columns if place.fact else {}
    while path and path not in columns:
        path = path.rpartition(".")[0]
    shown = columns.get(path)
    if place.fact is None or shown is None:
        return place.fact.type if place.fact else "the row"
    return f"{path.rpartition('.')[2]} of the mapping" if shown == "the mapping" else shown
