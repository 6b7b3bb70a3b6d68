"""From which date on a new fact can change what is said of a day: what comes late to old days is rare.

Most facts speak for their own date and those after it, or for the dates they cover; what ends therapy, for what comes
after. A retraction or a correction speaks for the dates of all that its chain ever stated. Of what changes whose an
episode is, or whether it counts at all, nothing is promised. That this holds is a law of the judge
(``tests/projections/audit/test_timeline.py``), and not a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from ledger.book import PER_DIEM_CODES
from ledger.day_set import OPEN_END, Calendar
from ledger.facts import billing
from ledger.facts import events as ev
from ledger.facts.billing import IDENTITY
from ledger.facts.entry import Entry
from ledger.facts.liveness import Identity
from ledger.facts.zones import zone
from ledger.judge.episode import Episode
from ledger.judge.evidence import local_date, local_dates_of_run
from ledger.judge.fold import MENDING
from ledger.judge.stays import hospital

INERT: Final[frozenset[type[Any]]] = frozenset((
    ev.SupplyDispensed, ev.DrugDispensed, ev.DrugBilledSeparately, ev.ResponseNoted, ev.CoordinationNoted,
    ev.ClaimSubmitted, *IDENTITY, billing.DrugAdministered, billing.ClaimAcknowledged, billing.RemittancePosted,
    billing.AppealFiled, billing.RefundSent, billing.WrittenOff,
))  # fmt: skip
"""What days are never judged by; a correction or retraction of one of these is another entry."""
Chains = dict[Identity, list[ev.Event]]
"""What was stated by all entries of the chain that an entry mends or is mended in, by the entry's identity."""


def is_inert(fact: ev.Event) -> bool:
    """Whether a fact changes no day."""
    if isinstance(fact, ev.ServiceBilledSeparately):
        return fact.code not in PER_DIEM_CODES
    return type(fact) in INERT


def touched_from(
    entry: Entry, episode: Episode, calendar: Calendar, hospital_from: int | None = None, chains: Chains | None = None
) -> int | None:
    """The first date of which anything else may be said once an entry has come to an episode with that calendar, in
    this episode and in the patient's others; None if it may be any.

    ``hospital_from`` is the first date that any stay of the patient may concern, and ``chains`` those of the episode:
    without them, nothing is promised of what needs them.
    """
    if not calendar.every:
        return None
    fact = entry.fact
    if first_date := SPEAKS_FROM.get(type(fact)):
        first = first_date(fact)
    elif first_beside := _FIRST_BESIDE.get(type(fact)):
        first = first_beside(fact, entry, episode, calendar)
    elif isinstance(fact, ev.HospitalAdmitted | ev.HospitalDischarged):
        if hospital_from is None:
            return None
        first = min(hospital_from, _of_hospital(fact.at, entry, episode))
    elif type(fact) in MENDING and chains is not None:
        return _touched_by_chain(chains.get((entry.source, entry.id), ()), entry, episode, calendar)
    else:
        return None
    return min(first, calendar.last + 1)  # up to there, the calendar has dates it had not


def _touched_by_chain(stated: Iterable[ev.Event], entry: Entry, episode: Episode, calendar: Calendar) -> int | None:
    """The first date that anything in a chain speaks for."""
    found = calendar.last + 1
    for fact in stated:
        if is_inert(fact):
            continue
        if type(fact) not in _MENDED:
            return None
        if first_date := SPEAKS_FROM.get(type(fact)):
            found = min(found, first_date(fact))
        else:
            found = min(found, _FIRST_BESIDE[type(fact)](fact, entry, episode, calendar))
    return found


def chains_of(entries: Sequence[Entry]) -> Chains:
    """The chains of an episode's entries, given by version, with what retracts something in them."""
    mending = [entry for entry in entries if type(entry.fact) in MENDING]
    named = {(entry.fact.target_source, entry.fact.target_id) for entry in mending}  # type: ignore[union-attr]
    found: Chains = {}
    for entry in entries if mending else ():
        fact, identity = entry.fact, (entry.source, entry.id)
        if isinstance(fact, ev.FactRetracted | ev.FactCorrected):
            # a target left out is of a kind that nobody judges by
            found[identity] = found.setdefault((fact.target_source, fact.target_id), [])
            if isinstance(fact, ev.FactCorrected):
                found[identity].append(fact.fact)
        elif identity in named:
            found[identity] = [fact]
    return found


def first_dates_of_runs(episode: Episode) -> dict[int, int]:
    """What ``touched_from`` finds for each live logged run of an episode, by the version of its entry."""
    found: dict[int, int] = {}
    tz = zone(episode.opening[1].zone)
    for runs in episode.runs.values():
        first, until = 0, None
        for run in sorted(runs, key=_started_at):
            if until is None or run.started_at > until:
                first, until = local_date(run.started_at, tz), run.stopped_at
            until = max(until, run.stopped_at)
            found[run.entry.version] = first
    return found


def last_dates_of_runs(episode: Episode) -> Iterator[tuple[int, Entry]]:
    """The last date of each logged run of an episode, with its entry."""
    for order, runs in episode.runs.items():
        local = episode.local_runs.get(order, ())
        yield from ((run.to, run.entry) for run in local)
        if len(local) < len(runs):
            tz = zone(episode.opening[1].zone)
            yield from ((local_dates_of_run(run, tz)[1], run.entry) for run in runs[len(local) :])


