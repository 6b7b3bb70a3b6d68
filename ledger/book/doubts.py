"""What a file of the book may say and most likely does not mean: it can be used, and somebody should look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, Final

from ledger.book.mistakes import item_name
from ledger.book.tables import PER_DIEM_CODES

LEAST_CENTS: Final = 10_00
MOST_CENTS: Final = 1_000_00
"""What a day of home infusion pays, in any contract that was seen."""
TO_BE_CITED: Final = "TODO: name the document, section and date"
"""What a form writes where a source is still to be cited."""

_NO_CITATION: Final = re.compile(
    r"(todo|tbd|tba|fixme|to be cited)\b.*|(n/?a|none|unknown|source|xx+)?\W*", re.I | re.S
)

_Table = Mapping[str, Any]


def doubts_of(table: _Table, today: date) -> Iterator[str]:
    """Every doubt about one file, on a date; a value that is a mistake in itself is let be."""
    terms, agreements = _listed(table, "terms"), _listed(table, "agreements")
    for key, items in (("terms", terms), ("agreements", agreements), ("codes", _listed(table, "codes"))):
        for number, item in items:
            where = item_name(key, number, item)
            yield from (f"{where}: {doubt}" for doubt in _doubts_of_item(item))
    yield from _out_of_order(terms)
    yield from _run_out([item for _, item in agreements], today)


def _listed(table: _Table, key: str) -> list[tuple[int, _Table]]:
    listed = table.get(key)
    items = enumerate(listed if isinstance(listed, list) else (), 1)
    return [(number, item) for number, item in items if isinstance(item, dict)]


def _doubts_of_item(item: _Table) -> Iterator[str]:
    for key in ("rate_cents", "charge_cents"):
        rates = item.get(key)
        for code, cents in rates.items() if isinstance(rates, dict) else ():
            if code in PER_DIEM_CODES and type(cents) is int and not LEAST_CENTS <= cents <= MOST_CENTS:
                yield f"{key}.{code}: {_not_a_rate(key.removesuffix('_cents'), cents)}"
    source = item.get("source")
    if isinstance(source, str) and source and _NO_CITATION.fullmatch(source.strip()):
        yield "source: cites nothing; name the document, its section and its date"
    published, checked = item.get("published"), item.get("checked")
    if type(published) is type(checked) is date and checked < published:
        yield f"checked: {checked} is before it was published, {published}; compare it with its source"


def _not_a_rate(word: str, cents: int) -> str:
    hint = f"; {word} in whole cents: {cents}.00 is {cents * 100}" if 10 <= cents < LEAST_CENTS else ""
    return f"{cents} is {cents / 100:,.2f} dollars a day; expected 10 to 1,000 dollars{hint}"


def _out_of_order(terms: list[tuple[int, _Table]]) -> Iterator[str]:
    """Editions are read by their dates, whatever their order in the file: out of order, one of the dates is wrong."""
    for (_, before), (number, item) in pairwise(terms):
        first, second = _edition(before), _edition(item)
        if first is not None and second is not None and second < first:
            where = item_name("terms", number, item)
            yield (
                f"{where}: from: out of order: it stands after the edition from {first[0]}, published {first[1]};"
                " check the dates, and put the editions in the order they begin"
            )


def _edition(item: _Table) -> tuple[date, date] | None:
    from_, published = item.get("from"), item.get("published")
    return (from_, published) if type(from_) is type(published) is date else None


def _run_out(agreements: list[_Table], today: date) -> Iterator[str]:
    """Payers with whom no agreement is in force any more, nor will be."""
    last: dict[str, date] = {}
    for item in agreements:
        payer, to = item.get("payer"), item.get("to", date.max)
        if isinstance(payer, str) and type(to) is date:
            last[payer] = max(to, last.get(payer, date.min))
    for payer, to in last.items():
        if to < today:
            yield f"[[agreements]] (payer {payer}): to: ran out on {to}; add the one that follows"
