"""What the read model keeps for the desk: the rows of the work list, what colleagues decided about them, and numbers
by which an episode is looked for.

Tables of their own, which no rebuild fills and no fingerprint covers. The rows of a patient are worked out when the
list is first asked for and let go when the patient changes; so they need no clock: what is due is a date, not a state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from projections.read_model.views import Views

MADE_BY: Final = "work"
"""The note that says which version of the program worked the rows out."""
ACTS_READ: Final = "work acts"
"""The note that says up to which act of the house the decisions were read."""


class WorkItem(msgspec.Struct, frozen=True, gc=False):
    """A row of open work: a stretch of days of one episode with one thing to do, what is at stake and until when.

    ``kind`` is ``stops`` or ``warning`` (findings by stretch), ``hold`` or ``to_bill``; ``work`` the rule, the reason
    or ``to_bill``. ``due`` is empty where money is to be given back and no date is set, None where nothing is known.
    """

    patient: str
    episode: str
    kind: str
    work: str
    payer: str | None
    claim: str | None
    first_date: str
    last_date: str
    days: int
    cents: int | None
    due: str | None
    says: str


COLUMNS: Final = WorkItem.__struct_fields__

_LAID: Final = (
    'CREATE TABLE IF NOT EXISTS "work" (patient TEXT NOT NULL, episode TEXT NOT NULL, kind TEXT NOT NULL,'
    " work TEXT NOT NULL, payer TEXT, claim TEXT, first_date TEXT NOT NULL, last_date TEXT NOT NULL,"
    " days INTEGER NOT NULL, cents INTEGER, due TEXT, says TEXT NOT NULL) STRICT",
    'CREATE INDEX IF NOT EXISTS "work_by_patient" ON "work" (patient)',
    'CREATE INDEX IF NOT EXISTS "work_by_episode" ON "work" (episode)',
    'CREATE TABLE IF NOT EXISTS "found_by" (patient TEXT NOT NULL, episode TEXT NOT NULL, word TEXT NOT NULL,'
    " number TEXT NOT NULL) STRICT",
    'CREATE INDEX IF NOT EXISTS "found_by_patient" ON "found_by" (patient)',
    'CREATE TABLE IF NOT EXISTS "worked" (patient TEXT PRIMARY KEY, is_whole INTEGER NOT NULL) STRICT',
    'CREATE TABLE IF NOT EXISTS "work_state" (episode TEXT NOT NULL, work TEXT NOT NULL, owner TEXT NOT NULL,'
    " done_until TEXT NOT NULL, note TEXT NOT NULL, notes INTEGER NOT NULL, by TEXT NOT NULL, at TEXT NOT NULL,"
    " PRIMARY KEY (episode, work)) STRICT",
)


_OF_PATIENTS: Final = ("work", "found_by", "worked")


class WorkState(NamedTuple):
    """What colleagues decided about a piece of work: whose it is, until when it is done, the last of its notes; and who
    decided last, when."""

    episode: str
    work: str
    owner: str = ""
    done_until: str = ""
    note: str = ""
    notes: int = 0
    by: str = ""
    at: str = ""


class NumberNamed(NamedTuple):
    """A number that a live record of an episode names; ``word`` is claim, authorization, order or member."""

    patient: str
    episode: str
    word: str
    number: str


class WorkedOut(NamedTuple):
    """The open work of one patient, and the numbers; None where an entry cannot be read."""

    patient: str
    items: Sequence[WorkItem] | None
    numbers: Sequence[NumberNamed] = ()


def unworked(views: Views, made_by: str) -> list[str]:
    """The patients whose open work was not worked out by this version of the program since they changed."""
    every = "SELECT patient FROM digests WHERE patient <> ''"
    if views.noted().get(MADE_BY) == made_by and views.has("worked"):
        every += " AND patient NOT IN (SELECT patient FROM worked)"
    return [name for (name,) in views.connection.execute(f"{every} ORDER BY 1")]


def keep_items(views: Views, made_by: str, as_of: dict[str, str], found: Iterable[WorkedOut]) -> bool:
    """Keep what was worked out of a read model that noted this of itself; False, and nothing, if it notes another
    thing by now."""
    with views.writing():
        noted = views.noted()
        if not as_of.items() <= noted.items():
            return False
        _lay(views)
        if noted.get(MADE_BY) != made_by:
            for table in _OF_PATIENTS:
                views.connection.execute(f'DELETE FROM "{table}"')
        for patient, items, numbers in found:
            for table in _OF_PATIENTS:
                views.connection.execute(f'DELETE FROM "{table}" WHERE patient = ?', (patient,))
            is_whole = items is not None
            views.connection.execute('INSERT INTO "worked" VALUES (?, ?)', (patient, is_whole))
            views.connection.executemany('INSERT INTO "found_by" VALUES (?, ?, ?, ?)', numbers)
            cells = map(msgspec.structs.astuple, items or ())
            views.connection.executemany(f'INSERT INTO "work" VALUES ({", ".join("?" * len(COLUMNS))})', cells)
        views.note(**{MADE_BY: made_by})
    return True


def not_worked_out(views: Views) -> int:
    """Of how many patients the open work could not be worked out."""
    if not views.has("worked"):
        return 0
    (count,) = views.connection.execute('SELECT count(*) FROM "worked" WHERE is_whole = 0').fetchone()
    return int(count)


def _lay(views: Views) -> None:
    for statement in _LAID:
        views.connection.execute(statement)


def acts_read(views: Views) -> int:
    """The version of the last act of the house whose decision is kept."""
    return int(views.noted().get(ACTS_READ, "0")) if views.has("work_state") else 0


def states_of(views: Views, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], WorkState]:
    """What is kept of some pieces of work, by episode and work."""
    if not views.has("work_state"):
        return {}
    found = {}
    for place in places:
        row = views.connection.execute("SELECT * FROM work_state WHERE episode = ? AND work = ?", place).fetchone()
        if row:
            found[place] = WorkState(*row)
    return found


def keep_states(views: Views, after: int, upto: int, states: Iterable[WorkState]) -> None:
    """Keep decisions read after an act of the house up to another; nothing if others were kept meanwhile."""
    with views.writing():
        _lay(views)
        if acts_read(views) == after:
            values = f"({', '.join('?' * len(WorkState._fields))})"
            views.connection.executemany(f"INSERT OR REPLACE INTO work_state VALUES {values}", states)
            views.note(**{ACTS_READ: str(upto)})
