"""What no table of the read model holds, patient by patient: claimed days, and authorizations that run out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.progress import Progress
from ledger.store import EpisodeLedger
from projections.audit.claimed import ClaimedDay, claimed_of, nothing_kept
from projections.audit.kept_claimed import kept_in
from projections.read_model.trouble import SetAside
from projections.read_model.views import Views
from projections.reading.around import entries_around
from projections.reading.authorizations import authorizations_in
from projections.report.asked import Asked
from projections.report.authorizations import DAYS_AHEAD, RunningOut, running_out

Streams = Mapping[str, Sequence[Entry]]

LeftOut = Callable[[SetAside], None]
"""PatientReported of a patient whose claims cannot be read."""


class PatientReported(NamedTuple):
    """What is to be said of one patient."""

    claimed: Sequence[ClaimedDay]
    running_out: Sequence[RunningOut]


def patients_told(
    ledger: EpisodeLedger, views: Views, book: Book, asked: Asked, left_out: LeftOut, progress: Progress
) -> Iterator[PatientReported]:
    """Every patient with something to say, by name, at the read model's own position."""
    upto = int(views.noted()["position"])
    aside = views.set_aside()
    known_aside = {name for one in aside.values() for name in (one.patient, one.episode)}
    claiming, ongoing = _with_claims(views, aside), _with_recent_days(views, asked)
    kept = kept_in(views, every=False) if asked.known_at is None else nothing_kept
    names = sorted(claiming | ongoing)
    for done, name in enumerate(names, 1):
        claimed = kept(name) if name in claiming else []
        if claimed is not None and name not in ongoing:
            yield PatientReported([row for row in claimed if row.kind != "as_claimed"], [])
            progress(done, len(names))
            continue
        try:
            streams = entries_around(ledger, ledger.episodes_of(name), upto)
        except UnreadableEntry as error:
            if error.episode not in known_aside:
                raise
            left_out(SetAside(name, error.episode, error.version, error.position))
            continue
        if claimed is None:
            claimed = claimed_of(streams, name, book, asked.known_at)
        differing = [row for row in claimed if row.kind != "as_claimed"]
        yield PatientReported(differing, list(_running_out(streams, name, book, asked)) if name in ongoing else [])
        progress(done, len(names))


def _with_claims(views: Views, aside: Collection[str]) -> set[str]:
    """The patients who may have unbilled days, or claimed ones that do not stand: one that is not billable as claimed
    has a finding, and one that is claimed again is a billable day."""
    found = views.connection.execute(
        "SELECT DISTINCT patient FROM day_runs WHERE status = 'billable'"
        " UNION SELECT patient FROM findings WHERE rule = 'claimed_not_billable'"
    )
    return {patient for (patient,) in found} - set(aside)


def _with_recent_days(views: Views, asked: Asked) -> set[str]:
    """The patients with a day in the last two weeks before the report's date, or later."""
    found = views.connection.execute(
        "SELECT DISTINCT patient FROM day_runs WHERE last_date >= ?", (asked.days_from_on(-DAYS_AHEAD),)
    )
    return {patient for (patient,) in found}


def _running_out(streams: Streams, patient: str, book: Book, asked: Asked) -> Iterator[RunningOut]:
    for authorizations in authorizations_in(streams, patient, book, asked.known_at):
        yield from running_out(authorizations, asked)
