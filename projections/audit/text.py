"""Differences as a person reads them: runs of dates that changed alike, 120 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap
from typing import Final, TypeVar

from projections.audit.between import DayChanged
from projections.audit.claimed_rows import ClaimedDay
from projections.tables import WIDEST
from projections.words import amount, counted, dollars, minute, more_or_less, runs

Row = TypeVar("Row", DayChanged, ClaimedDay)

_KINDS: Final = {
    "overclaimed": "not billable",
    "changed": "billable with another code or payer",
    "overpaid": "paid too much",
    "unbilled": "unbilled",
    "as_claimed": "as claimed",
}
"""How a claimed day differs, in a biller's words."""
_COLUMNS: Final = "  {:<24}  {:<18}  {:<26}  {}"


def render_between(rows: Iterable[DayChanged], widest: int = WIDEST) -> Iterator[str]:
    """Two lines for each run of dates: what changed, and because of what."""
    for run in runs(rows, _change):
        first = run[0]
        delta = sum(row.cents_after - row.cents_before for row in run)
        money = f", {more_or_less(delta)}" if delta else ""
        verdicts = f"{_verdict(first.before, first.payer_before)} → {_verdict(first.after, first.payer_after)}"
        yield from _folded(f"{_span(run)}  {verdicts} ({counted(len(run), 'day')}{money})", "", widest)
        yield from _folded(f"{_why(first)}, {_late(run)}", widest=widest)


def _change(row: DayChanged) -> tuple[object, ...]:
    return (row.before, row.after, row.payer_before, row.payer_after, row.cents_before, row.cents_after, row.because,
            row.type, row.by, row.recorded_at, row.position, row.note)  # fmt: skip


def _verdict(words: str | None, payer: str | None) -> str:
    if words is None:
        return "no day"
    return f"{words} to {payer}" if payer and words.startswith("billable") else words


def _why(row: DayChanged) -> str:
    others = row.because if row.cause == "terms" else row.because[1:]
    after = f", after {', '.join(others)}" if others else ""
    if row.cause == "terms":
        return f"{row.note}{after}"
    return f"{row.because[0]} ({row.type}) by {row.by}, recorded {minute(row.recorded_at or '')}{after}"


def _late(run: list[DayChanged]) -> str:
    latest, least = run[0].days_late, run[-1].days_late
    if latest < 0:
        return f"{counted(-latest, 'day')} ahead" if latest == least else f"{-latest} to {counted(-least, 'day')} ahead"
    return f"{counted(latest, 'day')} late" if latest == least else f"{least} to {counted(latest, 'day')} late"


def render_claimed(rows: Iterable[ClaimedDay], widest: int = WIDEST) -> Iterator[str]:
    """For each episode claimed, known when claimed and known now side by side; below each run what follows from it."""
    for (patient, episode), of_episode in groupby(rows, lambda row: (row.patient, row.episode)):
        yield f"{episode} of {patient}"
        yield _line("dates", "claimed", "known when claimed", "known now")
        for run in runs(of_episode, _alike):
            first = run[0]
            claimed = f"{first.claimed_code} {amount(_sum(run, 'claimed_cents'))}" if first.claim else "nothing"
            then = (first.known_when_claimed or "no day") if first.claim else "–"
            now = first.known_now or "no day"
            now += f" {amount(_sum(run, 'now_cents'))}" if first.now_cents else ""
            yield _line(_span(run), claimed, then, now)
            yield from _folded(_what_follows(run), widest=widest)


def _alike(row: ClaimedDay) -> tuple[object, ...]:
    return (row.kind, row.claim, row.payer, row.claimed_code, row.known_when_claimed, row.known_now, row.now_payer,
            row.exposure_cents > 0, row.revealed_by, row.revealed_at, row.repay_by, row.file_by is None,
            row.paid_cents is None)  # fmt: skip


def _what_follows(run: list[ClaimedDay]) -> str:
    first = run[0]
    words = f"{_KINDS[first.kind]}: {counted(len(run), 'day')}"
    words += f" of {first.claim} to {first.payer}" if first.claim else f" of {first.payer}"
    if first.paid_cents is not None:
        words += f", paid {dollars(sum(row.paid_cents or 0 for row in run))}"
    if back := _sum(run, "exposure_cents"):
        words += f", {dollars(back)} {_UNPAID if first.paid_cents is None else _PAID}"
        words += f" by {first.repay_by}" if first.repay_by else ""
    if first.revealed_at:
        words += f"; revealed{_by(first)} on {first.revealed_at[:10]}"
    if first.file_by:
        to = f" to {first.now_payer}" if first.now_payer != first.payer else ""
        words += f"; to be filed{to} by {first.file_by}" + (f" (the last by {run[-1].file_by})" if len(run) > 1 else "")
    return words


def _by(row: ClaimedDay) -> str:
    if row.revealed_by:
        return f" by {', '.join(row.revealed_by)}"
    was_right = row.known_when_claimed == f"billable {row.claimed_code}"
    return " by terms newly published" if was_right else ""


def _line(*cells: str) -> str:
    return _COLUMNS.format(*cells).rstrip()


def _folded(text: str, indent: str = " " * 6, widest: int = WIDEST) -> list[str]:
    return wrap(
        text, widest, initial_indent=indent, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
    )


def _sum(run: Iterable[ClaimedDay], field: str) -> int:
    return sum(getattr(row, field) for row in run)


def _span(run: list[Row]) -> str:
    return run[0].date if len(run) == 1 else f"{run[0].date} to {run[-1].date}"


class Exposure:
    """What claimed days add up to, counted while they pass."""

    def __init__(self) -> None:
        self.days: dict[str, int] = {}
        self.cents = self.owed_cents = 0
        self.repay_by = self.file_by = ""

    def counting(self, rows: Iterable[ClaimedDay]) -> Iterator[ClaimedDay]:
        """The rows, each counted."""
        for row in rows:
            self.days[row.kind] = self.days.get(row.kind, 0) + 1
            self.cents += row.exposure_cents
            self.owed_cents += row.exposure_cents if row.paid_cents is not None else 0
            self.repay_by = min(filter(None, (self.repay_by, row.repay_by)), default="")
            if row.kind == "unbilled":
                self.file_by = min(filter(None, (self.file_by, row.file_by)), default="")
            yield row

    def told(self) -> str:
        """What they add up to, in one sentence."""
        wrong = [f"{counted(self.days[kind], 'day')} {_KINDS[kind]}" for kind in _WRONG if kind in self.days]
        parts = []
        if wrong:
            first = f", the first by {self.repay_by}" if self.repay_by else ""
            parts.append(f"{', '.join(wrong)}, {self._money()}{first}")
        if "unbilled" in self.days:
            parts.append(f"{counted(self.days['unbilled'], 'day')} unbilled, the first must be filed by {self.file_by}")
        return "; ".join(parts) + "." if parts else "Every claimed day is billable as claimed."

    def _money(self) -> str:
        """What of it was paid, and what is only asked."""
        asked = self.cents - self.owed_cents
        said = [f"{dollars(self.owed_cents)} {_PAID}"] if self.owed_cents or not asked else []
        return ", ".join(said + ([f"{dollars(asked)} {_UNPAID}"] if asked else []))


_WRONG: Final = ("overclaimed", "changed", "overpaid")
_PAID: Final = "to refund"
_UNPAID: Final = "claimed and not answered"
