"""The claimed days of everybody, kept in the read model: worked out once, and again when the patient changes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache, partial
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, Final, TypeVar

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.answers.payments import PaymentRow, PaymentRun
from projections.audit.borne_out import UNASKED, borne_out, told_from
from projections.audit.by_runs import ClaimedRun
from projections.audit.claimed import ClaimsKept, Kept, claims_of
from projections.audit.claimed_rows import ClaimedDay
from projections.read_model.kept_claims import KeptClaims, keep, kept_of, kept_patients, payments_kept
from projections.read_model.version import ROOT, source_digest
from projections.read_model.views import Views
from projections.reading.around import entries_around
from projections.reading.budget import TooCostly
from projections.reading.cohorts import Cohort, cohorts_in, complete
from projections.reading.unjudged import judging
from projections.rows.cells import Cells, json_list
from projections.words import iso

_FEW: Final = 8
"""Of more than one patient in so many, the whole ledger is read in one pass: that is quicker than one by one."""
_AT_ONCE: Final = 2_000
_EPISODE, _DATE, _FILE_BY = map(ClaimedDay.__struct_fields__.index, ("episode", "date", "file_by"))
_LISTS: Final = ClaimedDay.__struct_fields__.index("revealed_by")


@cache
def made_by() -> str:
    """The version of the program that works claims out: another one does it again."""
    return source_digest(ROOT, ["projections/audit", "projections/answers"])


def keep_claimed(ledger: EpisodeLedger, views: Views, book: Book, *, every: bool, progress: Progress = silent) -> None:
    """Work out the claimed days of everybody of whom the read model keeps none, and keep them.

    Whoever cannot be read is left out: who asks for them finds out why. So is everything, if the read model went on
    meanwhile; what is not kept can be worked out again.
    """
    as_of = {key: value for key, value in views.noted().items() if key in _AS_OF}
    upto = int(as_of["position"])
    missing = ledger.patients_since(0, upto) - kept_patients(views, made_by(), every=every) - views.set_aside().keys()
    worked_out = _worked_out(ledger, views, missing, book, upto, every=every, progress=progress)
    held: list[KeptClaims] = []
    for told in worked_out:
        text, payments = packed(told.claimed, told.claimed_runs), packed_payments(told.payments, told.payment_runs)
        held.append(KeptClaims(told.patient, every, text, payments))
        if len(held) == _AT_ONCE:
            if not keep(views, made_by(), as_of, held):
                return
            held.clear()
    if held:
        keep(views, made_by(), as_of, held)


_AS_OF: Final = ("position", "last", "book", "code", "ledger")


def kept_in(views: Views, *, every: bool) -> Kept:
    """What a read model keeps of patients, as long as it is held still."""
    return _kept(views, kept_of, unpacked, every=every)


def cells_kept_in(views: Views) -> Callable[[str], list[Cells] | None]:
    """Every claimed day that is kept, in cells, as long as the read model is held still."""
    return _kept(views, kept_of, unpacked_cells, every=True)


def payments_kept_in(views: Views) -> Callable[[str], list[PaymentRun] | None]:
    """The same of what claimed days were paid."""
    return _kept(views, payments_kept, unpacked_payments, every=False)


_Row = TypeVar("_Row")


def _kept(
    views: Views, text_of: Callable[[Views, str], str | None], rows_of: Callable[[str], list[_Row]], *, every: bool
) -> Callable[[str], list[_Row] | None]:
    names = kept_patients(views, made_by(), every=every)

    def kept(patient: str) -> list[_Row] | None:
        text = text_of(views, patient) if patient in names else None
        return None if text is None else rows_of(text)

    return kept


def _worked_out(
    ledger: EpisodeLedger, views: Views, missing: set[str], book: Book, upto: int, *, every: bool, progress: Progress
) -> Iterator[ClaimsKept]:
    if not missing:
        return
    cohorts = cohorts_in(ledger, upto)
    patients = sum(len(one.patients) for one in cohorts)
    if not every and len(missing) * _FEW >= patients:
        missing = set(missing)
        for done, told in enumerate(borne_out(ledger, views, book, upto, missing, views.set_aside()), 1):
            missing.discard(told.patient)
            yield told
            progress(done, patients)
    if len(missing) * _FEW < patients:
        for done, name in enumerate(sorted(missing), 1):
            try:
                streams = entries_around(ledger, ledger.episodes_of(name), upto)
                yield ClaimsKept(name, [], [], *claims_of(streams, name, book, None, every))
            except UnreadableEntry:
                continue
            progress(done, len(missing))
        return
    cohorts = [one for one in cohorts if not missing.isdisjoint(one.patients)]
    read = complete(ledger, cohorts, upto, unreadable=_left_out, whole=False, without=UNASKED)
    for done, streams in enumerate(read, 1):
        try:
            told_of = judging(streams, partial(told_from, patients=missing, views=views, book=book, every=every))
        except TooCostly:  # whoever asks for them is told
            continue
        yield from told_of
        progress(done, len(cohorts))


def _left_out(cohort: Cohort, error: UnreadableEntry) -> None:
    """Whoever asks for them reads them, and is told."""


def packed(rows: Sequence[ClaimedDay], told: Iterable[ClaimedRun] = ()) -> str:
    """A patient's rows as text: those of neighbouring dates that say the same are one, with the count of dates; and
    others that are runs already."""
    runs: list[list[Any]] = []
    going: dict[tuple[Any, ...], list[Any]] = {}
    for run in chain(map(_packed_run, told), _each_packed(rows)):
        before = going.get(said := tuple(run[2:]))
        if before and before[0] + before[1] == run[0]:
            before[1] += run[1]
        else:
            going[said] = run
            runs.append(run)
    return msgspec.json.encode(runs).decode()


def _each_packed(rows: Iterable[ClaimedDay]) -> Iterator[list[Any]]:
    place, last = 0, None
    for row in rows:
        place = place + 1 if (row.episode, row.date) == last else 0
        last = row.episode, row.date
        yield _packed_run(ClaimedRun(row, 1), place)


def _packed_run(run: ClaimedRun, place: int = 0) -> list[Any]:
    """The first date, how many, which of the rows of its date it is, when it is due, and what it says."""
    cells, on = list(msgspec.structs.astuple(run.row)), date.fromisoformat(run.row.date).toordinal()
    due = date.fromisoformat(run.row.file_by).toordinal() - on if run.row.file_by else None
    cells[_DATE] = cells[_FILE_BY] = None
    return [on, run.days, place, due, *cells]


def unpacked(text: str) -> list[ClaimedDay]:
    """The rows of a text, by episode and date, as they were."""
    found: list[tuple[str, int, int, ClaimedDay]] = []
    for first, count, place, due, *cells in msgspec.json.decode(text):
        cells[_LISTS] = tuple(cells[_LISTS])
        for on in range(first, first + count):
            cells[_DATE], cells[_FILE_BY] = iso(on), None if due is None else iso(on + due)
            row = ClaimedDay(*cells)
            found.append((row.episode, on, place, row))
    found.sort(key=_in_order)
    return [row for _, _, _, row in found]


def unpacked_cells(text: str) -> list[Cells]:
    """The same in cells: lists as JSON, then the number that a row has among those of its date, and for how many days
    of a month it stands; where two share a date, each for one."""
    runs = msgspec.json.decode(text)
    spans = sorted((cells[_EPISODE], first, first + count) for first, count, _, _, *cells in runs)
    alone = any(one[0] == other[0] and one[2] > other[1] for one, other in pairwise(spans))
    found: list[tuple[str, int, int, Cells]] = []
    for first, count, place, due, *cells in runs:
        cells[_LISTS] = json_list(cells[_LISTS])
        for on, days in _by_month(first, count, 1 if alone else count):
            cells[_DATE], cells[_FILE_BY] = iso(on), None if due is None else iso(on + due)
            found.append((cells[_EPISODE], on, place, (*cells, place + 1, days)))
    found.sort(key=_in_order)
    return [row for _, _, _, row in found]


def _by_month(first: int, count: int, most: int) -> Iterator[tuple[int, int]]:
    """Dates that follow each other, in parts of so many at most that lie in one month: their first, and how many."""
    end = first + count
    while first < end:
        on = date.fromordinal(first)
        days = min(most, end - first, monthrange(on.year, on.month)[1] - on.day + 1)
        yield first, days
        first += days


_in_order: Final = itemgetter(0, 1, 2)

_PAYMENT_DATE, _REASONS = (PaymentRow.__struct_fields__.index(name) for name in ("date", "reasons"))


def packed_payments(rows: Sequence[PaymentRow], told: Iterable[PaymentRun] = ()) -> str:
    """A patient's payments as text: neighbouring dates of a claim that say the same are one run of so many; and others
    that are runs already."""
    runs = [_packed_payment(run) for run in told]
    going: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        run = _packed_payment(PaymentRun(row, 1))
        before = going.get(tuple(run[2:]))
        if before and before[0] + before[1] == run[0]:
            before[1] += 1
        else:
            going[tuple(run[2:])] = run
            runs.append(run)
    return msgspec.json.encode(runs).decode()


def _packed_payment(run: PaymentRun) -> list[Any]:
    cells, on = list(msgspec.structs.astuple(run.row)), date.fromisoformat(run.row.date).toordinal()
    cells[_PAYMENT_DATE] = None
    return [on, run.days, *cells]


def unpacked_payments(text: str) -> list[PaymentRun]:
    """The runs of a text."""
    found: list[PaymentRun] = []
    for first, days, *cells in msgspec.json.decode(text):
        cells[_REASONS], cells[_PAYMENT_DATE] = tuple(cells[_REASONS]), iso(first)
        found.append(PaymentRun(PaymentRow(*cells), days))
    return found
