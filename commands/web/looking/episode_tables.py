"""The tables of an episode's page, each by itself: days with their money, open work, papers, units, claims, lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from commands.web.episode_pages import asked_first, episode_asked, not_opened
from commands.web.looking.one_table import OneTable, table_answer, table_named
from commands.web.looking.tables import Column
from commands.web.reading import Reading
from commands.web.site import Site, known_at_asked
from commands.web.times import reader_today
from projections.page.claims import ClaimShown
from projections.page.episode import EpisodeSheet, episode_sheet
from projections.page.money import DayMoney
from projections.reading.also_named import also_named
from projections.rows.finding import FindingRow
from projections.words import money, payer_name, utc_text
from projections.work.chosen import WorkRow, work_of

_NOTHING: Final = DayMoney(0, 0, 0, 0, 0, ())


class DayRow(NamedTuple):
    """A date of the calendar: its verdict, and the money of its per diems in cents."""

    date: str
    verdict: str
    claimed: int
    paid: int
    unbilled: int
    undue: int
    refund: int
    claims: str


class ClaimRow(NamedTuple):
    """A claim with its lines in words."""

    claim: str
    kind: str
    payer: str
    sent_on: str | None
    recorded_at: str
    by: str
    lines: str
    charge_cents: int
    paid_cents: int
    state: str


class EndRow(NamedTuple):
    """Something that runs out."""

    on: str
    what: str
    name: str
    how: str


class FoundRow(NamedTuple):
    """A finding, from its first date to its last."""

    level: str
    rule: str
    message: str
    first_date: str
    last_date: str
    days: int


_DAYS: Final = (
    Column("date", "Date", "date"), Column("verdict", "Verdict", "words"), Column("claimed", "Claimed", "money"),
    Column("paid", "Paid", "money"), Column("unbilled", "Not billed", "money"),
    Column("undue", "Claimed, not due", "money"), Column("refund", "To refund", "money"),
    Column("claims", "On claims"),
)  # fmt: skip
_WORK: Final = (
    Column("due", "Due", "date"), Column("cents", "Dollars", "money"), Column("what", "What", "words"),
    Column("to_do", "To do"), Column("payer", "Payer", "payer"), Column("claim", "Claim"),
    Column("first_date", "From", "date"), Column("last_date", "To", "date"), Column("days", "Days", "number"),
    Column("owner", "Owner"), Column("done_until", "Done until", "date"),
)  # fmt: skip
_ENDS: Final = (
    Column("on", "Last date", "date"), Column("what", "What", "words"), Column("name", "Which"), Column("how", "How"),
)  # fmt: skip
_UNITS: Final = (
    Column("number", "Number"), Column("payer", "Payer", "payer"), Column("codes", "Codes"),
    Column("from_", "From", "date"), Column("to", "To", "date"), Column("drawn", "Used", "number"),
    Column("units", "Units", "number"), Column("last_drawn", "Last used", "date"),
)  # fmt: skip
_CLAIMS: Final = (
    Column("claim", "Claim"), Column("kind", "Kind", "words"), Column("payer", "Payer", "payer"),
    Column("sent_on", "Sent", "date"), Column("recorded_at", "Recorded", "moment"), Column("by", "By"),
    Column("lines", "Lines"), Column("charge_cents", "Charge", "money"), Column("paid_cents", "Paid", "money"),
    Column("state", "State"),
)  # fmt: skip
_FINDINGS: Final = (
    Column("level", "Level", "words"), Column("rule", "Rule", "words"), Column("message", "Message"),
    Column("first_date", "From", "date"), Column("last_date", "To", "date"), Column("days", "Days", "number"),
)  # fmt: skip
_LINES: Final = (
    Column("from_", "From", "date"), Column("to", "To", "date"), Column("payer", "Payer", "payer"),
    Column("code", "Code", "words"), Column("modifiers", "Modifiers"), Column("authorization", "Authorization"),
    Column("member", "Member"), Column("units", "Units", "number"), Column("rate_cents", "Rate", "money"),
    Column("expected_cents", "Expected", "money"), Column("charge_cents", "Charge", "money"),
)  # fmt: skip


def episode_table(site: Site, request: Request) -> Response:
    """A table of an episode's page by itself, or as CSV."""
    episode, known_at = episode_asked(site, request), known_at_asked(request)
    with site.reading(work=True) as reading:
        if first := asked_first(site, request, reading, episode, known_at):
            return first
        sheet = episode_sheet(reading.ledger, reading.views, episode, reading.book, known_at)
        if sheet is None:
            raise not_opened()
        work = work_of(reading.views, reader_today(request), episode) if known_at is None else []
        one = table_named(list(_tables(reading, sheet, work)), request.path_params["name"])
        back = site.episode_href(episode, None, utc_text(known_at) if known_at else None, mark=f"#{one.name}")
        return table_answer(
            site, request, reading, one, one.asked(request, ("known_at",)), "episode table", back, sheet.patient,
            episode, also=also_named(reading.ledger, episode, known_at).patients,
        )  # fmt: skip


def _tables(reading: Reading, sheet: EpisodeSheet, work: Sequence[WorkRow]) -> Iterator[OneTable]:
    yield OneTable("calendar", "Days and their money", _DAYS, list(_days(sheet)))
    yield OneTable("work", "Open work of the episode", _WORK, work)
    ends = [EndRow(one.on, one.what, payer_name(reading.book, one.name), one.how) for one in sheet.running_out]
    yield OneTable("ends", "Next to run out", _ENDS, ends)
    yield OneTable("units", "Authorizations of the episode", _UNITS, sheet.authorizations)
    yield OneTable("claims", "Claims of the episode", _CLAIMS, [_claim(claim) for claim in sheet.claims])
    yield OneTable("findings", "Findings of the episode", _FINDINGS, [_found(finding) for finding in sheet.findings])
    yield OneTable("lines", "Claim lines of the episode", _LINES, sheet.lines)


def _days(sheet: EpisodeSheet) -> Iterator[DayRow]:
    """Every date of the calendar, and those that are on a claim alone."""
    cells = [cell.day for month in sheet.months for week in month.weeks for cell in week if cell and cell.day]
    verdicts = {day.date: day.words for day in cells}
    for on in sorted(verdicts.keys() | sheet.money.keys()):
        its = sheet.money.get(on, _NOTHING)
        yield DayRow(
            on, verdicts.get(on, "no day of the episode"), its.claimed, its.paid, its.unbilled, its.undue, its.refund,
            ", ".join(its.claims),
        )  # fmt: skip


def _claim(claim: ClaimShown) -> ClaimRow:
    lines = (
        f"{line.code} {line.from_} to {line.to}, {line.units} units, {money(line.charge_cents)}" for line in claim.lines
    )
    return ClaimRow(
        claim.claim, claim.kind, claim.payer, claim.sent_on, claim.recorded_at, claim.by, "; ".join(lines),
        claim.charge_cents, claim.paid_cents, claim.state,
    )  # fmt: skip


def _found(finding: FindingRow) -> FoundRow:
    level = {"hard": "stops a claim", "soft": "warning"}[finding.level]
    dates = finding.dates
    return FoundRow(level, finding.rule.replace("_", " "), finding.message, dates[0], dates[-1], len(dates))
