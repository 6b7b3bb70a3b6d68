"""A month closed at the site: its check list first, and a reason where something is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from commands.desk.act import Desk, Done, Part, Preview, Stopped, clock_stops, new_identity
from commands.desk.fields import Control, Texts, plain
from commands.door.explain import first_fault
from commands.door.shapes import EVENTS
from commands.outside import utc_now
from commands.terminal.who import is_named_in
from commands.writing.closing import CannotClose, Closed, NotAsClosed, close_month, closed_months
from commands.writing.handle import refuse_doubtful_clock
from ledger.facts.administration import MonthClosed
from ledger.recorders.by_name.proving import prove
from ledger.store import EpisodeLedger
from projections.audit.month import Month
from projections.operations.open_in_month import OpenInMonth, counted_open, open_in_month
from projections.words import counted, minute, money, sentence, utc_text, verdict_of, verdict_words

_REASON: Final = EVENTS["FactRetracted"].fields["reason"].form


class Close:
    """A month's report is fixed, for good."""

    about = (
        "Days and dollars by payer, code and verdict are fixed as of now, with a fingerprint of every day. What is"
        " recorded later does not change a closed month's report; it is told as restated."
    )

    def __init__(self, desk: Desk, month: Month, still_open: Sequence[OpenInMonth]) -> None:
        self.desk, self.month, self.still_open = desk, month, still_open
        self.title = f"Close {month.words}"

    def hidden(self) -> dict[str, str]:
        """The identity, though a month is closed once whatever it is; and what was seen open, which a reason is for."""
        return {"id": new_identity(), "seen": counted_open(self.still_open)}

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """A reason is asked for where something is open; it names nobody."""
        reason = told.get("anyway", "").strip()
        if not self.still_open:
            return {}
        if fault := first_fault(_REASON, reason, "anyway"):
            return {"anyway": plain(fault.removeprefix("anyway: "))}
        if any(is_named_in(reason, row.patient) for row in self.still_open):
            return {"anyway": "It stays in the ledger: do not name a patient in it."}
        return {}

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """Why it is closed with what is open, if anything is."""
        if not self.still_open:
            return []
        label, hint = "Reason for closing it with what is open", "It stays in the ledger. Do not name a patient in it"
        return [Control("anyway", label, hint, "long", True, told.get("anyway", ""), errors.get("anyway"), 1000)]

    def preview(self, told: Texts) -> Preview:
        """What would be fixed, and with what open."""
        _check_seen(told, counted_open(self.still_open))
        notes = [f"Open in {self.month.words}: {counted_open(self.still_open)}."] if self.still_open else []
        effect = [Part(f"{self.month.words} is closed for good, as of what is recorded now.")]
        return Preview([(each.label, each.value) for each in self.controls(told, {})], notes, effect)

    def do(self, told: Texts) -> Done:
        """Close it; closed by somebody else meanwhile, it is as they closed it."""
        setup, anyway = self.desk.setup, told.get("anyway", "").strip() or None
        with setup.open() as ledger:
            self._refuse_doubtful(ledger, anyway or "")
            with closing(setup.views()) as views:
                set_aside = views.set_aside()
            try:
                with clock_stops():
                    if self.month.text not in closed_months(ledger):
                        refuse_doubtful_clock(ledger, utc_now())
                    closed = close_month(
                        ledger, self.desk.book, self.month, self.desk.by, utc_now(), set_aside,
                        still_open=lambda: self._open_now(ledger, told), anyway=anyway,
                    )  # fmt: skip
            except (CannotClose, NotAsClosed) as refused:
                raise Stopped(*map(sentence, refused.args), patients=set_aside) from None
        return Done(said_closed(closed.record, new=closed.new), report_lines(closed))

    def _open_now(self, ledger: EpisodeLedger, told: Texts) -> str:
        with closing(self.desk.setup.views()) as views:
            now = counted_open(open_in_month(ledger, views, self.month))
        _check_seen(told, now)
        return now

    def _refuse_doubtful(self, ledger: EpisodeLedger, anyway: str) -> None:
        """Stopped where nothing may be fixed: on a ledger that is not what it was, or with somebody's name."""
        if self.month.text in closed_months(ledger):
            return
        setup = self.desk.setup
        if setup.rollbacks.found or not prove(setup.ledger_name, master=setup.master).holds:
            raise Stopped(
                "The ledger does not hold, or was put back to an earlier state, so no month was closed.",
                "'episode-ledger verify' says what is wrong.",
            )
        if setup.master and any(is_named_in(anyway, name) for name in ledger.patients_since(0, ledger.position())):
            raise Stopped("The reason stays in the ledger: do not name a patient in it.")


def _check_seen(told: Texts, still_open: str) -> None:
    """Stopped where other things are open than the reason was given for."""
    if told.get("seen", "") != still_open:
        raise Stopped(
            f"What is open in the month has changed since the form was opened: {still_open or 'nothing is, now'}.",
            "No month was closed. Open the form again.",
        )


def said_closed(record: MonthClosed, *, new: bool) -> str:
    """That a month is closed, by whom, and with what reason."""
    words, when = Month.read(record.month).words, minute(utc_text(record.closed_at))
    how = "is closed" if new else f"was closed {when} by {record.by}"
    with_open = f", with something open: {record.anyway}" if record.anyway else ""
    return f"{words} {how}, as of position {record.position:,}{with_open}."


def report_lines(closed: Closed) -> list[Part]:
    """The report of a closed month, a line for each of its rows."""
    rows = [
        f"{row.payer or 'no payer'}: {verdict_words(verdict_of(row.status, row.reason, row.code))},"
        f" {counted(row.days, 'day')}{f', {money(row.cents)}' if row.cents else ''}"
        for row in closed.report.rows
        if row.row == "verdict" and row.status is not None
    ]
    return [Part("Fixed:", tuple(rows)), Part(f"SHA-256 of the report: {closed.record.report}")]