_started_at: Final = attrgetter("started_at")


def first_of_hospital(episodes: Iterable[Episode]) -> int:
    """The first date that what is told of hospital in some episodes may concern, in whatever zone."""
    return min(
        (_of_hospital(at, entry, one) for one in episodes for _, at, entry in (*one.admissions, *one.homecomings)),
        default=OPEN_END,
    )


def _of_hospital(at: str, entry: Entry, episode: Episode) -> int:
    return hospital(at, zone(episode.opening[1].zone), entry).on - 1


def _its_date(fact: Any) -> int:
    on: int = fact.date.toordinal()
    return on


def _day_after(fact: Any) -> int:
    return _its_date(fact) + 1


def _from(fact: Any) -> int:
    on: int = fact.from_.toordinal()
    return on


SPEAKS_FROM: Final[dict[type[Any], Callable[[Any], int]]] = {
    **dict.fromkeys((ev.DayServed, ev.NursingVisited, ev.PainAssessed, ev.ConflictResolved), _its_date),
    **dict.fromkeys(
        (ev.DaysServed, ev.PlanSigned, ev.DiagnosisRecorded, ev.AuthorizationGranted, ev.TherapyRanked,
         ev.ProviderChanged, ev.FacilityStayed, ev.HospiceElected),
        _from,
    ),
    **dict.fromkeys((ev.Discharged, ev.PatientDied), _day_after),
    ev.TherapyStopped: _its_date,  # an order that begins on it may give the code now
}  # fmt: skip
"""The first date that a fact speaks for by itself, whatever else is told."""


def _first_date_of_run(fact: ev.InfusionLogged, entry: Entry, episode: Episode, calendar: Calendar) -> int:
    """That of the run it makes with those that it overlaps or meets, directly or through others."""
    started_at: datetime = fact.started_at
    runs = episode.runs.get(fact.order, ())
    for run in sorted(runs, key=lambda run: run.stopped_at, reverse=True):
        if run.stopped_at < started_at:
            break
        started_at = min(started_at, run.started_at)
    return local_date(started_at, zone(episode.opening[1].zone))


def _first_covered(fact: ev.CoverageVerified, entry: Entry, episode: Episode, calendar: Calendar) -> int:
    """A date that no coverage covers names all there is: the first that none covers which was there before."""
    spells = [(spell.from_, spell.to) for spell in episode.spells() if spell.entry.version < entry.version]
    return min(_from(fact), _first_outside(spells, calendar.first))


def _first_cut(fact: ev.CoverageEnded, entry: Entry, episode: Episode, calendar: Calendar) -> int:
    """A date that is cut off names all that cuts the coverage it was in."""
    ends = [ended.fact.last_date for ended in episode.coverage_ends if ended.fact.payer == fact.payer]
    return int(min([fact.last_date, *ends]).toordinal()) + 1


def _first_ordered(fact: ev.TherapyOrdered, entry: Entry, episode: Episode, calendar: Calendar) -> int:
    """So does evidence, be it taken back, on a date on which its order is not in force."""
    order = fact.order
    evident = [served.from_ for served in episode.served.get(order, ())]
    if runs := episode.runs.get(order):
        evident.append(local_date(min(run.started_at for run in runs), zone(episode.opening[1].zone)))
    evident += [
        _first_taken(taken.fact, episode) for taken in episode.taken if getattr(taken.fact, "order", None) == order
    ]
    if not evident:
        return _from(fact)
    before = [(told.from_, told.to) for told in episode.tellings(order) if told.entry.version < entry.version]
    return min(_from(fact), _first_outside(before, min(evident)))


def _first_taken(fact: Any, episode: Episode) -> int:
    if isinstance(fact, ev.InfusionLogged):
        return local_date(fact.started_at, zone(episode.opening[1].zone))
    return SPEAKS_FROM[type(fact)](fact) if type(fact) in SPEAKS_FROM else OPEN_END


def _first_outside(spans: Iterable[tuple[int, int]], on: int) -> int:
    """The first date from another on that lies in none of some spans."""
    for from_, to in sorted(spans):
        if from_ <= on <= to:
            on = to + 1
    return on


def _first_of_hold(fact: ev.TherapyHeld | ev.TherapyResumed, entry: Entry, episode: Episode, calendar: Calendar) -> int:
    """That of all that is told of its number: what a hold begins and ends with is named by each of its dates."""
    own = _from(fact) if isinstance(fact, ev.TherapyHeld) else _its_date(fact)
    others = (*episode.holds.get(fact.hold, ()), *episode.resumed.get(fact.hold, ()))
    return int(min([own, *(one.date for one in others)]))


_FIRST_BESIDE: Final[dict[type[Any], Callable[[Any, Entry, Episode, Calendar], int]]] = {
    ev.InfusionLogged: _first_date_of_run,
    ev.ServiceBilledSeparately: lambda fact, *_: _from(fact),
    ev.CoverageVerified: _first_covered,
    ev.CoverageEnded: _first_cut,
    ev.TherapyOrdered: _first_ordered,
    **dict.fromkeys((ev.TherapyHeld, ev.TherapyResumed), _first_of_hold),
}
_MENDED: Final = (SPEAKS_FROM.keys() | {ev.InfusionLogged, ev.TherapyOrdered, ev.ServiceBilledSeparately}) - {
    ev.TherapyStopped
}
"""Of these it is promised, too, where they are taken back or put right."""
