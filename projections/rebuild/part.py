"""A part of a read model: some cohorts read and judged once, and written by each book that there is."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ledger.book import book_of_text
from ledger.facts.entry import UnreadableEntry, statement_of
from ledger.facts.events import EpisodeOpened
from ledger.judge.patients import Patient, gather
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger, open_ledger
from projections.read_model.rows_file import RowsFile
from projections.read_model.trouble import SetAside
from projections.reading.around import read_streams
from projections.reading.as_known import load_patient
from projections.reading.budget import TooCostly, set_budget, within_budget
from projections.reading.cohorts import Cohort, complete_together
from projections.reading.unjudged import FAULTS, Streams, judging, some_episode
from projections.rebuild.work import BuiltPart, Target, Work
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_each, derive_from


class _Built:
    """A target while it is built: its book, its rows, and who has to be set aside."""

    def __init__(self, target: Target, work: Work, kept: Sheets | None) -> None:
        self.book = book_of_text(target.book).known(work.known_on)
        self.writer = RowsFile(str(target.path))
        self.set_aside: list[SetAside] = []
        self.quarantine = work.quarantine
        if kept:
            self.writer.write(NOBODY, kept)

    def leave_out(self, names: Iterable[str], error: UnreadableEntry) -> None:
        """Set these patients aside."""
        self.set_aside += [SetAside.after(name, error) for name in names]

    def write(self, patient: Patient, streams: Callable[[], Streams]) -> None:
        """Judge and write a patient, who is set aside if that costs more than the budget; or, in a quarantine, where it
        cannot be done. The streams have the entries of all their episodes."""
        try:
            sheets = derive_from(patient, self.book, streams)
        except UnreadableEntry as error:
            if not isinstance(error, TooCostly) and not self.quarantine:
                raise
            self.leave_out([patient.name], error)
        else:
            self.writer.write(patient.name, sheets)

    def take(self, patients: Iterable[Patient], sheets: Iterable[Sheets]) -> None:
        """Write what was derived of some patients."""
        for patient, theirs in zip(patients, sheets, strict=True):
            self.writer.write(patient.name, theirs)

    def done(self) -> BuiltPart:
        """What was made of it."""
        self.writer.close()
        return BuiltPart(self.writer.sums.numbers, self.writer.patients, self.set_aside)


def build_part(
    targets: Sequence[Target],
    work: Work,
    cohorts: Sequence[Cohort],
    told: Progress = silent,
    kept: Sheets | None = None,
) -> list[BuiltPart]:
    """Judge some cohorts by each book and write their rows into files of their own, beside those that are no
    patient's."""
    set_budget(work.budget)
    built = [_Built(target, work, kept) for target in targets]
    gc.disable()  # nothing here makes cycles, and the collector would walk a large patient's entries again and again
    try:
        with open_ledger(work.ledger, create=False, master=work.master, mapped_mb=work.mapped_mb) as ledger:

            def leave_out(cohort: Cohort, error: UnreadableEntry) -> None:
                if isinstance(error, TooCostly):
                    for one in built:
                        one.leave_out(sorted(cohort.patients), error)
                elif work.quarantine:
                    _without_the_unreadable(ledger, cohort, work.upto, built)
                else:
                    raise error

            done = 0
            for some in complete_together(ledger, cohorts, work.upto, leave_out):
                _write_together(some, built)
                done += len(some)
                told(done, len(cohorts))
                some.clear()  # before the next are read
        return [one.done() for one in built]
    finally:
        gc.enable()


def _write_together(some: Sequence[Streams], built: Sequence[_Built]) -> None:
    """Judge and write everybody of some cohorts, stage by stage: what a stage needs is in the processor's caches then.

    Where all of them cost more than one patient may, somebody does: then cohort by cohort, to see who.
    """
    derived = _derived(some, built) if len(some) > 1 else None
    if derived is None:
        for streams in some:
            _write_all(streams, built)
        return
    patients, of_each = derived
    for one, sheets in zip(built, of_each, strict=True):
        one.take(patients, sheets)


def _derived(some: Sequence[Streams], built: Sequence[_Built]) -> tuple[list[Patient], list[list[Sheets]]] | None:
    """Everybody of some cohorts, with what each book makes of them; None beyond the budget, or where somebody cannot
    be judged."""

    def work() -> tuple[list[Patient], list[list[Sheets]]]:
        patients = [patient for streams in some for patient in gather(streams, whole=False)]
        return patients, [derive_each(patients, one.book) for one in built]

    try:
        return within_budget(some_episode(some[0]), work)
    except (TooCostly, *FAULTS):
        return None


def _write_all(streams: Streams, built: Sequence[_Built]) -> None:
    """Judge and write everybody of some episodes; who costs more than the budget is set aside, and in a quarantine who
    cannot be judged."""
    try:
        patients = judging(streams, partial(gather, whole=False))
    except UnreadableEntry as error:
        for one in built:
            if not isinstance(error, TooCostly) and not one.quarantine:
                raise
            one.leave_out(_named(streams), error)
        return
    for patient in patients:
        for one in built:
            one.write(patient, lambda: streams)


def _named(streams: Streams) -> list[str]:
    """Everybody whom an opening of these episodes names."""
    facts = (statement_of(entry) for entries in streams.values() for entry in entries)
    return sorted({fact.patient for fact in facts if isinstance(fact, EpisodeOpened)})


def _without_the_unreadable(ledger: EpisodeLedger, cohort: Cohort, upto: int, built: Sequence[_Built]) -> None:
    """Set those aside whose entries cannot be read, and go on with the others of their cohort."""
    for name in sorted(cohort.patients):
        try:
            patient = load_patient(ledger, name, upto=upto)
        except UnreadableEntry as error:
            for one in built:
                one.leave_out([name], error)
            continue
        if patient:
            for one in built:
                one.write(patient, partial(read_streams, ledger, ledger.episodes_of(name), upto))
