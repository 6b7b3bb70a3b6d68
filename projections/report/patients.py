"""What no table of the read model holds, patient by patient: claimed days, and authorizations that run out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Final, NamedTuple

from ledger.book import Book
from ledger.facts.billing import RemittancePosted
from ledger.facts.entry import UnreadableEntry
from ledger.facts.events import ClaimSubmitted, EpisodeOpened
from ledger.progress import Progress
from ledger.store import EpisodeLedger
from projections.answers.payments import PaymentRun
from projections.audit.claimed import claims_of, nothing_kept, nothing_paid_kept
from projections.audit.claimed_rows import ClaimedDay
from projections.audit.kept_claimed import kept_in, payments_kept_in
from projections.read_model.kept_claims import patients_paid
from projections.read_model.trouble import SetAside
from projections.read_model.views import Views
from projections.reading.around import entries_around
from projections.reading.as_known import judged_among
from projections.reading.authorizations import authorizations_of
from projections.reading.budget import TooCostly
from projections.reading.by_kinds import episodes_by_kinds
from projections.reading.open_orders import ENDINGS, is_open
from projections.reading.turn import turn
from projections.reading.unjudged import Streams
from projections.report.asked import Asked
from projections.report.authorizations import DAYS_AHEAD, RunningOut, running_out
from projections.report.expected import Expected, expected_of
from projections.rows.finding import MESSAGES

LeftOut = Callable[[SetAside], None]
"""Told of a patient whose claims cannot be read."""


class PatientReported(NamedTuple):
    """What is to be said of one patient."""

    patient: str
    claimed: Sequence[ClaimedDay]
    payments: Sequence[PaymentRun]
    running_out: Sequence[RunningOut]
    expected: Sequence[Expected]


def patients_told(
    ledger: EpisodeLedger, views: Views, book: Book, asked: Asked, left_out: LeftOut, progress: Progress
) -> Iterator[PatientReported]:
    """Every patient with something to say, by name, at the read model's own position."""
    upto = int(views.noted()["position"])
    aside = views.set_aside()
    known_aside = {name for one in aside.values() for name in (one.patient, one.episode)}
    claiming, ongoing = _with_claims(views, aside), _with_recent_days(views, asked)
    _add_from_episodes(claiming, ongoing, ledger, upto, asked, known_aside)
    keeps = asked.known_at is None
    kept, kept_paid = (
        (kept_in(views, every=False), payments_kept_in(views)) if keeps else (nothing_kept, nothing_paid_kept)
    )
    names = sorted(claiming | ongoing)
    for done, name in enumerate(names, 1):
        turn.give_back()
        told = _kept(kept(name), kept_paid(name)) if name in claiming else _OfClaims([], [])
        if told is not None and name not in ongoing:
            yield _reported(name, told)
            progress(done, len(names))
            continue
        try:
            streams = entries_around(ledger, ledger.episodes_of(name), upto)
            if told is None:
                found = claims_of(streams, name, book, asked.known_at)
                told = _OfClaims(found.claimed, [PaymentRun(row, 1) for row in found.payments])
            running, expected = _going_on(streams, name, book, asked) if name in ongoing else ((), ())
        except UnreadableEntry as error:
            if error.episode not in known_aside and not isinstance(error, TooCostly):
                raise
            left_out(SetAside.after(name, error))
            continue
        yield _reported(name, told, running, expected)
        progress(done, len(names))


class _OfClaims(NamedTuple):
    """The claimed days of one patient, and their money by runs."""

    claimed: list[ClaimedDay]
    payments: list[PaymentRun]


def _kept(claimed: list[ClaimedDay] | None, payments: list[PaymentRun] | None) -> _OfClaims | None:
    return None if claimed is None or payments is None else _OfClaims(claimed, payments)


def _reported(
    patient: str, told: _OfClaims, running: Sequence[RunningOut] = (), expected: Sequence[Expected] = ()
) -> PatientReported:
    wrong = [row for row in told.claimed if row.kind != "as_claimed"]
    return PatientReported(patient, wrong, told.payments, running, expected)


def _add_from_episodes(
    claiming: set[str], ongoing: set[str], ledger: EpisodeLedger, upto: int, asked: Asked, without: Collection[str]
) -> None:
    """Add the patients with an episode that nothing ended before the report's date; and at an instant, where nothing
    is kept that tells of claimed days, those with claims or answers."""
    on = date.fromisoformat(asked.on).toordinal()
    kinds = (EpisodeOpened, *ENDINGS, *(() if asked.known_at is None else _OF_CLAIMS))
    for episode in chain.from_iterable(episodes_by_kinds(ledger, upto, asked.known_at, kinds, without)):
        if is_open(episode, on):
            ongoing.add(episode.patient)
        if episode.claims or episode.postings:
            claiming.add(episode.patient)


_OF_CLAIMS: Final = (ClaimSubmitted, RemittancePosted)


def _with_claims(views: Views, aside: Collection[str]) -> set[str]:
    """The patients who may have unbilled days, claimed ones that do not stand, or, where it is kept, money for any: one
    that is not billable as claimed has a finding, and one that is claimed again is billable."""
    found = views.connection.execute(
        "SELECT DISTINCT patient FROM day_runs WHERE status = 'billable'"
        f" UNION SELECT patient FROM findings WHERE rule IN ({', '.join('?' * len(_ABOUT_CLAIMS))})",
        _ABOUT_CLAIMS,
    )
    return {patient for (patient,) in found}.union(patients_paid(views)) - set(aside)


_ABOUT_CLAIMS: Final = tuple(rule for rule, message in MESSAGES.items() if "{claim}" in message.wrong)


def _with_recent_days(views: Views, asked: Asked) -> set[str]:
    """The patients with a day in the last two weeks before the report's date, or later."""
    found = views.connection.execute(
        "SELECT DISTINCT patient FROM day_runs WHERE last_date >= ?", (asked.days_from_on(-DAYS_AHEAD),)
    )
    return {patient for (patient,) in found}


def _going_on(
    streams: Streams, patient: str, book: Book, asked: Asked
) -> tuple[Sequence[RunningOut], Sequence[Expected]]:
    """The authorizations that run out, and what is expected of the patient's episodes and absent."""
    judged = judged_among({name: streams[name] for name in sorted(streams)}, patient, book, asked.known_at)
    if not judged:
        return (), ()
    running = [one for case in judged.cases for one in running_out(list(authorizations_of(judged, case)), asked)]
    return running, list(expected_of(judged, asked))
