"""Changes of what serves a day: the record of it, and the orders behind it."""

from __future__ import annotations

from datetime import timedelta
from difflib import SequenceMatcher
from typing import Final

import msgspec

from ledger.facts import events as ev
from ledger.facts.entry import Entry, statement_of
from ledger.judge import passed
from ledger.judge.evidence import local_dates_of_run
from projections.why.change import HYPOTHETICAL, Change, Changes, complete, correct, named, retract, tell
from projections.why.day_view import DayView, tellings_of
from projections.words import iso

_NEAREST: Final = 3


def record_day(view: DayView) -> Changes:
    """The day as infused, for each order in force."""
    case = view.case
    for order in sorted(order for order in case.episode.orders if case.evidence.in_force(order) & view.day):
        yield tell(
            view, ev.DayServed(order, view.on), f"Record {view.on} as a day of order {order}, if it was infused."
        )


def correct_log(view: DayView) -> Changes:
    """Under ``rolling_24h`` a run serves the day once it has lasted long enough."""
    for run in (run for runs in view.case.episode.runs.values() for run in runs):
        first, last = local_dates_of_run(run, view.case.evidence.tz)
        if first <= view.date <= last:
            until = run.started_at + timedelta(days=view.date - first + 1)
            if until > run.stopped_at:
                yield correct(view, run.entry, f"the pump ran until {until:%Y-%m-%d %H:%M} UTC", stopped_at=until)


def nearest_orders(view: DayView, order: str) -> list[str]:
    """The recorded order numbers most like one that is not recorded."""

    def likeness(known: str) -> tuple[float, str]:
        return -SequenceMatcher(None, order, known).ratio(), known

    return sorted(view.case.episode.orders, key=likeness)[:_NEAREST]


def unknown_orders(view: DayView) -> list[tuple[Entry, str]]:
    """The day's evidence that names an order which is not recorded, with that number."""
    found = [(entry, getattr(statement_of(entry), "order", None)) for entry in passed.serving(view.case, view.date)]
    return [(entry, order) for entry, order in found if order and order not in view.case.episode.orders]


def rename_order(view: DayView) -> Changes:
    """Evidence of an order that is not recorded was of a recorded one, the number most like it first."""
    for entry, order in unknown_orders(view):
        for known in nearest_orders(view, order):
            yield correct(view, entry, f"it was of order {known}", order=known)


def order_anew(view: DayView) -> Changes:
    """Each order recorded, in force on the day or with closer doses; each that only the evidence names."""
    episode = view.case.episode
    told = {**dict.fromkeys(view.case.evidence.recorded), **dict.fromkeys(episode.orders)}
    for order in sorted(told) or [HYPOTHETICAL]:
        if order not in episode.orders:
            fact = ev.TherapyOrdered(order, "unspecified", view.on, episode.opening[1].provider, signed_on=view.on)
            yield tell(view, fact, f"Record the order {order}, in force on {view.on} and signed.")
        elif (telling := view.telling(order)) is None:
            yield _in_force(view, order)
        elif telling.interval_hours > (hours := view.terms.max_interval_hours):
            _, ordered = next(tellings_of([telling.entry]))
            closer = msgspec.structs.replace(ordered, interval_hours=hours)
            yield tell(view, closer, f"Record order {order} anew, with doses up to {hours} hours apart, if they are.")


def _in_force(view: DayView, order: str) -> Change:
    """The order as recorded last, reaching to the day; renewed on it where it was stopped before."""
    _, ordered = view.case.episode.orders[order][-1]
    stops = [stop.date for stop in view.case.episode.stops.get(order, ()) if stop.date < view.date]
    from_ = view.on if stops else min(ordered.from_, view.on)
    to = ordered.to if ordered.to is msgspec.UNSET else max(ordered.to, view.on)
    wider = msgspec.structs.replace(ordered, from_=from_, to=to)
    return tell(view, wider, f"Record order {order} anew, in force on {view.on}, if it was.")


def sign_order(view: DayView) -> Changes:
    """The orders behind the evidence, signed in time."""
    for entry, fact in tellings_of(passed.orders_in_force(view.case, view.date)):
        if view.terms.order_signature == "before_service":
            yield correct(view, entry, f"order {fact.order} was signed on or before {view.on}", signed_on=view.on)
        else:
            sentence = (
                f"Have order {fact.order} signed, and correct {named(view, entry)} with the date it was signed on."
            )
            yield complete(view, entry, sentence, signed_on=view.on)


def move_stop(view: DayView) -> Changes:
    """A stop before the day was on it, or never was."""
    stops = [stop for stops in view.case.episode.stops.values() for stop in stops if stop.date < view.date]
    yield from (to_the_day(view, stop.entry) for stop in stops)
    yield from (retract(view, stop.entry) for stop in stops)


def to_the_day(view: DayView, entry: Entry) -> Change:
    """An end before the day was on it or later."""
    return correct(view, entry, f"it was on {iso(view.date)} or later", date=view.on)
