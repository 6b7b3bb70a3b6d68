"""A first mapping, guessed from the headers of a file and the shapes of its values; every guess is marked.

It reads, it does not know: what it could not guess stands there as a line to be filled in, and until that is done the
mapping is refused with what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from commands.sheets.bounds import SheetTrouble
from commands.sheets.guess_words import FACTS, FIELDS, SHAPES, WORDS, Kind
from commands.sheets.mapping import MappingOf
from commands.sheets.reading import Sheet, opened, sheets_of

SAMPLE_ROWS: Final = 200
MOST_VALUES: Final = 12
"""Of a column whose values get a table."""
_WHO: Final = re.compile(r"\b(?:mrn|episode|account|acct|chart|patient (?:id|no|number|#)|patient|pt)\b")
_KEY: Final = re.compile(r"#|\b(?:no|number|id|key|ticket|delivery|plan|stay|claim|rx|order)\b")
_MARK: Final = "  # guess"
_SEVERAL: Final = re.compile(r"[;|]")


class Column(NamedTuple):
    """A column by its header, and the values it has in the first rows."""

    header: str
    values: tuple[str, ...]

    @property
    def words(self) -> str:
        """Its header as plain words."""
        return re.sub(r"[^a-z0-9#]+", " ", self.header.lower()).strip()

    def looks_like(self, shape: str) -> bool:
        """Whether almost all its values have a shape."""
        fits = SHAPES[shape]
        return bool(self.values) and sum(map(fits, self.values)) >= 0.9 * len(self.values)


class Guess(NamedTuple):
    """A field, and the column it is taken from, if one was found."""

    field: str
    column: Column | None
    required: bool


def columns_of(mapping: MappingOf) -> dict[str, str]:
    """The columns of a mapping's sheets, with what belongs in each."""
    return {name: about for sheet in mapping.sheets for name, about in sheet.columns.items()}


def new_map(paths: Sequence[Path]) -> str:
    """A mapping for the sheets of some files, as TOML; SheetTrouble if one cannot be read."""
    sheets = [(sheet, _columns(sheet)) for path in paths for sheet in sheets_of(path)]
    tables: dict[str, dict[str, str]] = {}
    parts = [part for sheet, columns in sheets for part in _sheet_lines(sheet, columns, tables)]
    who = next((found for _, columns in sheets if (found := _find(columns, _WHO))), None)
    lines = [
        '# A first mapping. Lines marked "guess" were guessed from headers and values: look at each of them.',
        "# Lines with ??? are to be filled in. 'episode-ledger help mapping' explains all keys.",
        f'source = "{_word(paths[0].stem)}"{_MARK}: the system that the rows come from',
        f'episode = "EP-{{{who.header}}}"{_MARK}' if who else '# episode = "EP-{???}"',
        '# zone = "???"  # where times of day are local, such as America/Chicago',
        f'dates = "{_dates(sheets)}"{_MARK}',
        "",
    ]
    for name, values in tables.items():
        what = f"{_MARK}: its id in the book" if name == "payers" else _MARK
        lines += [
            f"[tables.{name}]",
            *(f"{_quoted(key)} = {_quoted(value)}{what}" for key, value in values.items()),
            "",
        ]
    return "\n".join([*lines, *parts])


def _columns(sheet: Sheet) -> list[Column]:
    with opened(sheet) as found:
        rows = [row.cells for _, row in zip(range(SAMPLE_ROWS), found.rows, strict=False) if row.fault is None]
        if not found.header:
            raise SheetTrouble(f"{sheet.label}: has no row of headers")
        return [
            Column(header, tuple(cell.strip() for cells in rows if (cell := cells[place]).strip()))
            for place, header in enumerate(found.header)
            if header
        ]


