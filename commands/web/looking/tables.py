"""Tables of the site: put in order by their headings, a page at a time, and as a CSV of exactly what is shown.

Order and page stand in the address, so that a table can be kept as a link; no patient's data ever does.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from commands.terminal.show import safe_cell
from commands.web.site import Refused, Site, page_number
from projections.words import amount

ROWS_A_PAGE: Final = 50
CellKind = Literal["text", "date", "number", "money", "episode", "episode_at", "moment", "words", "payer", "mend"]
"""How a cell is shown: ``words`` are the program's own, ``text`` somebody's; an ``episode_at`` is opened
at the row's first date, and ``mend`` are links to what mends it."""


class Column(NamedTuple):
    """A column: the attribute of the row, which is also how the address names it, its heading, and how it is shown."""

    name: str
    title: str
    kind: CellKind = "text"

    @property
    def is_number(self) -> bool:
        """Whether it stands at the right."""
        return self.kind in ("number", "money")


class Order(NamedTuple):
    """In what order a table is asked for, and whether the other way round than usual."""

    name: str
    is_turned: bool


class Asked:
    """What an address asks of a table: filters, order, page, and whether as CSV."""

    def __init__(self, request: Request, orders: Iterable[str], filters: Iterable[str] = (), usual: str = "") -> None:
        query, orders = request.query_params, list(orders)
        self.filters: Mapping[str, str] = {name: query[name] for name in filters if query.get(name)}
        self.page, self.usual = page_number(request), usual or orders[0]
        self.order = Order(query.get("sort") or self.usual, query.get("turned") == "1")
        self.is_csv = _is_csv(request)
        if self.order.name not in orders:
            raise Refused(400, "No such order", "The table has no such column to be sorted by.")

    def href(self, **changes: str | None) -> str:
        """The same address with some changes; whatever changes, the first page of it."""
        order = {"sort": self.order.name, "turned": "1" if self.order.is_turned else None}
        asked = {**self.filters, **order, **changes}
        if asked.get("sort") == self.usual:
            asked["sort"] = None
        return f"?{urlencode({name: value for name, value in asked.items() if value})}"

    def by(self, name: str) -> str:
        """The address in the order of a column; the other way round, if it is in that order now."""
        turned = self.order.name == name and not self.order.is_turned
        return self.href(sort=name, turned="1" if turned else None)

    @property
    def query(self) -> str:
        """The query to which a page number can be added."""
        text = self.href()[1:]
        return f"{text}&" if text else ""


class Table(NamedTuple):
    """A table as it is shown: some rows of all, in an order."""

    asked: Asked
    columns: Sequence[Column]
    rows: Sequence[Any]
    total: int

    @property
    def pages(self) -> int:
        """On how many pages it is."""
        return max(1, -(-self.total // ROWS_A_PAGE))


def paged(asked: Asked, columns: Sequence[Column], rows: Iterable[Any]) -> Table:
    """A table of rows that are all there: in the order asked for, the page asked for; all of them as CSV."""
    ordered = in_order(rows, asked.order)
    start = (asked.page - 1) * ROWS_A_PAGE
    return Table(asked, columns, ordered if asked.is_csv else ordered[start : start + ROWS_A_PAGE], len(ordered))


def in_order(rows: Iterable[Any], order: Order) -> list[Any]:
    """Rows by one of their attributes, those without it at the end; ``as_found`` as they came."""
    found = list(rows)
    if order.name == AS_FOUND:
        return found[::-1] if order.is_turned else found
    without = [row for row in found if getattr(row, order.name) is None]
    found = [row for row in found if getattr(row, order.name) is not None]
    return sorted(found, key=lambda row: _key(getattr(row, order.name)), reverse=order.is_turned) + without


AS_FOUND: Final = "as_found"
"""The order in which rows come by themselves."""


def _key(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class CsvAnswer(Response):
    """A CSV, with the episodes it may be about."""

    episodes: Sequence[str] = ()


def listed(page: Callable[[Site, Request], Response]) -> Callable[[Site, Request], Response]:
    """A page that may be asked for as CSV: what is given out of an encrypted ledger is listed before it is given, as
    other files are, so that whoever forgets a patient is told of it."""

    def answer(site: Site, request: Request) -> Response:
        if not _is_csv(request):
            return page(site, request)
        with site.handing_out(request) as notes:
            given = page(site, request)
            if isinstance(given, CsvAnswer):
                notes.content(bytes(given.body), given.episodes)
            return given

    return answer


def _is_csv(request: Request) -> bool:
    return request.query_params.get("as") == "csv"


def _episodes_of(row: Any) -> Sequence[str]:
    several = getattr(row, "episodes", None)  # of a sum it is their number, and names none
    named = several if isinstance(several, tuple | list) else (getattr(row, "episode", None),)
    return [str(episode) for episode in named if episode]


def csv_of(
    site: Site, request: Request, name: str, table: Table, patient_of: Callable[[Any], str | None],
    of_episode: str | None = None, also: Iterable[str] = (),
) -> CsvAnswer:  # fmt: skip
    """All rows of a table as a file for a spreadsheet; whose data it holds is logged before it is given out.

    ``of_episode`` is the episode that all of it is of, and ``also`` are patients of whom it says something, where its
    rows do not say.
    """
    site.record(request, f"{name} csv", [*filter(None, map(patient_of, table.rows)), *also])
    text = io.StringIO()
    writer = csv.writer(text)
    columns = [column for column in table.columns if column.kind != "mend"]
    writer.writerow([column.title for column in columns])
    writer.writerows([_csv_cell(row, column) for column in columns] for row in table.rows)
    headers = {"content-disposition": f'attachment; filename="{name.replace(" ", "-")}.csv"'}
    content = text.getvalue().encode("utf-8", "replace")
    given = CsvAnswer(content, media_type="text/csv; charset=utf-8", headers=headers)
    own = {of_episode} if of_episode else set[str]()
    given.episodes = sorted(own | {episode for row in table.rows for episode in _episodes_of(row)})
    return given


def _csv_cell(row: Any, column: Column) -> str:
    value = getattr(row, column.name)
    if column.kind == "money":
        return "" if value is None else amount(value).replace(",", "")
    return safe_cell(value)