def _dates(sheets: Sequence[tuple[Sheet, list[Column]]]) -> str:
    """The form of dates: with a first number above 12 it is the day's."""
    values = [value for _, columns in sheets for column in columns for value in column.values]
    slashed = [match for value in values if (match := re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}\b", value))]
    day_first = any(int(match[1]) > 12 for match in slashed) and all(int(match[2]) <= 12 for match in slashed)
    if not slashed and any(column.looks_like("compact date") for _, columns in sheets for column in columns):
        return "yyyymmdd"
    return "day/month/year" if day_first else "month/day/year"


def _sheet_lines(sheet: Sheet, columns: list[Column], tables: dict[str, dict[str, str]]) -> Iterator[str]:
    yield "[[sheets]]"
    yield f"of = {_quoted(sheet.name)}"
    yield ""
    kinds = [kind for kind in FACTS if _fits(kind, columns)]
    told = [line for kind in kinds for line in _fact_lines(kind, _guesses(kind, columns), columns, tables)]
    yield from told
    unused = [column.header for column in columns if not any(f"{column.header}" in line for line in told)]
    if unused:
        yield f"# Nothing is taken from the columns {', '.join(unused)}."
        yield ""
    if not kinds:
        yield "# No fact was recognized. 'episode-ledger help events' lists all of them with their fields; for example:"
        yield "# [[sheets.facts]]"
        yield '# type = "???"'
        yield '# id = "{???}"'
        yield "# [sheets.facts.fields]"
        yield ""


def _fits(kind: Kind, columns: list[Column]) -> bool:
    """Whether a sheet seems to tell a kind of fact: the columns that tell it from others are there."""
    found = {guess.field for guess in _guesses(kind, columns) if guess.column}
    beside = kind.beside is None or any(re.search(kind.beside, column.words) for column in columns)
    return beside and kind.telling <= found


def _guesses(kind: Kind, columns: list[Column]) -> list[Guess]:
    """Each field with the column that fits it best; a column serves one field of a fact."""
    left, found = list(columns), []
    for field, required in kind.fields.items():
        best = max(left, key=lambda column: _score(kind, field, column), default=None)
        column = best if best is not None and _score(kind, field, best) > 0 else None
        if column is not None:
            left.remove(column)
        found.append(Guess(field, column, required))
    return found


def _score(kind: Kind, field: str, column: Column) -> int:
    """How well a column fits a field: by the words of its header, then by its values."""
    words = WORDS.get(f"{kind.type}.{field}") or WORDS.get(field, ())
    place = next((place for place, word in enumerate(words) if re.search(word, column.words)), None)
    shape = FIELDS.get(f"{kind.type}.{field}") or FIELDS.get(field)
    if shape and column.values and not column.looks_like(shape):
        return 0
    if place is not None:
        return 100 - place
    alike = shape in ("ndc", "icd10") and column.values and not column.looks_like("hcpcs")
    return 1 if alike else 0


def _fact_lines(
    kind: Kind, guesses: list[Guess], columns: list[Column], tables: dict[str, dict[str, str]]
) -> Iterator[str]:
    several = next((guess.column for guess in guesses if guess.field == kind.several and guess.column), None)
    is_list = several is not None and any(map(_SEVERAL.search, several.values))
    yield "[[sheets.facts]]"
    yield f'type = "{kind.type}"{_MARK}'
    yield _id_line(kind, guesses, columns, several if is_list else None)
    status = next((column for column in columns if column.words == "status"), None)
    if kind.confirmed and status and status.values:
        confirmed = max(set(status.values), key=status.values.count)
        yield f"when = {{ {_quoted(status.header)} = {_quoted(confirmed)} }}{_MARK}: the value that means it happened"
    if several is not None and is_list:
        yield f"for_each = {_quoted(several.header)}{_MARK}: several values in a cell"
        yield f'split = "{next(found[0] for value in several.values if (found := _SEVERAL.search(value)))}"{_MARK}'
    yield "[sheets.facts.fields]"
    for guess in guesses:
        yield from _field_lines(kind, guess, several if is_list else None, tables)
    yield ""


def _id_line(kind: Kind, guesses: list[Guess], columns: list[Column], several: Column | None) -> str:
    """What tells the rows apart: a column of numbers that are all different, else the date."""
    note = f"{_MARK}: tells its rows apart, in every export alike"
    if several is not None:
        return f'id = "{kind.stem}{{number}}"{note}'
    if kind.once:
        return f'id = "{kind.stem}"{note}'
    keys = [column for column in columns if _KEY.search(column.words) and _all_differ(column)]
    if keys:
        return f'id = "{kind.stem}/{{{keys[0].header}}}"{note}'
    date = next((guess.column for guess in guesses if guess.field in ("date", "from", "at") and guess.column), None)
    return f'id = "{kind.stem}-{{{date.header}|date}}"{note}' if date else f'# id = "{kind.stem}-{{???}}"'


def _all_differ(column: Column) -> bool:
    return len(set(column.values)) == len(column.values) > 0


def _field_lines(kind: Kind, guess: Guess, several: Column | None, tables: dict[str, dict[str, str]]) -> Iterator[str]:
    if guess.column is None:
        if guess.required:
            yield f'# {guess.field} = "???"'
        return
    header = "each" if guess.column is several else guess.column.header
    words = kind.words.get(guess.field)
    values = sorted(set(guess.column.values))
    if words is None or len(values) > MOST_VALUES:
        yield f'{guess.field} = "{{{header}}}"{_MARK}'
        return
    name = {"payer": "payers", "mode": "modes", "unit": "units"}.get(guess.field, guess.field)
    table = tables.setdefault(name, {})
    for value in values:
        table.setdefault(value, _meant(value, words))
    yield f'{guess.field} = {{ text = "{{{header}}}", table = "{name}" }}{_MARK}'


def _meant(value: str, words: tuple[str, ...]) -> str:
    """The word that a value stands for: the one that begins or goes on like it; else itself, in small letters."""
    bare = re.sub(r"[^a-z0-9]", "", value.lower())
    exact = {"ea": "UN", "each": "UN", "gm": "GR", "mg": "ME"}.get(bare)
    if exact in words:
        return str(exact)
    found = [word for word in words if word.lower().startswith(bare) or bare in word.lower().replace("_", "")]
    return found[0] if found and bare else _word(value)


def _find(columns: Sequence[Column], pattern: re.Pattern[str]) -> Column | None:
    return next((column for column in columns if pattern.search(column.words)), None)


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "sheet"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
